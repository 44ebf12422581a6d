"""Whole messages out of streams, however the network cuts them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony_adapters.sip.framing import PING, PONG, FramingError, StreamFramer

OPTIONS = b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\n"


def message(body: bytes = b"", name: bytes = b"Content-Length", separator: bytes = b": ") -> bytes:
    return OPTIONS + name + separator + b"%d\r\n" % len(body) + b"X: y\r\n\r\n" + body


MESSAGES = st.builds(
    message,
    st.one_of(st.binary(max_size=30), st.just(b"\r\n\r\n"), st.just(message(b"x"))),
    st.sampled_from([b"Content-Length", b"l", b"L", b"CONTENT-length"]),
    st.sampled_from([b":", b": ", b" \t: \t", b":\r\n ", b": \r\n\t "]),
)
BROKEN = st.sampled_from(
    [b"GET / HTTP/1.1\r\n\r\n", OPTIONS + b"l: x\r\n\r\n", b"\rA", message().replace(b": 0", b": -1")]
)


def fed(framer: StreamFramer, chunks: list[bytes]) -> list[bytes | str]:
    """Return the frames, and the error if the stream broke."""
    found: list[bytes | str] = []
    for chunk in chunks:
        try:
            found += framer.feed(chunk)
        except FramingError as error:
            return [*found, *error.frames, str(error)]
    return found


@settings(max_examples=80)
@given(st.lists(st.one_of(MESSAGES, st.just(PING), st.just(PONG)), max_size=5), BROKEN, st.data())
def test_any_cutting_gives_the_same_messages(parts: list[bytes], broken: bytes, data: st.DataObject) -> None:
    stream = b"".join(parts) + broken
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = fed(StreamFramer(), [stream])
    assert fed(StreamFramer(), chunks) == whole == fed(StreamFramer(), [bytes([byte]) for byte in stream])
    assert [part for part in parts if part not in (PING, PONG)] == [
        part for part in whole[:-1] if part not in (PING, PONG)
    ]
    assert isinstance(whole[-1], str)


def test_a_ping_is_two_line_ends_in_a_row_before_a_message() -> None:
    framer = StreamFramer()
    assert framer.feed(b"\r\n\r\n") == [PONG, PING]
    assert framer.feed(b"\r\n") == [PONG]
    assert framer.feed(message() + b"\r\n\r\n\r\n") == [message(), PONG, PING, PONG]
    assert framer.pending == 0


def test_what_is_not_whole_waits() -> None:
    framer = StreamFramer()
    assert framer.feed(message(b"body")[:-1]) == []
    assert framer.pending == len(message(b"body")) - 1
    assert framer.feed(b"y" + message()) == [message(b"body"), message()]


def test_the_length_may_be_said_twice_alike() -> None:
    twice = OPTIONS + b"Content-Length: 0000000002\r\nl:0000000002\r\n\r\nab"
    assert StreamFramer().feed(twice) == [twice]


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (OPTIONS + b"\r\n", "missing"),
        (OPTIONS + b"X-Content-Length: 3\r\n\r\n", "missing"),
        (OPTIONS + b"l: 1\r\nContent-Length: 2\r\n\r\n", "twice"),
        (OPTIONS + b"l: \r\n\r\n", "not a number"),
        (OPTIONS + b"l: 1 2\r\n\r\n", "not a number"),
        (OPTIONS + b"l: +1\r\n\r\n", "not a number"),
        (OPTIONS + b"l: 1\rx\r\n\r\n", "missing"),
        (OPTIONS + b"l: 00000000001\r\n\r\n", "not a number"),
        (OPTIONS + b"l: 262145\r\n\r\n", "more than the 262144 bytes that are allowed"),
        (b"x" * 65_537, "head of a message is longer than 65536"),
        (OPTIONS + b"X: " + b"x" * 65_536 + b"\r\nl: 0\r\n\r\n", "head of a message is longer"),
        (b"\r\r", "carriage return"),
    ],
)
def test_what_cannot_be_framed_is_said(stream: bytes, reason: str) -> None:
    with pytest.raises(FramingError, match=reason) as caught:
        StreamFramer().feed(message(b"ok") + stream)
    assert caught.value.frames == [message(b"ok")]


def test_the_limits_can_be_set() -> None:
    assert StreamFramer(head_max=len(message()), body_max=0).feed(message()) == [message()]
    with pytest.raises(FramingError, match="longer than 20"):
        StreamFramer(head_max=20).feed(message())
    with pytest.raises(FramingError, match="more than the 3 bytes"):
        StreamFramer(body_max=3).feed(message(b"1234"))


def test_a_long_message_may_come_byte_by_byte() -> None:
    """Reading all again at each byte would be 10 billion steps here, and the test's time limit is two minutes."""
    long = OPTIONS + b"X: " + b"x" * 60_000 + b"\r\nl: 40000\r\n\r\n" + b"b" * 40_000
    framer = StreamFramer()
    frames = [frame for byte in long for frame in framer.feed(bytes([byte]))]
    assert frames == [long]


def test_many_messages_may_come_at_once() -> None:
    assert len(StreamFramer().feed(message(b"x" * 50) * 5000)) == 5000
