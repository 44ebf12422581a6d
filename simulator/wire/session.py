"""The callee's side of SDP: G.711 audio, accepted or held; whether the callee has anybody to hear (RFC 3264)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from simulator.wire.phones import DISCARD_PORT
from telephony_adapters.sip.offer import answer_to, blank_offer
from telephony_adapters.sip.sdp import NO_ADDRESS, PCMA, PCMU, Media, Origin, Sdp, SdpError, parse

_SENDS: Final = frozenset({"sendrecv", "sendonly"})
_SESSION: Final = "1"


def answer(offer: bytes, *, host: str, port: int, version: int = 1, held: bool = False) -> bytes | None:
    """Answer an offer; None: there is nothing in it that a callee can take (488)."""
    return _answer(_anonymous(offer), host, port, version, "inactive" if held else "sendrecv")


def _anonymous(sdp: bytes) -> bytes:
    """Return the description without its o= line, which differs from call to call: what is read of it is kept."""
    head, line, rest = sdp.partition(b"\r\no=")
    return head + b"\r\n" + rest.partition(b"\r\n")[2] if line else sdp


@lru_cache(maxsize=4096)
def _answer(offer: bytes, host: str, port: int, version: int, direction: str) -> bytes | None:
    described = _described(offer)
    if described is None:
        return None
    try:
        return answer_to(described, Origin(_SESSION, version, host, "carrier"), host, port, direction=direction).data
    except SdpError:
        return None


def own_offer(*, host: str, port: int, version: int = 1, held: bool = False) -> bytes:
    """Offer G.711, or put the caller on hold."""
    origin = Origin(_SESSION, version, host, "carrier")
    return blank_offer(origin, host, port, direction="sendonly" if held else "sendrecv").data


def audio(sdp: bytes | None) -> Media | None:
    """Return the audio that an SDP describes; None: there is none, or it cannot be read."""
    found = _described(_anonymous(sdp)) if sdp else None
    return None if found is None else found.audio


@lru_cache(maxsize=4096)
def _described(sdp: bytes) -> Sdp | None:
    try:
        return parse(sdp)
    except SdpError:
        return None


def is_heard(sdp: bytes | None) -> bool:
    """Tell whether who got this SDP has somebody, or at least music, to hear; nobody speaks from the discard port."""
    media = audio(sdp)
    if media is None or media.port == DISCARD_PORT:
        return False
    return media.direction in _SENDS and media.host not in NO_ADDRESS


def payload_type(sdp: bytes | None) -> int:
    """Return the first kind of G.711 that an SDP names: 0 (PCMU) or 8 (PCMA)."""
    media = audio(sdp)
    named = () if media is None else media.codecs
    return next((codec.payload for codec in named if codec.payload in {PCMU.payload, PCMA.payload}), PCMU.payload)
