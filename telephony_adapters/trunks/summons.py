"""Agents who are called before the customer: the phone rings, is picked up, and waits on the line in silence; pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from dialer.core.events import AgentOnLine, CallEnded, CallEvent, ConnectFailed
from dialer.ports import CallStatusAtSwitch
from statuses.outcomes import EndedBy
from telephony_adapters.sip.timers import Timer, Timers
from telephony_adapters.trunks.calls import Call
from telephony_adapters.trunks.desks import Desk, Desks, DeskState

WAIT_LIMIT_S: Final = 60.0
"""A call that is not placed so long after its agent was called is given up, whatever the engine thinks."""


class Summons:
    """The desks that wait for a call of their own, by its id; `tell` takes what the engine is to hear."""

    def __init__(self, desks: Desks, timers: Timers, tell: Callable[[CallEvent], None]) -> None:
        self._desks = desks
        self._timers = timers
        self._tell = tell
        self._limits: dict[str, Timer] = {}
        self._waiting: dict[str, Desk] = {}
        self._placed: set[str] = set()
        """Calls that are on their way to the customer."""

    def summon(self, call_id: str, agent_id: str, now: float) -> None:
        """Call an agent for a call that is not placed yet; AgentOnLine or ConnectFailed follows."""
        desk = self._desks.get(agent_id)
        if call_id in self._waiting or desk.talk is not None or desk.summoned_for is not None:
            self._tell(ConnectFailed(call_id, agent_id))
            return
        desk.summoned_for = call_id
        self._waiting[call_id] = desk
        self._limits[call_id] = self._timers.set(now + WAIT_LIMIT_S, self.give_up, call_id)
        if desk.state is DeskState.UP:
            self._tell(AgentOnLine(call_id, agent_id))
        elif desk.state is DeskState.DOWN:
            self._desks.call(desk, now)

    def picked_up(self, desk: Desk) -> None:
        """Tell that a phone was picked up for a call."""
        if desk.summoned_for is not None:
            self._tell(AgentOnLine(desk.summoned_for, desk.agent_id))

    def placed(self, call_id: str) -> None:
        """Learn that the customer is being called."""
        if call_id in self._waiting:
            self._placed.add(call_id)
            self._timers.cancel(self._limits.pop(call_id, None))

    def joining(self, call_id: str, desk: Desk, now: float) -> None:
        """End the wait of whoever was called for a call: it is being joined, to the same agent or to another one."""
        waiting = self._forget(call_id)
        if waiting is not None and waiting is not desk:
            self._desks.let_go(waiting, now)

    def fell(self, desk: Desk) -> str | None:
        """Take in that a phone is gone; return the call to give up with it, which is on its way to the customer."""
        call_id = desk.summoned_for
        if call_id is None:
            return None
        is_placed = call_id in self._placed
        self._forget(call_id)
        if is_placed:
            return call_id
        if desk.state is DeskState.UP:
            self._tell(CallEnded(call_id, ended_by=EndedBy.AGENT))
        else:
            self._tell(ConnectFailed(call_id, desk.agent_id))
        return None

    def give_up(self, call_id: str, now: float, end: CallEnded | None = None) -> None:
        """Let the phone of a call that is not placed go; tell `end`, or that the dialer ended it, if it was known."""
        desk = self._forget(call_id)
        if desk is not None:
            self._desks.let_go(desk, now)
            end = end or CallEnded(call_id, ended_by=EndedBy.DIALER)
        if end is not None:
            self._tell(end)

    def over(self, call: Call, end: CallEnded, now: float) -> CallEnded:
        """Let the agent's phone go after a call, and return how that ended: by the agent, if that phone fell first."""
        desk = self._forget(call.call_id)
        if desk is not None:
            self._desks.let_go(desk, now)
        return msgspec.structs.replace(end, ended_by=EndedBy.AGENT) if call.by_agent else end

    def snapshot(self) -> list[CallStatusAtSwitch]:
        """List the calls that are not placed yet."""
        return [CallStatusAtSwitch(call_id, answered=False) for call_id in self._waiting if call_id not in self._placed]

    def _forget(self, call_id: str) -> Desk | None:
        desk = self._waiting.pop(call_id, None)
        self._placed.discard(call_id)
        self._timers.cancel(self._limits.pop(call_id, None))
        if desk is not None:
            desk.summoned_for = None
        return desk
