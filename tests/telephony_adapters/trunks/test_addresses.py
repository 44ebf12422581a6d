from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony_adapters.trunks.addresses import LISTEN, SERVER, Server, parse_server


@pytest.mark.parametrize(
    ("text", "server", "uri_host"),
    [
        ("sip.carrier.vn", Server("sip.carrier.vn", None), "sip.carrier.vn"),
        ("sbc-1:5070", Server("sbc-1", 5070), "sbc-1"),
        ("10.0.0.1:5060", Server("10.0.0.1", 5060), "10.0.0.1"),
        ("10.0.0.1", Server("10.0.0.1", None), "10.0.0.1"),
        ("[::1]:5060", Server("::1", 5060), "[::1]"),
        ("[2001:DB8::1]", Server("2001:db8::1", None), "[2001:db8::1]"),
    ],
)
def test_what_people_write_is_read_and_written_again(text: str, server: Server, uri_host: str) -> None:
    assert parse_server(text) == server
    assert server.uri_host == uri_host
    assert parse_server(str(server)) == server


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("::1", "IPv6 stands in brackets"),
        ("10.0.0.300", "10.0.0.300 is no address"),
        ("[::g]", "^$"),
        ("[1.2]", "1.2 is no address"),
        ("sip.vn:0", "there is no port 0"),
        ("sip.vn:70000", "there is no port 70000"),
        ("-sip.vn", "-sip.vn is no name of a host"),
        ("sip..vn", "is no name of a host"),
        ("a" * 254, "is no name of a host"),
        ("sip:carrier.vn", "^$"),
        ("host/path", "^$"),
        ("host\r\nVia: x", "^$"),
        ("", "^$"),
    ],
)
def test_what_is_no_server_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_server(text)


@given(st.text())
def test_nothing_else_than_value_error_is_raised(text: str) -> None:
    try:
        server = parse_server(text)
    except ValueError:
        return
    assert parse_server(str(server)) == server


@pytest.mark.parametrize("value", [5060, None, ["sip.vn"]])
def test_only_texts_are_taken(value: object) -> None:
    for key in (SERVER, LISTEN):
        with pytest.raises(ValueError, match=r"^$"):
            key.read(value)


def test_a_place_to_listen_begins_with_its_transport() -> None:
    assert LISTEN.read("tls:[::]:5061") == "tls:[::]:5061"
    with pytest.raises(ValueError, match="it begins with udp, tcp, tls"):
        LISTEN.read("0.0.0.0:5060")
    with pytest.raises(ValueError, match="no port"):
        LISTEN.read("udp:0.0.0.0:99999")
