"""Session descriptions are read leniently and go out as they came in."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony_adapters.sip.sdp import PCMA, STATIC, TELEPHONE_EVENT, Codec, Origin, SdpError, parse

PHONE = b"""v=0\r
o=- 3961 7 IN IP4 192.0.2.10\r
s=baresip\r
c=IN IP4 192.0.2.10/127\r
t=0 0\r
a=tool:x\r
m=audio 4000 RTP/AVP 96 8 0 101\r
a=rtpmap:96 opus/48000/2\r
a=fmtp:96 useinbandfec=1\r
a=rtpmap:8 PCMA/8000\r
a=rtpmap:101 telephone-event/8000\r
a=fmtp:101 0-15\r
a=sendonly\r
m=video 0 RTP/AVP 97\r
a=rtpmap:97 H264/90000\r
m=audio 5000/2 RTP/SAVP 0\r
c=IN IP6 2001:db8::1\r
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r
"""
LINES = PHONE.splitlines(keepends=True)


def test_each_stream_is_read_with_its_address_direction_and_codecs() -> None:
    audio, video, second = parse(PHONE).media
    assert (audio.kind, audio.port, audio.host, audio.direction, audio.protocol) == (
        "audio", 4000, "192.0.2.10", "sendonly", "RTP/AVP",
    )  # fmt: skip
    assert audio.codecs == (
        Codec(96, "opus", 48_000, 2, "useinbandfec=1"), PCMA, STATIC[0], TELEPHONE_EVENT._replace(fmtp="0-15"),
    )  # fmt: skip
    assert (video.is_active, video.kind, video.formats) == (False, "video", ("97",))
    assert (second.host, second.port, second.direction) == ("2001:db8::1", 5000, "sendrecv")


def test_a_codec_is_the_same_under_any_number() -> None:
    assert Codec(96, "PCMa").key == PCMA.key != Codec(96, "PCMA", 16_000).key
    assert TELEPHONE_EVENT.is_dynamic
    assert not PCMA.is_dynamic


def test_payload_types_that_need_no_rtpmap_are_those_of_rfc_3551() -> None:
    """Section 6, tables 4 and 5; G722 says 8000 though it samples at 16,000 (section 4.5.2)."""
    assert " ".join(f"{codec.payload}:{codec.name}/{codec.rate}/{codec.channels}" for codec in STATIC.values()) == (
        "0:PCMU/8000/1 3:GSM/8000/1 4:G723/8000/1 5:DVI4/8000/1 6:DVI4/16000/1 7:LPC/8000/1 8:PCMA/8000/1 "
        "9:G722/8000/1 10:L16/44100/2 11:L16/44100/1 12:QCELP/8000/1 13:CN/8000/1 14:MPA/90000/1 15:G728/8000/1 "
        "16:DVI4/11025/1 17:DVI4/22050/1 18:G729/8000/1 26:JPEG/90000/1 31:H261/90000/1 32:MPV/90000/1 "
        "33:MP2T/90000/1 34:H263/90000/1"
    )
    assert all(payload == codec.payload for payload, codec in STATIC.items())


def test_the_whole_speaks_of_its_first_audio_in_use() -> None:
    sdp = parse(PHONE)
    assert sdp.audio is sdp.media[0]
    assert sdp.direction == "sendonly"
    assert parse(b"v=0\r\nm=audio 0 RTP/AVP 0\r\n").audio is None
    assert parse(b"v=0\r\n").direction == "inactive"


@pytest.mark.parametrize(
    ("attributes", "is_held"),
    [
        (b"c=IN IP4 192.0.2.1\r\na=sendrecv\r\n", False),
        (b"c=IN IP4 192.0.2.1\r\na=recvonly\r\n", False),
        (b"c=IN IP4 192.0.2.1\r\na=sendonly\r\n", True),
        (b"c=IN IP4 192.0.2.1\r\na=inactive\r\n", True),
        (b"c=IN IP4 0.0.0.0\r\n", True),
        (b"c=IN IP6 ::\r\n", True),
        (b"c=IN IP4 192.0.2.1\r\na=inactive\r\nm=audio 3 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n", False),
        (b"c=IN IP4 192.0.2.1\r\na=inactive\r\nm=video 3 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n", True),
    ],
)
def test_hold_is_a_direction_or_the_old_zero_address(attributes: bytes, is_held: bool) -> None:
    assert parse(b"v=0\r\nm=audio 2 RTP/AVP 0\r\n" + attributes).is_held is is_held


def test_without_audio_nothing_is_held() -> None:
    assert not parse(b"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 0\r\na=inactive\r\n").is_held


def test_the_session_speaks_for_streams_that_say_nothing() -> None:
    body = b"v=0\nc=IN IP4 192.0.2.1\na=recvonly\nm=audio 2 RTP/AVP 8\nm=audio 4 RTP/AVP 8\na=inactive\n"
    sdp = parse(body)
    assert [(media.host, media.direction) for media in sdp.media] == [
        ("192.0.2.1", "recvonly"),
        ("192.0.2.1", "inactive"),
    ]
    assert (sdp.data, sdp.end) == (body, "\n")


@settings(max_examples=80)
@given(
    st.lists(
        st.sampled_from([*LINES[1:], *(line.replace(b"\r", b"") for line in LINES[1:]), b"\r\n", b"\0\r\n"]),
        max_size=25,
    )
)
def test_what_was_read_goes_out_byte_for_byte(lines: list[bytes]) -> None:
    body = b"v=0\r\nc=IN IP4 192.0.2.1\r\n" + b"".join(lines)
    assert parse(body).data == body


@settings(max_examples=80)
@given(st.binary(max_size=60), st.integers(0, len(PHONE)), st.integers(0, len(PHONE)))
def test_nothing_breaks_the_reader(noise: bytes, start: int, end: int) -> None:
    body = PHONE[:start] + noise + PHONE[end:]
    with contextlib.suppress(SdpError):
        assert parse(body).data == body


@pytest.mark.parametrize(
    "line", [b"s=Gi\xe1\xbb\x8d ng\r\n", b"s=\xff\xfe latin\r\n", b"s=a\x0bb\x85\r\n", b"\r\n", b"a=\r\n"]
)
def test_bytes_of_any_kind_survive(line: bytes) -> None:
    body = b"v=0\r\n" + line + b"m=audio 0 RTP/AVP 0"
    assert parse(body).data == body
    assert len(parse(body).media) == 1


@pytest.mark.parametrize(
    "rtpmap", [b"101", b"101 ", b"101 x", b"101 /8000", b"101 x/y", b"101 x/0", b"101 x/8000/y", b"x x/1"]
)
def test_an_rtpmap_that_cannot_be_read_harms_only_itself(rtpmap: bytes) -> None:
    body = b"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 2 RTP/AVP 101 8 08 x 99999999999\r\na=rtpmap:" + rtpmap + b"\r\n"
    assert parse(body).media[0].codecs == (PCMA,)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "line 1: a session description begins with v=0"),
        (b"o=x\r\nv=0\r\n", "line 1"),
        (b"v=0\r\nnonsense\r\n", "line 2: not of the form"),
        (b"v=0\r\nc=IN IP4\r\n", "line 2: c= needs"),
        (b"v=0\r\nm=audio\r\n", "line 2: m= needs"),
        (b"v=0\r\nm=\r\n", "line 2: m= needs"),
        (b"v=0\r\nm=audio x RTP/AVP 0\r\n", "line 2: m= needs"),
        (b"v=0\r\nm=audio -1 RTP/AVP 0\r\n", "line 2: m= needs"),
        (b"v=0\r\nm=audio 65536 RTP/AVP 0\r\n", "line 2: m= needs"),
        (b"v=0\r\ns=-\r\nm=audio 2 RTP/AVP 0\r\n", "line 3: m= has no address"),
        (b"v=0\r\nc=IN IP4 h\r\nm=audio 2 RTP/AVP\r\n", "line 3: m= has 0 formats"),
        (b"v=0\r\nm=audio 0 RTP/AVP" + b" 0" * 65 + b"\r\n", "line 2: m= has 65 formats"),
        (b"v=0\r\n" + b"m=audio 0 RTP/AVP 0\r\n" * 17, "17 m= lines"),
        (b"v=0\r\n" + b"a=x\r\n" * 1000, "1001 lines"),
        (b"v=0\r\na=" + b"x" * 65_536, "65543 bytes"),
    ],
)
def test_an_error_says_what_and_where(body: bytes, reason: str) -> None:
    with pytest.raises(SdpError, match=reason):
        parse(body)


def test_an_origin_grows() -> None:
    origin = Origin("42", 1, "2001:db8::1", "dialer")
    assert str(origin) == "dialer 42 1 IN IP6 2001:db8::1"
    assert str(origin.next()) == "dialer 42 2 IN IP6 2001:db8::1"
    assert str(Origin("42", 1, "192.0.2.1")) == "- 42 1 IN IP4 192.0.2.1"
