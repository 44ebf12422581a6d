"""Offers and answers made of other parties' descriptions."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony_adapters.sip.offer import (
    CODECS,
    aligned,
    answer_to,
    answering,
    blank_offer,
    common,
    held,
    limited,
    restated,
    same_media,
    with_direction,
)
from telephony_adapters.sip.sdp import DIRECTIONS, PCMA, Codec, Origin, Sdp, SdpError, parse

NOWHERE = "0.0.0.0"  # noqa: S104 -- an address that is said, not bound
OURS = Origin("77", 1, "192.0.2.100")


def described(*sections: str, head: str = "", end: str = "\r\n") -> Sdp:
    """Return a description: sections of lines joined by `|`."""
    lines = ["v=0", "o=alice 1 1 IN IP4 192.0.2.1", "s=call", *head.split("|"), "t=0 0", *"|".join(sections).split("|")]
    return parse((end.join(line for line in lines if line) + end).encode())


AUDIO = (
    "m=audio 4000 RTP/AVP 96 8 0 101|c=IN IP4 192.0.2.1|a=rtpmap:96 opus/48000/2|a=fmtp:96 useinbandfec=1|"
    "a=rtcp-fb:96 nack|a=rtpmap:8 PCMA/8000|a=rtpmap:0 PCMU/8000|a=rtpmap:101 telephone-event/8000|a=fmtp:101 0-15|"
    "a=ptime:20"
)
VIDEO = "m=video 4002 RTP/AVP 97|c=IN IP4 192.0.2.1|a=rtpmap:97 H264/90000"
CUSTOMER = "m=audio 7000 RTP/AVP 0 8 96|c=IN IP4 198.51.100.1|a=rtpmap:96 telephone-event/8000|a=sendrecv"
PHONE = described(AUDIO, VIDEO)
sdps = st.sampled_from([
    PHONE, described(AUDIO), described(VIDEO), described(CUSTOMER), described(VIDEO, CUSTOMER, end="\n"), parse(b"v=0"),
    described(CUSTOMER, head="a=recvonly"), described("m=image 9 udptl t38|c=IN IP4 192.0.2.1"),
    described("m=audio 0 RTP/AVP 0", AUDIO), parse(b"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 2 RTP/AVP 8"),
])  # fmt: skip


def text(sdp: Sdp) -> str:
    return sdp.data.decode()


@pytest.mark.parametrize("head", ["", "a=sendonly"])
@pytest.mark.parametrize("own", ["", "|a=recvonly"])
def test_a_direction_is_said_in_each_stream_and_only_there(head: str, own: str) -> None:
    sdp = with_direction(described(AUDIO + own, CUSTOMER, head=head), "inactive")
    assert [media.direction for media in sdp.media] == ["inactive", "inactive"]
    assert text(sdp).count("a=inactive\r\n") == 2
    assert not any(f"a={other}\r" in text(sdp) for other in DIRECTIONS - {"inactive"})


def test_a_refused_stream_is_left_alone() -> None:
    sdp = with_direction(described(AUDIO, "m=video 0 RTP/AVP 97"), "sendonly")
    assert text(sdp).endswith("a=sendonly\r\nm=video 0 RTP/AVP 97\r\n")


def test_what_is_said_already_changes_nothing() -> None:
    assert with_direction(PHONE, "sendrecv") is PHONE
    with pytest.raises(SdpError, match="'both' is no direction"):
        with_direction(PHONE, "both")


def test_hold_is_inactive_or_sendonly() -> None:
    assert held(PHONE).direction == "inactive"
    assert held(PHONE, "sendonly").direction == "sendonly"
    assert all(held(PHONE, direction).is_held for direction in ("inactive", "sendonly"))


def test_another_partys_description_becomes_ours_by_its_origin() -> None:
    assert text(restated(PHONE, OURS)) == text(PHONE).replace(
        "o=alice 1 1 IN IP4 192.0.2.1", "o=- 77 1 IN IP4 192.0.2.100"
    )
    again = restated(PHONE, OURS.next(), "recvonly")
    assert "o=- 77 2 IN IP4 192.0.2.100\r\n" in text(again)
    assert [media.direction for media in again.media] == ["recvonly", "recvonly"]
    assert text(restated(parse(b"v=0\ns=-\n"), OURS)) == "v=0\no=- 77 1 IN IP4 192.0.2.100\ns=-\n"


def test_a_description_without_a_last_line_end_can_be_changed() -> None:
    sdp = restated(parse(b"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 2 RTP/AVP 8\r\n\r\n\0"), OURS, "inactive")
    assert text(sdp).endswith("m=audio 2 RTP/AVP 8\r\na=inactive\r\n")
    sdp = restated(parse(b"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 2 RTP/AVP 8"), OURS, "inactive")
    assert text(sdp).endswith("m=audio 2 RTP/AVP 8\r\na=inactive\r\n")


def test_common_keeps_what_both_know_under_the_numbers_of_what_is_passed_on() -> None:
    customer = described(CUSTOMER)
    to_customer = common(PHONE, customer)
    assert to_customer.media[0].formats == ("8", "0", "101")
    assert "opus" not in text(to_customer)
    assert "useinbandfec" not in text(to_customer)
    assert "rtcp-fb" not in text(to_customer)
    assert "a=fmtp:101 0-15\r\n" in text(to_customer)
    assert text(to_customer).endswith("m=video 0 RTP/AVP 97\r\n")
    assert common(customer, PHONE) is customer


def test_common_sorts_by_a_given_order() -> None:
    sdp = common(described(CUSTOMER), PHONE, ("pcma", "PCMU", "telephone-event"))
    assert sdp.media[0].formats == ("8", "0", "96")
    assert [codec.name for codec in sdp.media[0].codecs] == ["PCMA", "PCMU", "telephone-event"]


def test_tones_alone_are_no_call() -> None:
    deaf = described("m=audio 2 RTP/AVP 3 101 13|c=IN IP4 192.0.2.1|a=rtpmap:101 telephone-event/8000")
    other = described("m=audio 2 RTP/AVP 0 13 101|c=IN IP4 192.0.2.1|a=rtpmap:101 telephone-event/8000")
    assert text(common(deaf, other)).endswith("m=audio 0 RTP/AVP 3 101 13\r\n")
    assert common(deaf, other).audio is None


def test_the_same_number_for_another_codec_is_not_common() -> None:
    one = described("m=audio 2 RTP/AVP 96 8|c=IN IP4 192.0.2.1|a=rtpmap:96 opus/48000/2")
    other = described("m=audio 2 RTP/AVP 8 96|c=IN IP4 192.0.2.1|a=rtpmap:96 speex/8000")
    assert common(one, other).media[0].formats == ("8",)


def test_what_is_no_rtp_is_common_where_both_have_it() -> None:
    fax = described("m=image 9 udptl t38|c=IN IP4 192.0.2.1")
    assert common(fax, fax) is fax
    assert not common(fax, PHONE).media[0].is_active


def test_a_trunk_takes_its_own_codecs_only() -> None:
    sdp = limited(PHONE, ("PCMU", "pcma", "telephone-event"))
    assert sdp.media[0].formats == ("0", "8", "101")
    assert sdp.media[1].lines == PHONE.media[1].lines
    assert limited(PHONE, ("G729",)).audio is None


@settings(max_examples=60)
@given(sdps, sdps)
def test_laws_of_what_is_common(one: Sdp, other: Sdp) -> None:
    both = common(one, other)
    assert common(both, other) == both
    assert len(both.media) == len(one.media)
    assert parse(both.data) == both
    back = {
        codec.key
        for media in common(other, one).media
        if media.kind == "audio" and media.port
        for codec in media.codecs
    }
    here = {codec.key for media in both.media if media.kind == "audio" and media.port for codec in media.codecs}
    assert here == back


@settings(max_examples=60)
@given(sdps, sdps, st.sampled_from(sorted(DIRECTIONS)), st.booleans())
def test_every_change_can_be_read_again(one: Sdp, other: Sdp, direction: str, exactly: bool) -> None:
    for changed in (restated(one, OURS, direction), aligned(one, other, exactly=exactly), limited(one, ("PCMA",))):
        assert parse(changed.data) == changed
    assert same_media(restated(one, OURS, direction), one)


def test_an_answer_has_the_streams_of_its_offer() -> None:
    offer = described(VIDEO, AUDIO)
    answer = aligned(described(CUSTOMER), offer, exactly=True)
    assert [(media.kind, media.port) for media in answer.media] == [("video", 0), ("audio", 7000)]
    assert aligned(PHONE, described(CUSTOMER), exactly=True).media == PHONE.media[:1]
    assert aligned(PHONE, PHONE, exactly=True) is PHONE


def test_a_later_offer_has_at_least_the_streams_before() -> None:
    assert aligned(PHONE, described(CUSTOMER), exactly=False) is PHONE
    offer = aligned(described(CUSTOMER), PHONE, exactly=False)
    assert [(media.kind, media.port, media.formats) for media in offer.media] == [
        ("audio", 7000, ("0", "8", "96")), ("video", 0, ("97",)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("m=audio 4000", "m=audio 4004"),
        ("192.0.2.1|a=rtpmap:96", "192.0.2.2|a=rtpmap:96"),
        ("RTP/AVP 96 8", "RTP/AVP 8"),
        ("RTP/AVP", "RTP/SAVP"),
        ("0-15", "0-16"),
        ("a=ptime:20", "a=ptime:30"),
        ("a=ptime:20", "a=ptime:20|a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:y"),
        ("telephone-event/8000", "telephone-event/16000"),
    ],
)
def test_media_that_flows_otherwise_is_not_the_same(old: str, new: str) -> None:
    assert old in AUDIO
    assert not same_media(described(AUDIO.replace(old, new)), described(AUDIO))


@pytest.mark.parametrize(
    "other",
    [
        described(AUDIO.replace("96 8 0 101", "8 0 96 101")),
        described(AUDIO + "|a=sendonly|a=ssrc:1 cname:x"),
        described(AUDIO.replace("PCMA", "pcma"), end="\n"),
        restated(described(AUDIO), OURS),
    ],
)
def test_order_direction_and_origin_do_not_matter_to_media(other: Sdp) -> None:
    assert same_media(other, described(AUDIO))


def test_refused_streams_are_the_same_whatever_else_they_say() -> None:
    assert same_media(described(AUDIO, "m=video 0 RTP/AVP 1"), described(AUDIO, "m=video 0 RTP/AVP 2"))
    assert not same_media(described(AUDIO, "m=video 0 RTP/AVP 1"), described(AUDIO))


def test_the_offer_without_an_agent() -> None:
    assert text(blank_offer(OURS, NOWHERE, 9)) == (
        "v=0\r\no=- 77 1 IN IP4 192.0.2.100\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 9 RTP/AVP 8 0 101\r\n"
        "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
        "a=ptime:20\r\na=inactive\r\n"
    )  # fmt: skip
    opus = blank_offer(OURS, "::1", 4000, codecs=[Codec(96, "opus", 48_000, 2)], direction="sendrecv", ptime_ms=40)
    assert text(opus).endswith("m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\na=ptime:40\r\na=sendrecv\r\n")
    assert opus.media[0].host == "::1"


def test_an_answer_of_ours_takes_one_audio_and_refuses_the_rest() -> None:
    secure = "m=audio 2 RTP/SAVP 8|c=IN IP4 192.0.2.1"
    answer = answer_to(described(secure, VIDEO, CUSTOMER, AUDIO), OURS, "203.0.113.5", 6000)
    assert [(media.kind, media.port, media.protocol) for media in answer.media] == [
        ("audio", 0, "RTP/SAVP"), ("video", 0, "RTP/AVP"), ("audio", 6000, "RTP/AVP"), ("audio", 0, "RTP/AVP"),
    ]  # fmt: skip
    audio = answer.audio
    assert audio is not None
    assert (audio.host, audio.formats) == ("203.0.113.5", ("0", "8", "96"))
    assert [codec.name for codec in audio.codecs] == ["PCMU", "PCMA", "telephone-event"]
    assert "a=fmtp:96 0-16\r\n" in text(answer)


@pytest.mark.parametrize(
    "offer", [described(VIDEO), described("m=audio 2 RTP/AVP 3 13|c=IN IP4 192.0.2.1"), parse(b"v=0\r\n")]
)
def test_an_offer_without_anything_for_us_is_an_error(offer: Sdp) -> None:
    with pytest.raises(SdpError, match="no plain audio stream"):
        answer_to(offer, OURS, "203.0.113.5", 6000)


def test_an_answer_keeps_the_offers_times() -> None:
    offer = parse(PHONE.data.replace(b"t=0 0", b"t=1 2"))
    assert "\r\nt=1 2\r\n" in text(answer_to(offer, OURS, "203.0.113.5", 6000, codecs=(PCMA,)))


@pytest.mark.parametrize(
    ("offered", "wanted", "answered"),
    [
        ("sendrecv", "sendrecv", "sendrecv"),
        ("sendonly", "sendrecv", "recvonly"),
        ("recvonly", "sendrecv", "sendonly"),
        ("inactive", "sendrecv", "inactive"),
        ("sendonly", "sendonly", "inactive"),
        ("sendrecv", "sendonly", "sendonly"),
    ],
)
def test_the_direction_of_an_answer_mirrors_the_offer(offered: str, wanted: str, answered: str) -> None:
    sdp = described(CUSTOMER.replace("sendrecv", offered))
    assert answering(sdp.media[0], wanted) == answered
    assert answer_to(sdp, OURS, "203.0.113.5", 6000, direction=wanted).direction == answered


def test_nobody_sends_to_the_zero_address() -> None:
    assert answering(described(CUSTOMER.replace("198.51.100.1", NOWHERE)).media[0], "sendrecv") == "recvonly"


def test_our_answer_suits_our_offer() -> None:
    for direction, codecs in itertools.product(sorted(DIRECTIONS), (CODECS, CODECS[1:])):
        offer = blank_offer(OURS, "192.0.2.1", 4000, codecs=codecs, direction=direction)
        answer = answer_to(offer, OURS, "192.0.2.2", 5000)
        assert [media.formats for media in answer.media] == [media.formats for media in offer.media]
        assert common(offer, answer) is offer
