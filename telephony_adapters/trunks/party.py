"""One side of a conversation: a leg, and what we have told it about the session (RFC 3264, RFC 3725)."""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.offer import aligned, answer_to, blank_offer, common, restated, same_media, with_direction
from telephony_adapters.sip.sdp import Origin, Sdp, SdpError, parse

__all__ = ["Media", "Party", "SdpError"]

_SESSION: Final = "0000000000"
"""The place of the session's id in a description that is kept ready."""


def session_id(text: str) -> str:
    """Return a session id for o= lines: digits, the same for the same text (RFC 8866 section 5.2)."""
    return f"{crc32(text.encode(errors='surrogatepass')):010d}"


class Media:
    """The address that we name while no agent's is known: nobody listens there, or it is thrown away."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._ready: dict[str, bytes] = {}

    def offer(self, session_id: str, direction: str) -> bytes:
        """Return a first offer of ours."""
        ready = self._ready.get(direction)
        if ready is None:
            origin = Origin(_SESSION, 1, self.host)
            ready = self._ready[direction] = blank_offer(origin, self.host, self.port, direction=direction).data
        return ready.replace(_SESSION.encode(), session_id.encode(), 1)


class Party:
    """`owner` is the call or the desk whose leg it is. Versions grow with each change of what we say."""

    __slots__ = ("holds", "leg", "media", "owner", "session_id", "version")

    def __init__(self, owner: Any, media: Media, session_id: str) -> None:
        self.owner = owner
        self.media = media
        self.session_id = session_id
        self.version = 1
        self.leg: Leg | None = None
        self.holds = False
        """It has put the other one on hold: it wants to hear nothing."""

    @property
    def heard(self) -> bytes | None:
        """Return the peer's last description."""
        return self.leg.remote_sdp if self.leg is not None else None

    def _origin(self) -> Origin:
        self.version += 1
        return Origin(self.session_id, self.version, self.media.host)

    def first_offer(self, direction: str) -> bytes:
        """Return the offer that a call begins with when nobody is there to talk yet."""
        return self.media.offer(self.session_id, direction)

    def offer_of(self, other: bytes, direction: str = "sendrecv") -> bytes:
        """Offer the other party's media, in the codecs that both know; raise SdpError when they share none."""
        sdp, mine = parse(other), self.heard
        if mine is not None:
            sdp = common(sdp, parse(mine))
        if sdp.audio is None:
            raise SdpError("agent and customer share no codec")
        return self._restate(sdp, direction, self._said(), exactly=False)

    def pass_on(self, other: bytes) -> bytes:
        """Offer the other party's change as it is: hold stays hold."""
        return self._restate(parse(other), "", self._said(), exactly=False)

    def answer_with(self, other: bytes, offer: bytes) -> bytes:
        """Answer this party's offer by what the other one answered."""
        return self._restate(parse(other), "", parse(offer), exactly=True)

    def answer_alone(self, offer: bytes, direction: str) -> bytes:
        """Answer this party's offer while nobody is there to talk to."""
        answer = answer_to(parse(offer), self._origin(), self.media.host, self.media.port, direction=direction)
        return answer.data

    def silence(self, direction: str) -> bytes:
        """Offer media that come from nobody: this party's conversation is over, its leg stays."""
        return self._restate(parse(self.media.offer(self.session_id, direction)), "", self._said(), exactly=False)

    def _said(self) -> Sdp | None:
        said = self.leg.local_sdp if self.leg is not None else None
        return parse(said) if said else None

    def _restate(self, sdp: Sdp, direction: str, before: Sdp | None, *, exactly: bool) -> bytes:
        if before is not None:
            sdp = aligned(sdp, before, exactly=exactly)
        if direction:
            sdp = with_direction(sdp, direction)
        return restated(sdp, self._origin()).data


def alike(one: bytes, other: bytes) -> bool:
    """Tell whether two descriptions receive the same media at the same place."""
    return one == other or same_media(parse(one), parse(other))


def direction_of(sdp: bytes) -> str:
    """Return what a party does with its audio."""
    return parse(sdp).direction


def is_held(sdp: bytes) -> bool:
    """Tell whether a party wants to hear nothing."""
    return parse(sdp).is_held
