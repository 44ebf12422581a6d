"""The switch: performs the carrier's scripts and obeys the dialer's orders; it owns no clock and no loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from dialer.core.events import (
    AgentOnLine,
    CallAnswered,
    CallArrived,
    CallConnected,
    CallEnded,
    CallTransferred,
    ConnectFailed,
    Event,
    MachineDetected,
)
from dialer.core.types import AgentId, CallId, Direction
from simulator.carrier import Carrier
from simulator.line import Line, Schedule, Summoned
from simulator.media import Media
from simulator.script import Script
from statuses.outcomes import EndedBy

CONNECT_LIMIT_S = 5.0
"""A join that takes longer fails, before the dialer gives the agent up: a late one would meet a busy agent."""


class Exchange:
    """Hold the live calls. `emit(owner, event, now)` gets every event, in order of time."""

    def __init__(self, carrier: Carrier, schedule: Schedule, emit: Callable[[Any, Event, float], None]) -> None:
        self._carrier = carrier
        self._at = schedule
        self._emit = emit
        self._lines: dict[CallId, Line] = {}
        self._summoned: dict[CallId, Summoned] = {}
        self.media = Media(carrier, schedule, emit, self._remote_end)
        """What people hear and say."""
        self.absent: set[AgentId] = set()
        """Agents whose phones nobody picks up."""
        self._attempts: dict[str, int] = {}
        """INVITEs so far by number."""
        self.unanswered = 0
        self.peak_unanswered = 0

    def __len__(self) -> int:
        """Count the live calls."""
        return len(self._lines)

    def lines(self) -> Iterator[Line]:
        """Yield the live calls, oldest first."""
        yield from self._lines.values()

    def summoned(self) -> Iterator[Summoned]:
        """Yield the agents' legs whose calls are not placed yet."""
        yield from self._summoned.values()

    def get(self, call_id: CallId) -> Line | None:
        """Return a live call."""
        return self._lines.get(call_id)

    def called(self) -> list[str]:
        """Return the numbers that were called so far, oldest first."""
        return list(self._attempts)

    def holder(self, call_id: CallId) -> AgentId | None:
        """Return the agent who is tied to a call: summoned for it, being joined, or joined."""
        line = self._lines.get(call_id)
        if line is not None:
            return line.agent_id
        leg = self._summoned.get(call_id)
        return None if leg is None else leg.agent_id

    # --- calls out and in ---------------------------------------------------------------------------------------------

    def originate(
        self, call_id: CallId, *, phone: str, hotline: str, trunk: str, now: float, owner: object = None,
        amd: bool = False,
    ) -> None:  # fmt: skip
        """Send the INVITE; an id that is live already is refused as a fault of ours: ValueError."""
        if call_id in self._lines:
            raise ValueError(f"call {call_id} is live already; an attempt sends one INVITE")
        carrier, number = self._carrier, 0
        counted = carrier.offer(trunk, now)
        if counted:
            number = self._attempts[phone] = self._attempts.get(phone, 0) + 1
            script = carrier.script(call_id, phone=phone, hotline=hotline, attempt_no=number, now=now, amd=amd)
        else:
            script = carrier.over_cap(call_id, trunk)
        line = self._lines[call_id] = Line(call_id, script, trunk, now, owner, counted=counted)
        line.phone, line.attempt_no = phone, number
        if self._summoned:
            self._take_leg(line)
        self.unanswered += 1
        self.peak_unanswered = max(self.peak_unanswered, self.unanswered)
        self._at(now + script.steps[0][0], self._play_step, (line, 0, 0))

    def _take_leg(self, line: Line) -> None:
        leg = self._summoned.pop(line.call_id, None)
        if leg is not None:
            line.agent_id, line.is_summoned = leg.agent_id, True

    def arrive(self, event: CallArrived, script: Script, now: float, *, number: int, owner: object = None) -> None:
        """Let a call come in; it rings here until `answer`, `hangup`, or the end of the caller's patience."""
        line = Line(event.call_id, script, event.trunk, now, owner, counted=False)
        line.phone, line.attempt_no, line.direction, line.heard = event.phone, number, Direction.INBOUND, True
        self._lines[event.call_id] = line
        self._at(now + script.patience_s, self._remote_end, (line, 0))
        self._emit(owner, event, now)

    def answer(self, call_id: CallId, now: float) -> None:
        """Take a call that arrived; the caller goes on waiting for somebody to speak."""
        line = self._lines.get(call_id)
        if line is not None and line.direction is Direction.INBOUND and not line.answered:
            line.answered = True
            self._emit(line.owner, CallAnswered(call_id), now)

    def hangup(self, call_id: CallId, now: float) -> None:
        """CANCEL, BYE or, to a call that arrived, a refusal; an unknown id is ignored."""
        line = self._lines.get(call_id)
        if line is None:
            leg = self._summoned.pop(call_id, None)
            if leg is not None:
                self._emit(leg.owner, CallEnded(call_id, ended_by=EndedBy.DIALER), now)
            return
        self._leave(line)
        if not line.answered and line.script.late_answer and line.heard:
            self._at(now + self._carrier.profile.cancel_s, self._late_answer, (line, line.turn))
            return
        self._at(now + self._carrier.profile.cancel_s, self._end, (line, line.turn, _hung_up(line, EndedBy.DIALER)))

    def hang_up_by_agent(self, call_id: CallId, now: float) -> None:
        """End a talk, or a call for which the agent was summoned, from the agent's side; others are left alone."""
        line = self._lines.get(call_id)
        if line is not None and (line.answered or line.agent_id is not None):
            self._finish(line, _hung_up(line, EndedBy.AGENT), now)
        elif line is None and (leg := self._summoned.pop(call_id, None)) is not None:
            self._emit(leg.owner, CallEnded(call_id, ended_by=EndedBy.AGENT), now)

    def hang_up_by_customer(self, call_id: CallId, now: float) -> None:
        """End a call from its far end, whatever its script says; an unknown id is ignored."""
        line = self._lines.get(call_id)
        if line is not None:
            self._finish(line, _hung_up(line, EndedBy.REMOTE), now)

    # --- agents -------------------------------------------------------------------------------------------------------

    def summon(self, call_id: CallId, agent_id: AgentId, now: float, owner: object = None) -> None:
        """Bring an agent's leg up for a call that is not placed yet."""
        leg = self._summoned[call_id] = Summoned(call_id, agent_id, owner)
        self._at(now + min(self._carrier.profile.connect_s, CONNECT_LIMIT_S), self._picked_up, leg)

    def _picked_up(self, leg: Summoned, now: float) -> None:
        call_id = leg.call_id
        if self._summoned.get(call_id) is not leg:
            return
        if self._is_away(leg):
            del self._summoned[call_id]
            self._emit(leg.owner, ConnectFailed(call_id, leg.agent_id), now)
            return
        leg.is_up = True
        self._emit(leg.owner, AgentOnLine(call_id, leg.agent_id), now)

    def _is_away(self, leg: Summoned) -> bool:
        profile = self._carrier.profile
        fails = self._carrier.chance(leg.call_id, "summon") < profile.connect_fails
        return fails or profile.connect_s > CONNECT_LIMIT_S or leg.agent_id in self.absent

    def connect(self, call_id: CallId, agent_id: AgentId, now: float) -> None:
        """Join an answered call and an agent; one who was summoned is there already."""
        line = self._lines.get(call_id)
        if line is None or not line.answered:
            return
        is_there = line.is_summoned and line.agent_id == agent_id
        if line.is_joined and line.agent_id == agent_id:
            self._emit(line.owner, CallConnected(call_id, agent_id), now)
            return
        if line.is_joined:  # taken from another agent
            line.is_joined = False
            self._wait(line, line.script.patience_s + CONNECT_LIMIT_S, now)
        line.agent_id, line.is_summoned = agent_id, False
        line.join += 1
        if is_there:
            line.script = _second_time(line.script)
        connect_s = 0.0 if is_there else self._carrier.profile.connect_s
        if connect_s <= CONNECT_LIMIT_S:
            self._at(now + connect_s, self._join, (line, line.join, agent_id))
        else:
            self._at(now + CONNECT_LIMIT_S, self._give_up_join, (line, line.join, agent_id))

    def agent_gone(self, call_id: CallId, now: float) -> None:
        """Let the agent's leg fall silent: the other side hangs up when its patience ends."""
        line = self._lines.get(call_id)
        if line is not None and line.answered:
            line.is_joined = False
            self._wait(line, line.script.patience_s, now)
            line.join += 1

    def transfer(self, call_id: CallId, phone: str, now: float) -> None:
        """Send the far end of an answered call on to another number; CallTransferred follows."""
        line = self._lines.get(call_id)
        if line is not None and line.answered:
            self._at(now + self._carrier.profile.connect_s, self._transferred, (line, line.join, phone))

    def _transferred(self, payload: tuple[Line, int, str], now: float) -> None:
        line, join, phone = payload
        if line.join != join:
            return
        profile = self._carrier.profile
        done = self._carrier.chance(phone, "transfer") >= profile.transfer_fails
        if done:
            self.media.hush(line, now)
            self._leave(line)
            line.agent_id, line.is_joined = None, False
            self._wait(line, line.script.talk_s, now)
        self._emit(line.owner, CallTransferred(line.call_id, done), now)

    # --- what happens by itself ---------------------------------------------------------------------------------------

    def _wait(self, line: Line, seconds: float, now: float) -> None:
        """Let the far end hang up after so long, unless something else comes first."""
        line.turn += 1
        self._at(now + seconds, self._remote_end, (line, line.turn))

    def _leave(self, line: Line) -> None:
        """Void whatever was to happen to it."""
        line.turn += 1
        line.join += 1
        line.asked += 1
        line.playing = False

    def _play_step(self, payload: tuple[Line, int, int], now: float) -> None:
        line, turn, index = payload
        if line.turn != turn:
            return
        steps = line.script.steps
        event = steps[index][1]
        kind = type(event)
        if kind is CallEnded:
            self._finish(line, event, now)
            return
        line.heard = True
        if kind is CallAnswered:
            self._answer(line, event, now)
            return
        index += 1
        self._at(line.placed_at + steps[index][0], self._play_step, (line, turn, index))
        self._emit(line.owner, event, now)

    def _answer(self, line: Line, event: Event, now: float) -> None:
        script = line.script
        line.answered = True
        self.unanswered -= 1
        self._wait(line, script.patience_s, now)
        if script.amd is not None:
            self._at(now + script.amd_delay_s, self._amd, line)
        self._emit(line.owner, event, now)

    def _late_answer(self, payload: tuple[Line, int], now: float) -> None:
        line, turn = payload
        if line.turn == turn:
            self._answer(line, CallAnswered(line.call_id), now)

    def _amd(self, line: Line, now: float) -> None:
        if line.call_id in self._lines and line.script.amd is not None:
            self._emit(line.owner, MachineDetected(line.call_id, line.script.amd), now)

    def _join(self, payload: tuple[Line, int, AgentId], now: float) -> None:
        line, join, agent_id = payload
        if line.join != join or line.agent_id != agent_id:
            return
        if line.script.connect_fails or agent_id in self.absent:
            line.script = _second_time(line.script)
            self._give_up_join(payload, now)
            return
        line.is_joined, line.on_hold = True, False
        line.turn += 1
        self._at(now + line.script.talk_s, self._talk_over, (line, line.turn))
        self._emit(line.owner, CallConnected(line.call_id, agent_id), now)

    def _give_up_join(self, payload: tuple[Line, int, AgentId], now: float) -> None:
        line, join, agent_id = payload
        if line.join == join and line.agent_id == agent_id:
            line.agent_id = None
            self._emit(line.owner, ConnectFailed(line.call_id, agent_id), now)

    def _talk_over(self, payload: tuple[Line, int], now: float) -> None:
        line, turn = payload
        if line.turn != turn:
            return
        if line.script.agent_hangs_up:
            self.hang_up_by_agent(line.call_id, now)
        else:
            self._remote_end(payload, now)

    def _remote_end(self, payload: tuple[Line, int], now: float) -> None:
        line, turn = payload
        if line.turn == turn:
            self._finish(line, _hung_up(line, EndedBy.REMOTE), now)

    def _end(self, payload: tuple[Line, int, CallEnded], now: float) -> None:
        line, turn, end = payload
        if line.turn == turn:
            self._finish(line, end, now)

    def _finish(self, line: Line, end: Event, now: float) -> None:
        self._leave(line)
        del self._lines[line.call_id]
        if not line.answered and line.direction is Direction.OUTBOUND:
            self.unanswered -= 1
        if line.counted:
            self._carrier.free(line.trunk)
        if line.tape_from is not None:
            self.media.stop_tape(line, now)
        self._emit(line.owner, end, now)


def _hung_up(line: Line, by: EndedBy) -> CallEnded:
    """Return the end of a call that one side ends: 200 to a BYE, 487 to a CANCEL, our 603 to a call that arrived."""
    if line.answered:
        return CallEnded(line.call_id, 200, 16, ended_by=by)
    if line.direction is Direction.INBOUND and by is EndedBy.DIALER:
        return CallEnded(line.call_id, 603, 21, ended_by=by)
    return CallEnded(line.call_id, 487 if line.heard else None, ended_by=by)


def _second_time(script: Script) -> Script:
    """Return the script for the next agent, whose leg works."""
    return msgspec.structs.replace(script, connect_fails=False) if script.connect_fails else script
