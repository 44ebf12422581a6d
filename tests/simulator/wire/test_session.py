from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.wire.session import answer, audio, is_heard, own_offer, payload_type
from tests.simulator.wire.callers import sdp

HERE = {"host": "192.0.2.2", "port": 40_000}


def answered(offer: bytes, **how: object) -> str:
    found = answer(offer, **(HERE | how))  # type: ignore[arg-type]
    assert found is not None
    return found.decode()


def test_an_answer_takes_the_callers_codecs_and_names_the_callees_port() -> None:
    text = answered(sdp(formats="18 8 101"))
    assert "m=audio 40000 RTP/AVP 8 101\r\n" in text
    assert "c=IN IP4 192.0.2.2\r\n" in text
    assert "a=sendrecv\r\n" in text


@pytest.mark.parametrize(
    ("offered", "back"),
    [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")],
)
def test_an_answer_mirrors_the_direction(offered: str, back: str) -> None:
    assert f"a={back}\r\n" in answered(sdp(offered))
    assert "a=inactive\r\n" in answered(sdp(offered), held=True)


def test_other_streams_are_refused_in_their_places() -> None:
    text = answered(sdp() + b"m=video 5000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n")
    assert text.index("m=audio 40000") < text.index("m=video 0 ")


@pytest.mark.parametrize("offer", [sdp(formats="18"), b"", b"nonsense", b"v=0\r\n", sdp(port=0)])
def test_what_cannot_be_taken_is_not_answered(offer: bytes) -> None:
    assert answer(offer, host="192.0.2.2", port=40_000) is None


def test_who_described_the_session_makes_no_difference() -> None:
    other = sdp().replace(b"o=- 1 1", b"o=bob 77 3")
    assert answered(sdp()) == answered(other)
    assert answered(sdp(), version=2) != answered(sdp(), version=1)


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (sdp(), True),
        (sdp("sendonly"), True),
        (sdp("recvonly"), False),
        (sdp("inactive"), False),
        (sdp(port=0), False),
        (sdp(port=9), False),
        (sdp().replace(b"c=IN IP4 192.0.2.1", b"c=IN IP4 0.0.0.0"), False),
        (b"nonsense", False),
        (None, False),
    ],
)
def test_a_callee_hears_who_sends_from_somewhere(said: bytes | None, heard: bool) -> None:
    assert is_heard(said) is heard


def test_the_codec_is_the_first_kind_of_g711() -> None:
    assert payload_type(sdp(formats="18 8 0")) == 8
    assert payload_type(sdp(formats="0 8")) == 0
    assert payload_type(sdp(formats="18")) == 0
    assert payload_type(None) == 0


def test_an_offer_of_the_callees_own_can_put_the_caller_on_hold() -> None:
    assert is_heard(own_offer(**HERE))  # type: ignore[arg-type]
    held = audio(own_offer(**HERE, held=True))  # type: ignore[arg-type]
    assert held is not None
    assert held.direction == "sendonly"
    assert b"IN IP6 2001:db8::1" in own_offer(host="2001:db8::1", port=40_000)


@given(st.binary(max_size=300) | st.binary(max_size=50).map(lambda more: sdp() + more))
def test_any_bytes_are_answered_or_not_and_never_fail(offer: bytes) -> None:
    found = answer(offer, host="192.0.2.2", port=40_000)
    assert found is None or b"m=audio 40000" in found
    assert is_heard(offer) in {True, False}
