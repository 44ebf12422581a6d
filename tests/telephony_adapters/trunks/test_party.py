from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.sdp import parse
from telephony_adapters.trunks.party import Media, Party, SdpError, alike, direction_of, is_held, session_id

MEDIA = Media("192.0.2.1", 4000)


def sdp(port: int = 5000, formats: str = "8 0", direction: str = "sendrecv", more: str = "") -> bytes:
    return (
        "v=0\r\no=- 7 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {formats}\r\na={direction}\r\n{more}"
    ).encode()


def party(heard: bytes | None = None, said: bytes | None = None) -> Party:
    one = Party(None, MEDIA, "0000000042")
    one.leg = Leg("call", Flow("udp", "192.0.2.9", 5060), is_caller=True, local_tag="t")
    one.leg.remote_sdp, one.leg.local_sdp = heard, said
    return one


def test_a_first_offer_names_our_address_and_no_agent() -> None:
    one = Party(None, MEDIA, session_id("c1"))
    assert one.heard is None
    offer = parse(one.first_offer("sendrecv"))
    assert offer.audio is not None
    assert (offer.audio.host, offer.audio.port, offer.audio.direction) == ("192.0.2.1", 4000, "sendrecv")
    assert f"o=- {session_id('c1')} 1 IN IP4 192.0.2.1\r\n" in offer.head
    assert direction_of(one.first_offer("inactive")) == "inactive"


def test_an_offer_of_the_other_ones_media_is_ours_by_its_origin_and_cut_to_what_both_know() -> None:
    one = party(heard=sdp(formats="0"), said=sdp())
    offer = parse(one.offer_of(sdp(port=6000, formats="8 0", direction="inactive")))
    assert offer.audio is not None
    assert (offer.audio.port, offer.audio.formats, offer.audio.direction) == (6000, ("0",), "sendrecv")
    assert "o=- 0000000042 2 IN IP4 192.0.2.1\r\n" in offer.head


def test_without_a_codec_in_common_there_is_no_offer() -> None:
    with pytest.raises(SdpError, match="no codec"):
        party(heard=sdp(formats="18")).offer_of(sdp(formats="8"))


def test_each_change_has_the_next_version() -> None:
    one = party(heard=sdp(), said=sdp())
    said = [one.silence("inactive"), one.pass_on(sdp()), one.offer_of(sdp()), one.answer_alone(sdp(), "sendrecv")]
    assert [line.split()[2] for each in said for line in parse(each).head if line[:2] == "o="] == ["2", "3", "4", "5"]


def test_a_change_is_passed_on_as_it_is_and_its_answer_has_the_streams_of_its_offer() -> None:
    video = "m=video 5002 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n"
    offer = sdp(direction="sendonly", more=video)
    passed = parse(party(said=sdp()).pass_on(offer))
    assert [(media.kind, media.direction) for media in passed.media] == [("audio", "sendonly"), ("video", "sendrecv")]
    answer = parse(party(said=sdp()).answer_with(sdp(direction="recvonly"), offer))
    assert [(media.kind, media.port) for media in answer.media] == [("audio", 5000), ("video", 0)]


def test_an_answer_of_our_own_takes_what_it_can() -> None:
    answer = parse(party().answer_alone(sdp(direction="sendonly"), "sendrecv"))
    assert answer.audio is not None
    assert (answer.audio.port, answer.audio.direction) == (4000, "recvonly")
    with pytest.raises(SdpError):
        party().answer_alone(sdp(formats="18"), "inactive")


def test_silence_keeps_the_streams_in_their_places() -> None:
    said = sdp(more="m=video 0 RTP/AVP 99\r\n")
    silence = parse(party(said=said).silence("inactive"))
    assert [(media.kind, media.port) for media in silence.media] == [("audio", 4000), ("video", 0)]


def test_what_is_alike_and_who_holds() -> None:
    assert alike(sdp(), sdp(direction="inactive"))
    assert not alike(sdp(), sdp(port=5002))
    assert [is_held(sdp(direction=one)) for one in ("sendrecv", "recvonly", "sendonly", "inactive")] == [
        False, False, True, True,
    ]  # fmt: skip


@given(st.text())
def test_any_text_gives_a_session_id(text: str) -> None:
    assert session_id(text).isdigit()
    assert len(session_id(text)) == 10
