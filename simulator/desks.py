"""The desks of one campaign's agents: obey orders, take breaks, lose links; no clock and no loop of their own."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from dialer.core.effects import AgentOrder, CommandAgent
from dialer.core.events import (
    AgentAccepted,
    AgentLost,
    AgentPaused,
    AgentReady,
    AgentRejected,
    AgentSignedIn,
    AgentWrappedUp,
    Event,
)
from dialer.core.types import AgentId, CallId
from simulator.agents import Person, Temper, agent_id
from simulator.line import Schedule
from simulator.profile import AgentProfile

REACHABLE_AGAIN_S = 1.0
"""A desk that was let go says that it is ready after this."""
LOOK_AGAIN_S = 5.0
"""A returning agent whose old call still runs looks again after this."""
BREAK = "break"


class DeskState(StrEnum):
    """Where an agent's time goes."""

    AWAY = "away"
    PAUSED = "paused"
    READY = "ready"
    RINGING = "ringing"
    """Asked, and has not answered."""
    RESERVED = "reserved"
    TALKING = "talking"
    WRAP_UP = "wrap_up"


_EXPECTS = frozenset({DeskState.RINGING, DeskState.RESERVED})
"""A talk may begin."""


class Desk:
    """One desk; `turn` grows with every change of state and voids what was scheduled before."""

    __slots__ = (
        "agent_id", "break_due", "break_plan", "call_id", "home_due", "lead_id", "person", "since", "state", "turn",
    )  # fmt: skip

    def __init__(self, agent: AgentId, person: Person, now: float) -> None:
        self.agent_id = agent
        self.person = person
        self.state = DeskState.AWAY
        self.since = now
        self.turn = 0
        self.call_id: CallId | None = None
        self.lead_id: int | None = None
        """Offered with the call, or alone."""
        self.break_due = False
        self.break_plan = 0
        """The latest plan of a break; older ones are void."""
        self.home_due = False


class Desks:
    """All desks of a campaign. `emit(event, now)` gets what the agents do.

    `link_lost(call_id, now)` is told when a talking agent vanishes; `is_live(call_id)` says whether a call still runs.
    """

    def __init__(
        self,
        profile: AgentProfile,
        *,
        seed: int,
        now: float,
        schedule: Schedule,
        emit: Callable[[Event, float], None],
        link_lost: Callable[[CallId, float], None],
        is_live: Callable[[CallId], bool],
        first_number: int = 1,
    ) -> None:
        self._profile, self._at, self._emit = profile, schedule, emit
        self._link_lost, self._is_live = link_lost, is_live
        self.seconds: dict[DeskState, float] = dict.fromkeys(DeskState, 0.0)
        temper = Temper(profile)
        names = [agent_id(number) for number in range(first_number, first_number + profile.count)]
        self._desks = {name: Desk(name, Person(name, temper, seed=seed), now) for name in names}
        self._orders: dict[AgentOrder, Callable[[Desk, CommandAgent, float], None]] = {
            AgentOrder.OFFER: self._offer,
            AgentOrder.WITHDRAW: self._withdraw,
            AgentOrder.RESERVE: self._reserve,
            AgentOrder.RELEASE: self._release,
            AgentOrder.WRAP_UP: self._wrap_up,
            AgentOrder.READY: self._ready,
            AgentOrder.REFUSED: self._refused,
            AgentOrder.OFFLINE: self._offline,
        }

    def __len__(self) -> int:
        """Count the desks."""
        return len(self._desks)

    def open(self, now: float) -> None:
        """Let everybody come to work."""
        for desk in self._desks.values():
            self._at(now + desk.person.arrives_after_s, self._arrive, desk)
            if desk.person.goes_home and self._profile.leave_at_s:
                self._at(now + self._profile.leave_at_s, self._go_home, desk)

    def order(self, command: CommandAgent, now: float) -> None:
        """Obey one order; an unknown desk ignores it, as a switched-off one would, and one that it knows by itself."""
        desk, obey = self._desks.get(command.agent_id), self._orders.get(command.order)
        if desk is not None and obey is not None:
            obey(desk, command, now)

    def announce(self, now: float) -> None:
        """Let everybody at a desk say so again to a new engine; one whose call is over is free for the next."""
        for desk in self._desks.values():
            self._announce((desk, desk.turn), now)

    def _announce(self, payload: tuple[Desk, int], now: float) -> None:
        desk, turn = payload
        if desk.turn != turn or desk.state is DeskState.AWAY:
            return
        if desk.state not in {DeskState.READY, DeskState.PAUSED}:
            if desk.call_id is not None and self._is_live(desk.call_id):
                self._at(now + LOOK_AGAIN_S, self._announce, payload)
                return
            desk.call_id = None
            self._move(desk, DeskState.READY, now)
        self._emit(AgentSignedIn(desk.agent_id), now)
        if desk.state is DeskState.PAUSED:
            self._emit(AgentPaused(desk.agent_id, BREAK), now)
        else:
            self._emit(AgentReady(desk.agent_id), now)

    def joined(self, agent: AgentId, call_id: CallId, now: float) -> None:
        """Note that agent and customer hear each other."""
        desk = self._desks.get(agent)
        if desk is not None and desk.state in _EXPECTS and desk.call_id == call_id:
            turn = desk.turn
            self._move(desk, DeskState.TALKING, now)
            desk.turn = turn

    def call_of(self, agent: AgentId) -> CallId | None:
        """Return the call that a desk holds."""
        desk = self._desks.get(agent)
        return desk.call_id if desk is not None else None

    def settle(self, now: float) -> None:
        """Book the time up to now."""
        for desk in self._desks.values():
            self.seconds[desk.state] += now - desk.since
            desk.since = now

    def _move(self, desk: Desk, state: DeskState, now: float) -> None:
        self.seconds[desk.state] += now - desk.since
        desk.state, desk.since = state, now
        desk.turn += 1

    def _arrive(self, desk: Desk, now: float) -> None:
        if desk.state is not DeskState.AWAY or desk.home_due:
            return
        if desk.call_id is not None and self._is_live(desk.call_id):
            self._at(now + LOOK_AGAIN_S, self._arrive, desk)
            return
        desk.call_id = None
        self._move(desk, DeskState.READY, now)
        self._emit(AgentSignedIn(desk.agent_id), now)
        self._emit(AgentReady(desk.agent_id), now)
        self._plan_break(desk, now)

    def _plan_break(self, desk: Desk, now: float) -> None:
        until_break_s = desk.person.until_break_s()
        if until_break_s is not None:
            desk.break_plan += 1
            self._at(now + until_break_s, self._break_due, (desk, desk.break_plan))

    def _break_due(self, payload: tuple[Desk, int], now: float) -> None:
        desk, plan = payload
        if desk.break_plan != plan or desk.state is DeskState.AWAY:
            return
        if desk.state is DeskState.READY:
            self._pause(desk, now)
            self._emit(AgentPaused(desk.agent_id, BREAK), now)
        else:
            desk.break_due = True

    def _pause(self, desk: Desk, now: float) -> None:
        desk.break_due = False
        self._move(desk, DeskState.PAUSED, now)
        self._at(now + desk.person.break_s(), self._back, (desk, desk.turn))

    def _back(self, payload: tuple[Desk, int], now: float) -> None:
        desk, turn = payload
        if desk.turn == turn:
            self._move(desk, DeskState.READY, now)
            self._emit(AgentReady(desk.agent_id), now)
            self._plan_break(desk, now)

    def _offer(self, desk: Desk, command: CommandAgent, now: float) -> None:
        if desk.state is not DeskState.READY:
            return
        desk.call_id, desk.lead_id = command.call_id, command.lead_id
        self._move(desk, DeskState.RINGING, now)
        reply = desk.person.reply()
        if reply is not None:
            after_s, yes = reply
            self._at(now + after_s, self._reply, (desk, desk.turn, yes))

    def _reply(self, payload: tuple[Desk, int, bool], now: float) -> None:
        desk, turn, yes = payload
        if desk.turn != turn:
            return
        call_id, lead_id = desk.call_id, desk.lead_id
        if yes:
            self._emit(AgentAccepted(desk.agent_id, call_id, lead_id), now)
            return
        desk.call_id = desk.lead_id = None
        self._move(desk, DeskState.READY, now)
        turn = desk.turn
        self._emit(AgentRejected(desk.agent_id, call_id, lead_id), now)
        if desk.turn == turn:  # the next offer is not here already
            self._idle(desk, now)

    def _withdraw(self, desk: Desk, command: CommandAgent, now: float) -> None:
        is_this = desk.call_id == command.call_id and (desk.call_id is not None or desk.lead_id == command.lead_id)
        if desk.state is not DeskState.RINGING or not is_this:
            return
        desk.call_id = desk.lead_id = None
        self._idle(desk, now)
        if command.code:  # taken off calls for not answering: back after a moment
            self._at(now + REACHABLE_AGAIN_S, self._say_ready, (desk, desk.turn))

    def _refused(self, desk: Desk, command: CommandAgent, now: float) -> None:
        """Wait for the next lead when the accepted one may not be called."""
        if desk.state is DeskState.RINGING and desk.call_id is None and desk.lead_id == command.lead_id:
            desk.lead_id = None
            self._idle(desk, now)

    def _reserve(self, desk: Desk, command: CommandAgent, now: float) -> None:
        if desk.state is DeskState.PAUSED:
            desk.break_due = True  # the call was already on its way; the break waits
        desk.call_id = command.call_id
        self._move(desk, DeskState.RESERVED, now)
        after_s = desk.person.loses_link_after_s()
        if after_s is not None:
            self._at(now + after_s, self._lose_link, (desk, desk.turn))

    def _release(self, desk: Desk, command: CommandAgent, now: float) -> None:
        if desk.state is DeskState.RESERVED and desk.call_id == command.call_id:
            desk.call_id = None
            self._idle(desk, now)
            self._at(now + REACHABLE_AGAIN_S, self._say_ready, (desk, desk.turn))

    def _say_ready(self, payload: tuple[Desk, int], now: float) -> None:
        desk, turn = payload
        if desk.turn == turn and desk.state is DeskState.READY:
            self._emit(AgentReady(desk.agent_id), now)

    def _wrap_up(self, desk: Desk, _command: CommandAgent, now: float) -> None:
        if desk.state is DeskState.AWAY:
            return
        self._move(desk, DeskState.WRAP_UP, now)
        self._at(now + desk.person.wrap_s(), self._wrapped, (desk, desk.turn))

    def _wrapped(self, payload: tuple[Desk, int], now: float) -> None:
        desk, turn = payload
        if desk.turn != turn:
            return
        desk.call_id = None
        trigger, callback_at = desk.person.word(now)
        stays = not (desk.break_due or desk.home_due)
        if stays:
            self._move(desk, DeskState.READY, now)
        elif desk.home_due:
            self._move(desk, DeskState.AWAY, now)
        else:
            self._pause(desk, now)
        self._emit(AgentWrappedUp(desk.agent_id, trigger, callback_at=callback_at, ready=stays), now)
        if desk.home_due:
            self._emit(AgentLost(desk.agent_id), now)

    def _ready(self, desk: Desk, _command: CommandAgent, now: float) -> None:
        if desk.state is DeskState.WRAP_UP:
            desk.call_id = None
            self._idle(desk, now)

    def _idle(self, desk: Desk, now: float) -> None:
        """Become ready, unless a break or the way home is due."""
        if desk.home_due:
            self._move(desk, DeskState.AWAY, now)
            self._emit(AgentLost(desk.agent_id), now)
        elif desk.break_due:
            self._pause(desk, now)
            self._emit(AgentPaused(desk.agent_id, BREAK), now)
        else:
            self._move(desk, DeskState.READY, now)

    def _offline(self, desk: Desk, _command: CommandAgent, now: float) -> None:
        desk.home_due = True
        self._move(desk, DeskState.AWAY, now)

    def _go_home(self, desk: Desk, now: float) -> None:
        desk.home_due = True
        if desk.state in {DeskState.READY, DeskState.PAUSED}:
            self._idle(desk, now)

    def _lose_link(self, payload: tuple[Desk, int], now: float) -> None:
        desk, turn = payload
        if desk.turn != turn or desk.state not in {DeskState.RESERVED, DeskState.TALKING}:
            return
        was_talking = desk.state is DeskState.TALKING
        self._move(desk, DeskState.AWAY, now)
        self._at(now + desk.person.away_s(), self._arrive, desk)
        if desk.call_id is not None and was_talking:
            self._link_lost(desk.call_id, now)
        self._emit(AgentLost(desk.agent_id), now)
