"""Headers of a message by any spelling, in order, lists split (RFC 3261 section 7.3.1)."""

from __future__ import annotations

import pytest

from telephony_adapters.sip.message import Message, Via
from telephony_adapters.sip.parse import parse_message

MESSAGE = (
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z\r\n"
    b"v: SIP/2.0/TCP b;branch=y, SIP/2.0/UDP c\r\nf: <sip:a@b>;tag=t\r\n"
    b'To: <sip:a@b>\r\nCall-ID: i\r\nCSeq: 1 INVITE\r\nSupported: timer\r\nk: 100rel, "x,y"\r\nX-Own: 1, 2\r\n'
    b'Subject: a, b\r\nALLOW: INVITE,Bye , UPDATE\r\nRequire: "open, x\r\n\r\n'
)


@pytest.fixture
def message() -> Message:
    return parse_message(MESSAGE)


@pytest.mark.parametrize("name", ["Supported", "supported", "SUPPORTED", "k", "K"])
def test_a_header_is_found_by_any_spelling(message: Message, name: str) -> None:
    assert message.get(name) == "timer"
    assert message.all(name) == ["timer", "100rel", '"x,y"']


def test_what_is_not_there_is_none_and_no_values(message: Message) -> None:
    assert message.get("Contact") is None
    assert message.all("m") == []
    assert message.all("X-Nothing") == []


def test_only_lists_are_split(message: Message) -> None:
    assert message.all("Subject") == ["a, b"]
    assert message.all("x-own") == []
    assert message.all("X-Own") == ["1, 2"]
    assert len(message.all("Via")) == 3


def test_a_list_whose_quotes_stay_open_is_left_whole(message: Message) -> None:
    assert message.all("Require") == ['"open, x']
    assert not message.has_option("Require", "x")


@pytest.mark.parametrize(
    ("header", "tag", "expected"),
    [
        ("Supported", "100rel", True),
        ("Supported", "TIMER", True),
        ("Supported", "time", False),
        ("Supported", "100", False),
        ("Allow", "UPDATE", True),
        ("Allow", "BYE", True),
        ("Contact", "x", False),
    ],
)
def test_an_option_is_a_whole_word_in_any_case(message: Message, header: str, tag: str, expected: bool) -> None:
    assert message.has_option(header, tag) is expected


def test_the_parts_that_every_layer_needs_are_read_at_once(message: Message) -> None:
    assert (message.from_tag, message.to_tag, message.call_id, message.cseq, message.cseq_method) == (
        "t", "", "i", 1, "INVITE",
    )  # fmt: skip
    assert (message.via.transport, message.via.host, message.via.port, message.via.branch) == ("UDP", "a", None, "z")
    assert Via("UDP", "a", None, {}).branch == ""
