"""The agents' phones: called, kept on the line in silence between calls, called again when they fall; pure."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from telephony_adapters.sip.agent import UserAgent
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.timers import Timer, Timers
from telephony_adapters.trunks.party import Media, Party, session_id
from telephony_adapters.trunks.trunk import Phones

if TYPE_CHECKING:
    from telephony_adapters.trunks.calls import Talk

AGAIN_S: Final = 1.0
"""A phone that is to be kept on the line and fell is called again after so long; twice as long each further time."""
AGAIN_MAX_S: Final = 60.0
_STEADY_S: Final = 30.0
"""A phone that stayed on the line for so long begins with the shortest wait again."""
HUSH_LIMIT_S: Final = 10.0
"""A phone that does not take our offer of silence in this time is hung up, and called again if it is wanted."""


class DeskState(StrEnum):
    """Where an agent's phone stands."""

    DOWN = "down"
    CALLING = "calling"
    UP = "up"
    """On the line."""


class Desk:
    """An agent's phone. `wanted`: its leg is to be kept up between calls."""

    __slots__ = (
        "again", "agent_id", "calls", "falls", "hushing", "knows_customer", "limit", "party", "state",
        "summoned_for", "talk", "up_at", "wanted",
    )  # fmt: skip

    def __init__(self, agent_id: str, media: Media) -> None:
        self.agent_id = agent_id
        self.party = Party(self, media, session_id(agent_id))
        self.state = DeskState.DOWN
        self.wanted = False
        self.talk: Talk | None = None
        self.summoned_for: str | None = None
        """The call that it waits for on the line, or is called for, before the customer is there."""
        self.calls = 0
        """Legs that were placed so far: each has a Call-ID of its own."""
        self.falls = 0
        """Falls in a row."""
        self.up_at = 0.0
        self.hushing: bytes | None = None
        """Our offer of silence whose answer is awaited: until then the phone describes the conversation before."""
        self.knows_customer = False
        """Its INVITE named a customer's media."""
        self.limit: Timer | None = None
        """When it is no longer waited for that somebody picks it up, or that it falls silent."""
        self.again: Timer | None = None
        """When it is called again."""

    @property
    def is_taken(self) -> bool:
        """Tell whether it talks, is being joined, or waits for a customer."""
        return self.talk is not None or self.summoned_for is not None

    def waits_for_other(self, call_id: str) -> bool:
        """Tell whether it waits for another call than this one."""
        return self.summoned_for is not None and self.summoned_for != call_id


def customer_of(ua: UserAgent, sip_call_id: str) -> str | None:
    """Return the call that an agent's phone takes part in now, by the Call-ID of the phone's leg."""
    leg = ua.leg(sip_call_id)
    desk = leg.owner.owner if leg is not None and isinstance(leg.owner, Party) else None
    return desk.talk.call.call_id if isinstance(desk, Desk) and desk.talk is not None else None


class Desks:
    """All phones. `fell` is told of one that nobody picks up in time; `noted` of each leg that is placed."""

    def __init__(
        self, ua: UserAgent, timers: Timers, phones: Phones, media: Media, *,
        domain: str, fell: Callable[[Desk, float], None], noted: Callable[[str, Leg, float], None],
    ) -> None:  # fmt: skip
        self.phones = phones
        self.all: dict[str, Desk] = {}
        self._ua = ua
        self._timers = timers
        self._media = media
        self._domain = domain
        self._fell = fell
        self._noted = noted

    def get(self, agent_id: str) -> Desk:
        """Return an agent's desk."""
        desk = self.all.get(agent_id)
        if desk is None:
            desk = self.all[agent_id] = Desk(agent_id, self._media)
        return desk

    def station(self, agent_id: str, now: float, *, up: bool) -> None:
        """Keep a phone on the line from now on, where phones are kept so, or let it go after the talk."""
        desk = self.get(agent_id)
        desk.wanted = up and self.phones.nailed_up
        if desk.wanted:
            if desk.state is DeskState.DOWN:
                self.call(desk, now)
        elif not desk.is_taken:
            self.drop(desk, now)

    def call(self, desk: Desk, now: float, offer: bytes | None = None) -> None:
        """Call a phone; without an offer it is asked to wait on the line in silence."""
        self._timers.cancel(desk.again)
        desk.calls += 1
        desk.state, desk.knows_customer = DeskState.CALLING, offer is not None
        what = self.phones.invitation(desk.agent_id, now)
        if what is None:
            self._fell(desk, now)
            return
        desk.limit = self._timers.set(now + self.phones.answer_limit_s, self._give_up, desk)
        leg = desk.party.leg = self._ua.invite(
            now, flow=what.flow, uri=what.uri, call_id=self._call_id(desk, now), from_=what.from_, to=what.to,
            sdp=offer or desk.party.first_offer("inactive"), headers=what.headers, auth=self.phones.auth,
            owner=desk.party, interval_s=what.interval_s, reliable=what.reliable,
        )  # fmt: skip
        self._noted("placed", leg, now)

    def _call_id(self, desk: Desk, now: float) -> str:
        """Return a Call-ID that no other leg has, not even a dead process's; an agent's name may hold anything."""
        text = f"{desk.agent_id}/{desk.calls}/{now!r}".encode(errors="surrogatepass")
        return f"desk-{blake2b(text, digest_size=12).hexdigest()}@{self._domain}"

    def _give_up(self, desk: Desk, now: float) -> None:
        """Hang up on a phone that nobody picked up, or that did not fall silent."""
        leg = desk.party.leg
        self._fell(desk, now)
        if leg is not None:
            self._ua.cancel(leg, now)

    def picked_up(self, desk: Desk, now: float) -> None:
        """Take in that a phone answered; without a talk it falls silent, or is let go."""
        self._timers.cancel(desk.limit)
        desk.state, desk.up_at = DeskState.UP, now
        if not desk.is_taken:
            self.let_go(desk, now)

    def let_go(self, desk: Desk, now: float) -> None:
        """Let a phone be that nobody talks to any more: it waits in silence if it is wanted."""
        if not desk.wanted:
            self.drop(desk, now)
        elif desk.state is DeskState.UP and desk.party.leg is not None and desk.knows_customer:
            desk.knows_customer = False
            desk.hushing = desk.party.silence("inactive")
            desk.limit = self._timers.set(now + HUSH_LIMIT_S, self._give_up, desk)
            self._ua.reinvite(desk.party.leg, now, desk.hushing)

    def hushed(self, desk: Desk) -> None:
        """Take in that a phone has answered our offer of silence, whatever it said."""
        desk.hushing = None
        self._timers.cancel(desk.limit)

    def down(self, desk: Desk, now: float) -> None:
        """Take in that a phone is gone; one that is wanted is called again, later each time."""
        timers = self._timers
        timers.cancel(desk.limit)
        timers.cancel(desk.again)
        if desk.state is DeskState.UP and now - desk.up_at >= _STEADY_S:
            desk.falls = 0
        desk.state, desk.hushing = DeskState.DOWN, None
        desk.party = Party(desk, self._media, session_id(f"{desk.agent_id}/{desk.calls}"))
        if desk.wanted:
            wait = min(AGAIN_S * 2 ** min(desk.falls, 16), AGAIN_MAX_S)
            desk.falls += 1
            desk.again = timers.set(now + wait, self._call_again, desk)

    def _call_again(self, desk: Desk, now: float) -> None:
        if desk.wanted and desk.state is DeskState.DOWN:
            self.call(desk, now)

    def drop(self, desk: Desk, now: float) -> None:
        """Hang up on a phone, or stop calling it; it is not wanted any more."""
        desk.wanted, desk.falls = False, 0
        leg = desk.party.leg
        self.down(desk, now)
        if leg is not None:
            self._ua.cancel(leg, now)


def owner_of(party: Any) -> Desk | None:
    """Return the desk that a party belongs to now; None for a customer, and for a leg that was let go."""
    owner = party.owner
    return owner if isinstance(owner, Desk) and owner.party is party else None
