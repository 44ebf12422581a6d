"""The callee's side of SDP: G.711 audio, accepted or held; whether the callee has anybody to hear (RFC 3264)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

_LINE = re.compile(
    rb"^(?:m=(\S+) (\d+)(?:/\d+)? (\S+) ([^\r\n]*)"
    rb"|a=(sendrecv|sendonly|recvonly|inactive)\b"
    rb"|a=rtpmap:(\d+) telephone-event/8000"
    rb"|c=IN IP[46] ([^\s/]+))",
    re.MULTILINE,
)
_FROM_CALLEE: Final = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
_DEAF: Final = frozenset({"recvonly", "inactive"})
_NO_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - RFC 3264 section 8.4: on hold
_CODECS: Final = {"8": "PCMA", "0": "PCMU"}


class Media(NamedTuple):
    """One m line: kind, port, protocol, formats."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]


class Described(NamedTuple):
    """What an SDP says of its first audio."""

    medias: tuple[Media, ...]
    audio: int
    """The index of the audio that is used; -1: none."""
    direction: str
    """sendrecv, sendonly, recvonly or inactive, from its writer's side."""
    host: str
    events: str
    """The payload type of telephone-event; "" = none."""

    @property
    def is_heard(self) -> bool:
        """Tell whether whoever got this SDP has somebody, or at least music, to hear."""
        if self.audio < 0:
            return False
        return self.direction not in _DEAF and self.host not in _NO_ADDRESS and self.medias[self.audio].port > 0

    @property
    def codec(self) -> str | None:
        """Return the payload type of the first G.711 codec that is named: 0 (PCMU) or 8 (PCMA)."""
        if self.audio < 0:
            return None
        return next((name for name in self.medias[self.audio].formats if name in _CODECS), None)


@lru_cache(maxsize=4096)
def described(sdp: bytes) -> Described:
    """Read an SDP; what is not understood is left out, so that a bad one describes no audio."""
    medias: list[Media] = []
    audio, direction, host, events = -1, "sendrecv", "", ""
    for found in _LINE.finditer(sdp):
        kind, port, protocol, formats, way, event, address = (
            None if part is None else part.decode("ascii", "replace") for part in found.groups()
        )
        ours = not medias or audio == len(medias) - 1  # the session's own lines, or those of the audio
        if kind is not None and port is not None and protocol is not None and formats is not None:
            medias.append(Media(kind, int(port[:5]), protocol, tuple(formats.split())))
            if audio < 0 and kind == "audio" and protocol == "RTP/AVP":
                audio = len(medias) - 1
        elif ours:
            direction, host, events = way or direction, address or host, event or events
    return Described(tuple(medias), audio, direction, host, events)


def answer(offer: Described, *, host: str, port: int, version: int = 1, held: bool = False) -> bytes | None:
    """Answer an offer: one codec of the caller's and its telephone-event; None: nothing in common (488)."""
    if offer.codec is None:
        return None
    medias = tuple((media.kind, media.protocol, media.formats) for media in offer.medias)
    direction = "inactive" if held else _FROM_CALLEE.get(offer.direction, "sendrecv")
    return _written(medias, offer.audio, offer.codec, offer.events, direction, host, port, version)


def own_offer(*, host: str, port: int, version: int = 1, held: bool = False) -> bytes:
    """Offer both kinds of G.711, or put the caller on hold."""
    direction = "sendonly" if held else "sendrecv"
    return _text(host, version, (_audio(port, ("8", "0"), "101", direction),))


@lru_cache(maxsize=4096)
def _written(
    medias: tuple[tuple[str, str, tuple[str, ...]], ...],
    audio: int,
    codec: str,
    events: str,
    direction: str,
    host: str,
    port: int,
    version: int,
) -> bytes:
    parts = tuple(
        _audio(port, (codec,), events, direction)
        if index == audio
        else f"m={kind} 0 {protocol} {' '.join(formats)}\r\n"
        for index, (kind, protocol, formats) in enumerate(medias)
    )
    return _text(host, version, parts)


def _audio(port: int, codecs: tuple[str, ...], events: str, direction: str) -> str:
    lines = [f"m=audio {port} RTP/AVP {' '.join((*codecs, *filter(None, (events,))))}"]
    lines += [f"a=rtpmap:{codec} {_CODECS[codec]}/8000" for codec in codecs]
    if events:
        lines += [f"a=rtpmap:{events} telephone-event/8000", f"a=fmtp:{events} 0-15"]
    return "\r\n".join((*lines, "a=ptime:20", f"a={direction}")) + "\r\n"


def _text(host: str, version: int, parts: tuple[str, ...]) -> bytes:
    where = f"IN IP{6 if ':' in host else 4} {host}"
    head = f"v=0\r\no=carrier 1 {version} {where}\r\ns=-\r\nc={where}\r\nt=0 0\r\n"
    return (head + "".join(parts)).encode()
