"""What the trunk machine holds: calls to customers, and conversations between customers and agents."""

from __future__ import annotations

from typing import Final, NamedTuple

from dialer.core.events import CallEnded, CallEvent, CallRinging, EarlyMediaHeard
from statuses.classify import AttemptFacts
from statuses.outcomes import Announcement, CancelReason
from telephony_adapters.sip.agent import UserAgent
from telephony_adapters.sip.events import Accepted, Refused
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.reason import parse_reasons, parse_retry_after
from telephony_adapters.sip.timers import Timer, Timers
from telephony_adapters.trunks import causes
from telephony_adapters.trunks.desks import Desk
from telephony_adapters.trunks.party import Media, Party, SdpError, session_id
from telephony_adapters.trunks.trunk import Trunk

HANGUP_REASONS: Final = {
    **{reason: f'SIP;cause=487;text="{reason}"' for reason in CancelReason},
    CancelReason.ANSWERED_ELSEWHERE: 'SIP;cause=200;text="Call completed elsewhere"',
}
"""Why we hang up, for the far end's records (RFC 3326)."""
CROSSING_S: Final = 8.0
"""An answer that comes so long after our CANCEL is told; later the engine may have settled the call without its end."""


class Call:
    """One call to a customer, from its INVITE to its end."""

    __slots__ = (
        "announcement", "answered_at", "by_agent", "call_id", "early", "early_sdp", "hangup_reason", "hotline", "hush",
        "limit", "party", "phone", "placed_at", "progressed", "rang", "ring_s", "talk", "trunk",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917 -- made in one place, for each call
        self, call_id: str, phone: str, hotline: str, trunk: Trunk, ring_s: float, media: Media
    ) -> None:
        self.call_id = call_id
        self.phone = phone
        self.hotline = hotline
        self.trunk = trunk
        self.ring_s = ring_s
        self.party = Party(self, media, session_id(call_id))
        self.placed_at = 0.0
        """When its INVITE leaves."""
        self.answered_at: float | None = None
        self.progressed = self.rang = self.early = False
        """Which of CallProgressed, CallRinging, EarlyMediaHeard the engine has heard."""
        self.early_sdp: bytes | None = None
        """What a provisional response said of media: of some gateways, the 200 says nothing more."""
        self.announcement: Announcement | None = None
        self.hangup_reason: CancelReason | None = None
        self.by_agent = False
        """The agent's leg ended first."""
        self.talk: Talk | None = None
        self.limit: Timer | None = None
        """When it is given up, whatever the engine thinks: it rang, or talked, for too long."""
        self.hush: Timer | None = None
        """When a customer who was told of an agent that is not there is told that nobody is."""

    @property
    def leg(self) -> Leg | None:
        """Return the customer's leg."""
        return self.party.leg

    def is_news(self, said: CallEvent) -> bool:
        """Tell whether the engine has not heard it yet: provisional responses come again, and in any order."""
        if isinstance(said, CallRinging):
            is_new, self.rang = not self.rang, True
        elif isinstance(said, EarlyMediaHeard):
            new = said.announcement
            is_new = not self.early or (new is not None and new is not self.announcement)
            self.early, self.announcement = True, new or self.announcement
        else:
            is_new = not self.progressed
        self.progressed = True
        return is_new


def facts_of(call: Call, end: CallEnded) -> AttemptFacts:
    """Return what is known of a call that is over, for the verdict on its trunk."""
    return AttemptFacts(
        local_error=end.local_error, sip_status=end.sip_status, q850=end.q850, q850_location=end.q850_location,
        reason_text=end.reason_text, progressed=call.progressed, rang=call.rang, answered=call.answered_at is not None,
        ended_by=end.ended_by, cancel_reason=call.hangup_reason, announcement=call.announcement, trunk=call.trunk.name,
    )  # fmt: skip


def refusal(call: Call, event: Refused) -> CallEnded:
    """Return the end of a call that nobody answered."""
    message = event.message
    if message is None:
        return causes.refused(call.call_id, event.status, made_here=True)
    after = parse_retry_after(message.get("Retry-After") or "")
    return causes.refused(
        call.call_id, event.status, phrase=message.reason, reasons=parse_reasons(message.all("Reason")),
        retry_after_s=float(after.delay_s) if after is not None else None, cancelled=event.leg.cancelled,
    )  # fmt: skip


def give_up(ua: UserAgent, timers: Timers, call: Call, leg: Leg, now: float) -> None:
    """CANCEL or BYE, as the call's `hangup_reason` says; an answer that crosses the CANCEL is kept for CROSSING_S."""
    reason = call.hangup_reason
    leg.keep_crossing = reason is not CancelReason.ADMIN
    if leg.keep_crossing and call.answered_at is None:
        timers.cancel(call.limit)
        call.limit = timers.set(now + CROSSING_S, _keep_no_crossing, leg)
    ua.cancel(leg, now, HANGUP_REASONS[reason] if reason is not None else None)


def _keep_no_crossing(leg: Leg, _now: float) -> None:
    leg.keep_crossing = False


class Passing(NamedTuple):
    """A change of one side's that is being passed on to the other."""

    party: Party
    offer: bytes | None
    """None: it was taken back meanwhile."""
    onward: bytes
    """What the other side was offered."""


class Talk:
    """A customer and an agent who are being joined, or talk (RFC 3725)."""

    __slots__ = ("call", "desk", "joined", "limit", "open", "passing", "rounds", "told")

    def __init__(self, call: Call, desk: Desk) -> None:
        self.call = call
        self.desk = desk
        self.joined = False
        self.rounds = 0
        """How often one of them had to be told anew."""
        self.open: dict[Party, bytes] = {}
        """Our offers whose answers are awaited."""
        self.told: dict[Party, bytes] = {}
        """The description of the other one from which the last offer to each was made."""
        self.passing: Passing | None = None
        self.limit: Timer | None = None

    def other(self, party: Party) -> Party:
        """Return the one at the other end."""
        return self.desk.party if party is self.call.party else self.call.party


def is_heard(ua: UserAgent, call: Call, event: Accepted) -> bool:
    """See to it that the customer's media are known, and its offer is answered; False: they cannot be used."""
    leg = event.leg
    if not event.needs_answer:
        leg.remote_sdp = leg.remote_sdp or call.early_sdp
        return leg.remote_sdp is not None
    try:
        ua.answer(leg, call.party.answer_alone(event.sdp or b"", "inactive"))
    except SdpError:
        return False
    return True
