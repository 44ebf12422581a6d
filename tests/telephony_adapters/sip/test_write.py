"""What is written can be read again."""

from __future__ import annotations

import pytest

from telephony_adapters.sip.message import Message, Via
from telephony_adapters.sip.parse import parse_message
from telephony_adapters.sip.write import PHRASES, phrase, serialize, write_request, write_response
from tests.telephony_adapters.sip.pair import IS_SDP, SDP

HEADERS = [
    ("Via", "SIP/2.0/UDP a;branch=z"), ("From", "<sip:a@b>;tag=t"), ("To", "<sip:c@d>"), ("Call-ID", "i"),
    ("CSeq", "1 OPTIONS"), ("Subject", "\xe9\udcff"),
]  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [write_request("OPTIONS", "sip:c@d", [*HEADERS, IS_SDP], SDP), write_response(404, phrase(404), HEADERS)],
    ids=["request", "response"],
)
def test_a_message_that_was_read_is_written_as_it_was(data: bytes) -> None:
    assert serialize(parse_message(data)) == data


def test_the_length_that_is_written_is_the_bodys() -> None:
    message = parse_message(write_request("OPTIONS", "sip:c@d", HEADERS, b"ab"))
    message.body = b"longer"
    assert serialize(message).endswith(b"Content-Length: 6\r\n\r\nlonger")


def test_what_is_neither_request_nor_response_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="neither"):
        serialize(Message([], b"", Via("UDP", "a", None, {}), "", "", "i", 1, "OPTIONS", {}))


def test_phrases() -> None:
    assert phrase(486) == "Busy Here"
    assert phrase(499) == "Unknown"
    assert all(100 <= status < 700 and text.isascii() for status, text in PHRASES.items())
