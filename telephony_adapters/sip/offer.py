"""Offers and answers made of other parties' descriptions, and a few of our own (RFC 3264)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

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
    structured,
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
    lines = _without_direction(_ended(sdp.head, sdp.end))
    for media in sdp.media:
        section = _ended(media.lines, sdp.end)
        lines += [*_without_direction(section), f"a={direction}{sdp.end}"] if media.port else section
    return structured(lines)


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
    return _each(sdp, lambda media: _kept(media, known.get(media.kind), order, sdp.end))


def limited(sdp: Sdp, names: Sequence[str]) -> Sdp:
    """Return the description with these encoding names only in its audio, in this order: a trunk's codecs."""
    wanted = {name.lower() for name in names}

    def choose(media: Media) -> Sequence[str]:
        if media.kind != "audio":
            return media.lines
        return _kept(media, {codec.key for codec in media.codecs if codec.name.lower() in wanted}, names, sdp.end)

    return _each(sdp, choose)


def aligned(sdp: Sdp, before: Sdp, *, exactly: bool) -> Sdp:
    """Return the description with its streams in the places of those of `before`; those it lacks are refused.

    An answer has exactly the streams of its offer, an offer at least those said before (RFC 3264 sections 6 and 8).
    """
    rest = list(sdp.media)
    sections: list[Sequence[str]] = []
    for place in before.media:
        found = next((media for media in rest if media.kind == place.kind), None)
        if found:
            rest.remove(found)
        sections.append(found.lines if found else _refused(place, sdp.end))
    if not exactly:
        sections += [media.lines for media in rest]
    if sections == [media.lines for media in sdp.media]:
        return sdp
    return structured([*_ended(sdp.head, sdp.end), *(line for section in sections for line in section)])


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
    offered = " ".join(str(codec.payload) for codec in codecs)
    section = [f"m=audio {port} RTP/AVP {offered}\r\n", *_described(codecs, direction, ptime_ms)]
    return structured([*_head(origin, host, "0 0"), *section])


def answer_to(
    offer: Sdp, origin: Origin, host: str, port: int, *,
    codecs: Sequence[Codec] = CODECS, direction: str = "sendrecv", ptime_ms: int = PTIME_MS,
) -> Sdp:  # fmt: skip
    """Return our answer: the first plain audio stream with a codec of ours is taken, the others are refused.

    Order and numbers are the offer's (RFC 3264 section 6.1). Raise SdpError when nothing can be taken: 488.
    """
    wanted = {codec.key: codec.fmtp for codec in codecs}
    lines = _head(origin, host, next((line[2:].strip() for line in offer.head if line[:2] == "t="), "0 0"))
    taken = False
    for media in offer.media:
        ours = [codec._replace(fmtp=wanted[codec.key]) for codec in media.codecs if codec.key in wanted]
        if taken or media.kind != "audio" or not media.port or media.protocol not in _PLAIN_RTP or not _speaks(ours):
            lines += _refused(media, "\r\n")
            continue
        taken = True
        payloads = " ".join(str(codec.payload) for codec in ours)
        lines.append(f"m=audio {port} {media.protocol} {payloads}\r\n")
        lines += _described(ours, answering(media, direction), ptime_ms)
    if not taken:
        raise SdpError("the offer has no plain audio stream with a codec of ours")
    return structured(lines)


def answering(offered: Media, wanted: str) -> str:
    """Return the direction of an answer: what we want, as far as the offer goes along (RFC 3264 section 6.1)."""
    sends, receives = _SENDS[offered.direction]
    we_send, we_receive = _SENDS[wanted]
    return _DIRECTION[we_send and receives and offered.host not in NO_ADDRESS, we_receive and sends]


def _each(sdp: Sdp, change: Callable[[Media], Sequence[str]]) -> Sdp:
    """Return the description with its streams' lines changed; itself where nothing was."""
    sections = [change(media) for media in sdp.media]
    if all(lines is media.lines for lines, media in zip(sections, sdp.media, strict=True)):
        return sdp
    return structured([*_ended(sdp.head, sdp.end), *(line for lines in sections for line in lines)])


def _kept(media: Media, keys: set[tuple[str, int, int]] | None, order: Sequence[str], end: str) -> Sequence[str]:
    """Return a stream's lines with those codecs only, in that order; what is no RTP is kept where the kind is known."""
    if not media.port or (keys is not None and not media.codecs):
        return media.lines
    kept = [codec for codec in media.codecs if codec.key in (keys or ())]
    if not _speaks(kept):
        return _refused(media, end)
    if order:
        rank = {name.lower(): place for place, name in enumerate(order)}
        kept.sort(key=lambda codec: rank.get(codec.name.lower(), len(rank)))
    payloads = tuple(str(codec.payload) for codec in kept)
    if payloads == media.formats:
        return media.lines
    gone = set(media.formats) - set(payloads)
    return [
        _first(media, payloads, end),
        *(line for line in _ended(media.lines[1:], end) if _payload(line) not in gone),
    ]


def _payload(line: str) -> str | None:
    """Return the payload type that an attribute is about."""
    name, _, value = line[2:].partition(":")
    return (
        value.split(maxsplit=1)[0]
        if line[:2] == "a=" and name in {"rtpmap", "fmtp", "rtcp-fb"} and value.strip()
        else None
    )


def _first(media: Media, formats: Iterable[str], end: str, port: str = "") -> str:
    kind, before, *_ = media.lines[0][2:].split()
    return f"m={kind} {port or before} {media.protocol} {' '.join(formats)}{end}"


def _refused(media: Media, end: str) -> list[str]:
    """Return the section that refuses a stream (RFC 3264 section 6)."""
    return [_first(media, media.formats or ("0",), end, port="0")]


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
    return frozenset(
        line.rstrip() for line in lines if line[:2] == "a=" and line[2:].partition(":")[0].rstrip() in _KEYING
    )


def _head(origin: Origin, host: str, times: str) -> list[str]:
    return [f"{line}\r\n" for line in ("v=0", f"o={origin}", "s=-", f"c={network(host)}", f"t={times}")]


def _described(codecs: Iterable[Codec], direction: str, ptime_ms: int) -> list[str]:
    lines: list[str] = []
    for codec in codecs:
        channels = f"/{codec.channels}" if codec.channels > 1 else ""
        lines.append(f"a=rtpmap:{codec.payload} {codec.name}/{codec.rate}{channels}")
        if codec.fmtp:
            lines.append(f"a=fmtp:{codec.payload} {codec.fmtp}")
    return [f"{line}\r\n" for line in (*lines, f"a=ptime:{ptime_ms}", f"a={direction}")]
