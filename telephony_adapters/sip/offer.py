"""Offers and answers made of other parties' descriptions, and a few of our own (RFC 3264)."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from telephony_adapters.sip.sdp import (
    DIRECTIONS,
    NO_ADDRESS,
    PCMA,
    PCMU,
    TELEPHONE_EVENT,
    Codec,
    Media,
    Origin,
    Sdp,
    SdpError,
    network,
    refused,
)

CODECS: Final = (PCMA, PCMU, TELEPHONE_EVENT)
"""What we offer and answer with, the best first."""
PTIME_MS: Final = 20
"""Length of a packet in what we offer."""

_HELPERS = frozenset({"telephone-event", "cn"})
"""Payloads that carry no speech by themselves."""
_KEYING = frozenset({
    "a=candidate", "a=crypto", "a=fingerprint", "a=ice-pwd", "a=ice-ufrag",
    "a=ptime", "a=rtcp", "a=rtcp-mux", "a=setup",
})  # fmt: skip
"""Attributes that change how or where media is sent."""
_OF_PAYLOADS = frozenset({"a=rtpmap", "a=fmtp", "a=rtcp-fb"})
_PLAIN_RTP = frozenset({"RTP/AVP", "RTP/AVPF"})
_SENDS = {"sendrecv": (True, True), "sendonly": (True, False), "recvonly": (False, True), "inactive": (False, False)}
_DIRECTION = {does: name for name, does in _SENDS.items()}


def with_direction(sdp: Sdp, direction: str) -> Sdp:
    """Return the description with this direction on every stream in use (RFC 3264 section 5.1).

    It stands in each stream's section: many phones look nowhere else.
    """
    if direction not in DIRECTIONS:
        raise SdpError(f"{direction!r} is no direction: use one of {', '.join(sorted(DIRECTIONS))}")
    if all(media.direction == direction for media in sdp.media if media.port):
        return sdp
    head = tuple(_without_direction(_ended(sdp.head, sdp.end)))
    return Sdp(head, tuple(_directed(media, direction, sdp.end) for media in sdp.media))


def held(sdp: Sdp, direction: str = "inactive") -> Sdp:
    """Return the description that holds the call: nobody sends, or `sendonly` (RFC 3264 section 8.4)."""
    return with_direction(sdp, direction)


def restated(sdp: Sdp, origin: Origin, direction: str = "") -> Sdp:
    """Return another party's description as our own: our o= line, and a direction if given (RFC 3725 section 4).

    Each change of what we said in a dialog takes `origin.next()`.
    """
    rest = [line for line in _ended(sdp.head, sdp.end) if line[:2] != "o="]
    ours = Sdp((*rest[:1], f"o={origin}{sdp.end}", *rest[1:]), sdp.media)
    return with_direction(ours, direction) if direction else ours


def common(sdp: Sdp, other: Sdp, order: Sequence[str] = ()) -> Sdp:
    """Return the description with those payload types only that the other one knows too (RFC 3264 section 6.1).

    They are the same by encoding name, clock rate and channels. Numbers stay those of `sdp`: its owner receives by
    them. `order`: encoding names, the best first. A stream without speech in common is refused.
    """
    known: dict[str, set[tuple[str, int, int]]] = {}
    for media in other.media:
        if media.port:
            known.setdefault(media.kind, {codec.key for codec in media.codecs})
    return _changed(sdp, [_kept(media, known.get(media.kind), order, sdp.end) for media in sdp.media])


def limited(sdp: Sdp, names: Sequence[str]) -> Sdp:
    """Return the description with these encoding names only in its audio, in this order: a trunk's codecs."""
    wanted = {name.lower() for name in names}
    keys = {codec.key for media in sdp.media for codec in media.codecs if codec.name.lower() in wanted}
    return _changed(
        sdp, [_kept(media, keys, names, sdp.end) if media.kind == "audio" else media for media in sdp.media]
    )


def aligned(sdp: Sdp, before: Sdp, *, exactly: bool) -> Sdp:
    """Return the description with its streams in the places of those of `before`; those it lacks are refused.

    An answer has exactly the streams of its offer, an offer at least those said before (RFC 3264 sections 6 and 8).
    """
    rest = list(sdp.media)
    found: list[Media] = []
    for place in before.media:
        suited = next((media for media in rest if media.kind == place.kind), None)
        if suited:
            rest.remove(suited)
        found.append(suited or _refused(place, sdp.end))
    return _changed(sdp, found if exactly else found + rest)


def same_media(one: Sdp, other: Sdp) -> bool:
    """Tell whether media flows alike by both: addresses, ports, payloads, keys; whatever their order and direction.

    If so, nobody need be told again (RFC 3264 section 8); `direction` is compared apart.
    """
    return _keys(one.head) == _keys(other.head) and [*map(_shape, one.media)] == [*map(_shape, other.media)]


def blank_offer(
    origin: Origin, host: str, port: int, *,
    codecs: Sequence[Codec] = CODECS, direction: str = "inactive", ptime_ms: int = PTIME_MS,
) -> Sdp:  # fmt: skip
    """Return an offer of ours with one audio stream, for when no agent is known yet (RFC 3725 section 4.4)."""
    stream = _stream(codecs, host=host, port=port, direction=direction, ptime_ms=ptime_ms)
    return Sdp(_head(origin, host, "0 0"), (stream,))


def answer_to(
    offer: Sdp, origin: Origin, host: str, port: int, *,
    codecs: Sequence[Codec] = CODECS, direction: str = "sendrecv", ptime_ms: int = PTIME_MS,
) -> Sdp:  # fmt: skip
    """Return our answer: the first plain audio stream with a codec of ours is taken, the others are refused.

    Order and numbers are the offer's (RFC 3264 section 6.1). Raise SdpError when nothing can be taken: 488.
    """
    wanted = {codec.key: codec.fmtp for codec in codecs}
    times = next((line[2:].strip() for line in offer.head if line[:2] == "t="), "0 0")
    streams: list[Media] = []
    taken = False
    for media in offer.media:
        ours = [codec._replace(fmtp=wanted[codec.key]) for codec in media.codecs if codec.key in wanted]
        if taken or media.kind != "audio" or media.protocol not in _PLAIN_RTP or not _speaks(ours):
            streams.append(_refused(media, "\r\n"))
            continue
        taken = True
        ways = answering(media, direction)
        streams.append(_stream(ours, host=host, port=port, direction=ways, ptime_ms=ptime_ms, protocol=media.protocol))
    if not taken:
        raise SdpError("the offer has no plain audio stream with a codec of ours")
    return Sdp(_head(origin, host, times), tuple(streams))


def answering(offered: Media, wanted: str) -> str:
    """Return the direction of an answer: what we want, as far as the offer goes along (RFC 3264 section 6.1)."""
    sends, receives = _SENDS[offered.direction]
    we_send, we_receive = _SENDS[wanted]
    return _DIRECTION[we_send and receives and offered.host not in NO_ADDRESS, we_receive and sends]


def _changed(sdp: Sdp, streams: Sequence[Media]) -> Sdp:
    """Return the description with these streams; itself where they are its own."""
    if len(streams) == len(sdp.media) and all(map(operator.is_, streams, sdp.media)):
        return sdp
    return Sdp(tuple(_ended(sdp.head, sdp.end)), tuple(_followed(media, sdp.end) for media in streams))


def _followed(media: Media, end: str) -> Media:
    """Return a stream that another may follow: only the last line of a description may lack its end."""
    is_ended = media.lines[-1].endswith("\n")
    return media if is_ended else msgspec.structs.replace(media, lines=tuple(_ended(media.lines, end)))


def _directed(media: Media, direction: str, end: str) -> Media:
    if not media.port:
        return _followed(media, end)
    lines = (*_without_direction(_ended(media.lines, end)), f"a={direction}{end}")
    return msgspec.structs.replace(media, lines=lines, direction=direction)


def _kept(media: Media, keys: set[tuple[str, int, int]] | None, order: Sequence[str], end: str) -> Media:
    """Return a stream with those codecs only, in that order; what is no RTP is kept where the kind is known."""
    if not media.port or (keys is not None and not media.codecs):
        return media
    kept = [codec for codec in media.codecs if codec.key in (keys or ())]
    if not _speaks(kept):
        return _refused(media, end)
    if order:
        rank = {name.lower(): place for place, name in enumerate(order)}
        kept.sort(key=lambda codec: rank.get(codec.name.lower(), len(rank)))
    payloads = tuple(str(codec.payload) for codec in kept)
    if payloads == media.formats:
        return media
    gone = set(media.formats) - set(payloads)
    rest = [line for line in media.lines[1:] if _payload(line) not in gone]
    lines = (_first(media, payloads, end), *rest)
    return msgspec.structs.replace(media, lines=lines, formats=payloads, codecs=tuple(kept))


def _payload(line: str) -> str | None:
    """Return the payload type that an attribute is about."""
    name, _, value = line.partition(":")
    return next(iter(value.split(maxsplit=1)), None) if name in _OF_PAYLOADS else None


def _first(media: Media, formats: Iterable[str], end: str, port: str = "") -> str:
    kind, before, *_ = media.lines[0][2:].split()
    return f"m={kind} {port or before} {media.protocol} {' '.join(formats)}{end}"


def _refused(media: Media, end: str) -> Media:
    """Return the stream, refused (RFC 3264 section 6)."""
    formats = media.formats or ("0",)
    return refused((_first(media, formats, end, port="0"),), media.kind, media.protocol, formats)


def _speaks(codecs: Iterable[Codec]) -> bool:
    return any(codec.name.lower() not in _HELPERS for codec in codecs)


def _ended(lines: Iterable[str], end: str) -> list[str]:
    """Return lines that others may follow: each with an end, none blank."""
    return [line if line.endswith("\n") else line + end for line in lines if line.strip(" \t\r\n\0")]


def _without_direction(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if line[:2] != "a=" or line[2:].rstrip() not in DIRECTIONS]


def _shape(media: Media) -> tuple[object, ...]:
    if not media.port:
        return (media.kind, 0)
    codecs = frozenset((codec.payload, codec.key, codec.fmtp) for codec in media.codecs)
    return (media.kind, media.port, media.protocol, media.host, frozenset(media.formats), codecs, _keys(media.lines))


def _keys(lines: Iterable[str]) -> frozenset[str]:
    return frozenset(line.rstrip() for line in lines if line.partition(":")[0].rstrip() in _KEYING)


def _head(origin: Origin, host: str, times: str) -> tuple[str, ...]:
    return ("v=0\r\n", f"o={origin}\r\n", "s=-\r\n", f"c={network(host)}\r\n", f"t={times}\r\n")


def _stream(
    codecs: Sequence[Codec], *, host: str, port: int, direction: str, ptime_ms: int, protocol: str = "RTP/AVP"
) -> Media:
    """Return one audio stream of ours."""
    formats = tuple(str(codec.payload) for codec in codecs)
    lines = [f"m=audio {port} {protocol} {' '.join(formats)}"]
    for codec in codecs:
        channels = f"/{codec.channels}" if codec.channels > 1 else ""
        lines.append(f"a=rtpmap:{codec.payload} {codec.name}/{codec.rate}{channels}")
        if codec.fmtp:
            lines.append(f"a=fmtp:{codec.payload} {codec.fmtp}")
    lines += (f"a=ptime:{ptime_ms}", f"a={direction}")
    ended = tuple(f"{line}\r\n" for line in lines)
    return Media(ended, "audio", port, protocol, formats, host, direction, tuple(codecs))
