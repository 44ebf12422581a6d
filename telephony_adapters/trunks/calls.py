"""What the trunk machine holds: calls to customers, desks with their phones, conversations between them."""

from __future__ import annotations

from enum import StrEnum
from zlib import crc32

from dialer.core.events import CallEnded
from statuses.classify import AttemptFacts
from statuses.outcomes import Announcement, CancelReason, EndedBy
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.timers import Timer
from telephony_adapters.trunks.party import Media, Party
from telephony_adapters.trunks.trunk import Trunk


def session_id(text: str) -> str:
    """Return a session id for o= lines: digits, the same for the same call (RFC 8866 section 5.2)."""
    return f"{crc32(text.encode()):010d}"


class Call:
    """One call to a customer, from its INVITE to its end."""

    __slots__ = (
        "announcement", "answered_at", "call_id", "ended_by", "hangup_reason", "limit", "party", "phone",
        "placed_at", "progressed", "rang", "talk", "trunk",
    )  # fmt: skip

    def __init__(self, call_id: str, phone: str, trunk: Trunk, party_media: Media, now: float) -> None:
        self.call_id = call_id
        self.phone = phone
        self.trunk = trunk
        self.party = Party(self, party_media, session_id(call_id))
        self.placed_at = now
        self.answered_at: float | None = None
        self.progressed = False
        self.announcement: Announcement | None = None
        self.rang = False
        self.hangup_reason: CancelReason | None = None
        self.ended_by: EndedBy | None = None
        """Who ended it, where the wire does not say."""
        self.talk: Talk | None = None
        self.limit: Timer | None = None
        """When it is given up, whatever the engine thinks: it rang, or talked, for too long."""

    @property
    def leg(self) -> Leg | None:
        """Return the customer's leg."""
        return self.party.leg


class DeskState(StrEnum):
    """Where an agent's phone stands."""

    DOWN = "down"
    CALLING = "calling"
    UP = "up"
    """On the line, and nobody to talk to."""
    TALKING = "talking"


def facts_of(call: Call, end: CallEnded) -> AttemptFacts:
    """Return what is known of a call that is over, for the verdict on its trunk."""
    return AttemptFacts(
        local_error=end.local_error, sip_status=end.sip_status, q850=end.q850, q850_location=end.q850_location,
        reason_text=end.reason_text, progressed=call.progressed, rang=call.rang, answered=call.answered_at is not None,
        ended_by=end.ended_by, cancel_reason=call.hangup_reason, announcement=call.announcement, trunk=call.trunk.name,
    )  # fmt: skip


class Desk:
    """An agent's phone. `wanted`: its leg is to be kept up between calls."""

    __slots__ = ("agent_id", "calls", "party", "state", "talk", "wanted")

    def __init__(self, agent_id: str, media: Media) -> None:
        self.agent_id = agent_id
        self.party = Party(self, media, session_id(agent_id))
        self.state = DeskState.DOWN
        self.wanted = False
        self.talk: Talk | None = None
        self.calls = 0
        """Legs that were placed so far: each has a Call-ID of its own."""


class Talk:
    """A customer and an agent who are being joined, or talk (RFC 3725). `used`: from what our last offer was made."""

    __slots__ = ("agent_id", "call", "desk", "joined", "limit", "open", "passing", "rounds", "used")

    def __init__(self, call: Call, desk: Desk) -> None:
        self.call = call
        self.desk = desk
        self.agent_id = desk.agent_id
        self.joined = False
        self.rounds = 0
        self.open: dict[Party, bytes] = {}
        """Our offers whose answers are awaited."""
        self.used: dict[Party, bytes] = {}
        self.passing: tuple[Party, bytes | None] | None = None
        """Whose change is being passed on, and its offer."""
        self.limit: Timer | None = None

    def other(self, party: Party) -> Party:
        """Return the one at the other end."""
        return self.desk.party if party is self.call.party else self.call.party
