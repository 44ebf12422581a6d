"""The invariants that no run may break, checked while it runs; a broken one names the seed that shows it again."""

from __future__ import annotations

from typing import Never

from dialer.core.types import AgentId, CallId, NumberCaps
from dialer.core.window import WindowClock

_DAY_S = 86_400.0


class InvariantBroken(Exception):
    """The engine did what it must never do; the message names the scenario, the seed and the moment."""


class Watch:
    """Look at every INVITE, every reservation and every settlement; it keeps its own books."""

    def __init__(self, title: str, seed: int) -> None:
        self._where = f"scenario {title!r}, seed {seed}"
        self._invited: set[CallId] = set()
        self._unsettled: dict[CallId, tuple[str, float]] = {}
        self._weighing: dict[str, list[float]] = {}
        self._live_numbers: set[str] = set()
        self._talks: dict[AgentId, CallId] = {}

    def invited(self, call_id: CallId, phone: str, window: WindowClock, caps: NumberCaps, now: float) -> None:
        """Check an INVITE: window open, the only one of its attempt, number free and below its cap in 24 h."""
        if not window.is_open(now):
            self._break("an INVITE outside the call window", call_id, now)
        if call_id in self._invited:
            self._break("a second INVITE for one attempt", call_id, now)
        if phone in self._live_numbers:
            self._break("a second call to a number that is being called", call_id, now)
        recent = [at for at in self._weighing.get(phone, ()) if at > now - _DAY_S]
        if len(recent) >= caps.per_24h:
            self._break(f"more than {caps.per_24h} calls to one number in 24 h", call_id, now)
        recent.append(now)
        self._weighing[phone] = recent
        self._live_numbers.add(phone)
        self._invited.add(call_id)
        self._unsettled[call_id] = (phone, now)

    def arrived(self, call_id: CallId, now: float) -> None:
        """Note a call that came in and was written down: it is settled once, as those that we place."""
        if call_id in self._invited:
            self._break("a call that arrived twice", call_id, now)
        self._invited.add(call_id)
        self._unsettled[call_id] = ("", now)

    def is_open(self, call_id: CallId) -> bool:
        """Tell whether a call was sent or came in, and is not settled."""
        return call_id in self._unsettled

    def reserved(self, agent: AgentId, call_id: CallId, now: float, *, earlier_runs: bool) -> None:
        """Check a connection, or a summons: the agent holds no other call."""
        self.asked(agent, call_id, now, earlier_runs=earlier_runs)
        self._talks[agent] = call_id

    def asked(self, agent: AgentId, call_id: CallId, now: float, *, earlier_runs: bool) -> None:
        """Check an offer: the agent holds no other call."""
        if earlier_runs and self._talks.get(agent) != call_id:
            self._break(f"{agent} got a second call while one was running", call_id, now)

    def talk_of(self, agent: AgentId) -> CallId | None:
        """Return the last call that an agent was joined to."""
        return self._talks.get(agent)

    def settled(self, call_id: CallId, now: float, *, weighs: bool) -> None:
        """Check a settlement: of an INVITE that was sent, once; `weighs`: it counts for the number's cap."""
        invite = self._unsettled.pop(call_id, None)
        if invite is None:
            self._break("a settlement of a call that was not sent, or a second one", call_id, now)
        phone, at = invite
        if not phone:  # it came in: no number was called
            return
        self._live_numbers.discard(phone)
        if not weighs:
            self._weighing[phone].remove(at)

    def finished(self, now: float) -> None:
        """Check the end of a run: every INVITE was settled."""
        if self._unsettled:
            self._break(f"{len(self._unsettled)} calls were never settled", next(iter(self._unsettled)), now)

    def _break(self, what: str, call_id: CallId, now: float) -> Never:
        raise InvariantBroken(f"{what} ({self._where}, at {now:.3f}, call {call_id})")
