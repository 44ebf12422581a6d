"""The switch: performs the carrier's scripts and obeys CANCEL, BYE, connect and play; it owns no clock and no loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from dialer.core.events import (
    CallAnswered,
    CallConnected,
    CallEnded,
    ConnectFailed,
    Event,
    MachineDetected,
    PromptEnded,
)
from dialer.core.types import AgentId, CallId
from simulator.carrier import Carrier
from simulator.script import Script
from statuses.outcomes import EndedBy

CONNECT_LIMIT_S = 5.0
"""A join that takes longer fails, before the dialer gives the agent up: a late one would meet a busy agent."""


class Schedule(Protocol):
    """Run `what(payload, now)` at the moment `at`."""

    def __call__(self, at: float, what: Callable[[Any, float], None], payload: object) -> None:
        """Remember it; `what` must not run before this returns."""
        ...


class Line:
    """One call at the switch; `turn` grows when it takes another course, and voids what was scheduled before."""

    __slots__ = (
        "agent_id", "answered", "call_id", "counted", "heard", "owner", "placed_at", "script", "trunk", "turn",
    )  # fmt: skip

    def __init__(
        self, call_id: CallId, script: Script, trunk: str, now: float, owner: object, *, counted: bool
    ) -> None:
        self.call_id = call_id
        self.script = script
        self.trunk = trunk
        self.placed_at = now
        self.owner = owner
        self.counted = counted
        """Holds a channel of the trunk."""
        self.turn = 0
        self.heard = False
        """Something came back: CANCEL may be sent (RFC 3261 section 9.1)."""
        self.answered = False
        self.agent_id: AgentId | None = None


class Exchange:
    """Hold the live calls. `emit(owner, event, now)` gets every event, in order of time."""

    def __init__(self, carrier: Carrier, schedule: Schedule, emit: Callable[[Any, Event, float], None]) -> None:
        self._carrier = carrier
        self._at = schedule
        self._emit = emit
        self._lines: dict[CallId, Line] = {}
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

    def get(self, call_id: CallId) -> Line | None:
        """Return a live call."""
        return self._lines.get(call_id)

    def originate(
        self, call_id: CallId, *, phone: str, hotline: str, trunk: str, now: float, owner: object = None
    ) -> None:
        """Send the INVITE; an id that is live already is refused as a fault of ours: ValueError."""
        if call_id in self._lines:
            raise ValueError(f"call {call_id} is live already; an attempt sends one INVITE")
        carrier = self._carrier
        counted = carrier.offer(trunk, now)
        if counted:
            number = self._attempts[phone] = self._attempts.get(phone, 0) + 1
            script = carrier.script(call_id, phone=phone, hotline=hotline, attempt_no=number, now=now)
        else:
            script = carrier.over_cap(call_id, trunk)
        line = self._lines[call_id] = Line(call_id, script, trunk, now, owner, counted=counted)
        self.unanswered += 1
        self.peak_unanswered = max(self.peak_unanswered, self.unanswered)
        self._at(now + script.steps[0][0], self._play_step, (line, 0, 0))

    def hangup(self, call_id: CallId, now: float) -> None:
        """CANCEL or BYE; an unknown id is ignored."""
        line = self._lines.get(call_id)
        if line is None:
            return
        line.turn += 1
        if not line.answered and line.script.late_answer and line.heard:
            self._at(now + self._carrier.profile.cancel_s, self._late_answer, (line, line.turn))
            return
        status = 200 if line.answered else 487 if line.heard else None
        end = CallEnded(call_id, status, 16 if line.answered else None, ended_by=EndedBy.DIALER)
        self._at(now + self._carrier.profile.cancel_s, self._end, (line, line.turn, end))

    def hang_up_by_agent(self, call_id: CallId, now: float) -> None:
        """End the talk from the agent's side; an unknown or unanswered call is left alone."""
        line = self._lines.get(call_id)
        if line is not None and line.answered:
            self._finish(line, CallEnded(call_id, 200, 16, ended_by=EndedBy.AGENT), now)

    def connect(self, call_id: CallId, agent_id: AgentId, now: float) -> None:
        """Join an answered call and an agent."""
        line = self._lines.get(call_id)
        if line is None or not line.answered:
            return
        line.agent_id = agent_id
        connect_s = self._carrier.profile.connect_s
        if connect_s <= CONNECT_LIMIT_S:
            self._at(now + connect_s, self._join, (line, line.turn, agent_id))
        else:
            self._at(now + CONNECT_LIMIT_S, self._give_up_join, (line, line.turn, agent_id))

    def agent_gone(self, call_id: CallId, now: float) -> None:
        """Let the agent's leg fall silent: the other side hangs up when its patience ends."""
        line = self._lines.get(call_id)
        if line is not None and line.answered:
            line.turn += 1
            self._at(now + line.script.patience_s, self._remote_end, (line, line.turn))

    def play(self, call_id: CallId, now: float) -> None:
        """Play a prompt to an answered call; the person listens or hangs up, whichever their patience says."""
        line = self._lines.get(call_id)
        if line is not None and line.answered:
            listens_s = line.script.prompt_patience_s
            if listens_s is not None:
                line.turn += 1
                self._at(now + listens_s, self._remote_end, (line, line.turn))
            self._at(now + self._carrier.profile.prompt_s, self._prompt_over, (line, line.turn))

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
        line.turn += 1
        self._at(now + script.patience_s, self._remote_end, (line, line.turn))
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
        line, turn, agent_id = payload
        if line.turn != turn or line.agent_id != agent_id:
            return
        if line.script.connect_fails and line.turn == 1:
            line.script = _second_time(line.script)
            self._give_up_join(payload, now)
            return
        line.turn += 1
        self._at(now + line.script.talk_s, self._talk_over, (line, line.turn))
        self._emit(line.owner, CallConnected(line.call_id, agent_id), now)

    def _give_up_join(self, payload: tuple[Line, int, AgentId], now: float) -> None:
        line, turn, agent_id = payload
        if line.turn == turn and line.agent_id == agent_id:
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
            self._finish(line, CallEnded(line.call_id, 200, 16, ended_by=EndedBy.REMOTE), now)

    def _prompt_over(self, payload: tuple[Line, int], now: float) -> None:
        line, turn = payload
        if line.turn == turn:
            self._emit(line.owner, PromptEnded(line.call_id), now)

    def _end(self, payload: tuple[Line, int, CallEnded], now: float) -> None:
        line, turn, end = payload
        if line.turn == turn:
            self._finish(line, end, now)

    def _finish(self, line: Line, end: Event, now: float) -> None:
        line.turn += 1
        del self._lines[line.call_id]
        if not line.answered:
            self.unanswered -= 1
        if line.counted:
            self._carrier.free(line.trunk)
        self._emit(line.owner, end, now)


def _second_time(script: Script) -> Script:
    """Return the script for the next agent, whose leg works."""
    return Script(
        script.fate, script.steps, script.talk_s, script.patience_s, script.agent_hangs_up,
        script.amd, script.amd_delay_s, script.late_answer,
    )  # fmt: skip
