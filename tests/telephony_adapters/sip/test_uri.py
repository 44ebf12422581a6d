"""URIs and addresses (RFC 3261 sections 19.1, 20.10 and 25.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony_adapters.sip.lexical import unquote
from telephony_adapters.sip.uri import (
    NameAddr,
    SipUri,
    UriError,
    header_params,
    is_uri,
    parse_host_port,
    parse_name_addr,
    parse_uri,
    quoted,
    split_list,
    split_outside,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sip:a@b", SipUri("sip", "a", "b")),
        ("SIPS:a:p@b.example:5061", SipUri("sips", "a:p", "b.example", 5061)),
        ("sip:192.0.2.1", SipUri("sip", "", "192.0.2.1")),
        ("sip:a@[2001:db8::1]:5060;LR", SipUri("sip", "a", "2001:db8::1", 5060, {"lr": ""})),
        ("sip:a;x=1@b;transport=tcp?Subject=x", SipUri("sip", "a;x=1", "b", None, {"transport": "tcp"}, "Subject=x")),
        ("sip:%61@b", SipUri("sip", "%61", "b")),
    ],
)
def test_a_uri_is_read(text: str, expected: SipUri) -> None:
    assert parse_uri(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "a@b", "tel:1", "sip:", "sip:a@", "sip:a b@c", "sip:a@b:0", "sip:a@b:65536", "sip:a@b:x", "sip:a@b;=1",
     "sip:<a@b", 'sip:"a@b', "sip:%zz@b", "sip:a@b\r\n", "sip:a@-b", "sip:[::1@b", "sip:a@b:٣"],
)  # fmt: skip
def test_what_is_no_sip_uri_is_refused(text: str) -> None:
    with pytest.raises(UriError):
        parse_uri(text)


@pytest.mark.parametrize(
    "text", ["sip:a@b", "sips:a@[2001:db8::1]:5061;transport=tcp;lr?x=y", "sip:192.0.2.1:5060", "sip:a;b=c@d"]
)
def test_a_uri_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_uri(text)) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<sip:a@b>", NameAddr("", "sip:a@b", {})),
        ("<sip:a@b;lr>;tag=t", NameAddr("", "sip:a@b;lr", {"tag": "t"})),
        ("sip:a@b;tag=t", NameAddr("", "sip:a@b", {"tag": "t"})),
        ('"A, \\"B\\" <c>" <sip:a@b>;Tag=t', NameAddr('A, "B" <c>', "sip:a@b", {"tag": "t"})),
        ("A B <tel:1>", NameAddr("A B", "tel:1", {})),
        (' "" <sip:a@b> ; x = "1;2" ;y', NameAddr("", "sip:a@b", {"x": '"1;2"', "y": ""})),
    ],
)
def test_an_address_is_read(value: str, expected: NameAddr) -> None:
    assert parse_name_addr(value) == expected


@pytest.mark.parametrize(
    "value",
    ["", "a", "<a>", "<sip:a@b", '"a <sip:a@b>', '"a" x <sip:a@b>', "a@b <sip:a@b>", "sip:a@b?x=y", "sip:a@b,c",
     "<sip:a@b> tag=t"],
)  # fmt: skip
def test_what_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(UriError):
        parse_name_addr(value)


@given(st.text(), st.sampled_from(["sip:a@b", "sips:a@b;lr", "tel:1"]))
def test_a_display_name_comes_back_as_it_was_and_breaks_out_of_nothing(display: str, uri: str) -> None:
    written = str(NameAddr(display, uri, {"tag": "t"}))
    assert "\r" not in written
    assert "\n" not in written
    read = parse_name_addr(written)
    plain = display.replace("\r", "").replace("\n", "").replace("\0", "")
    assert (read.display, read.uri, read.params) == (plain, uri, {"tag": "t"})


@given(st.lists(st.text('ab"\\<>, ', max_size=6), max_size=4))
def test_a_list_of_quoted_parts_is_split_between_them(texts: list[str]) -> None:
    parts = [quoted(text) for text in texts] or [""]
    assert split_list(", ".join(parts)) == parts
    assert [unquote(part) for part in parts if part] == texts


@pytest.mark.parametrize("value", ['"a,b', "<a,b", '"a\\'])
def test_quotes_and_brackets_that_stay_open_are_refused(value: str) -> None:
    with pytest.raises(UriError):
        split_outside(value, ",")


def test_parameters_that_are_none_are_refused() -> None:
    assert header_params("") == {}
    with pytest.raises(UriError):
        header_params("x")


@pytest.mark.parametrize(
    ("text", "expected"), [("sip:a", True), ("x-y:z", True), ("sip:", False), ("1:a", False), ("a b:c", False)]
)
def test_a_uri_of_any_scheme_has_a_scheme_and_a_rest(text: str, expected: bool) -> None:
    assert is_uri(text) is expected


@pytest.mark.parametrize(("text", "expected"), [("a", ("a", None)), ("a:1", ("a", 1)), ("[::1]:65535", ("::1", 65535))])
def test_a_place_is_host_and_port(text: str, expected: tuple[str, int | None]) -> None:
    assert parse_host_port(text) == expected
