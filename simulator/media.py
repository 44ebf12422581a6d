"""What people at the simulated switch hear and say: prompts, keys, music, recordings, supervisors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dialer.core.events import DigitPressed, Event, PromptEnded, RecordingEnded
from dialer.core.types import AgentId, Supervision
from simulator.carrier import Carrier
from simulator.line import Line, Schedule
from simulator.tape import Tapes

KEY_GAP_S = 0.4
"""Between two keys that belong together."""


class Media:
    """Obey orders about answered calls; `hang_up((line, turn), now)` ends a call whose patience is over."""

    def __init__(
        self,
        carrier: Carrier,
        schedule: Schedule,
        emit: Callable[[Any, Event, float], None],
        hang_up: Callable[[tuple[Line, int], float], None],
    ) -> None:
        self._carrier = carrier
        self._at = schedule
        self._emit = emit
        self._hang_up = hang_up
        self.tapes = Tapes()

    def play(self, line: Line | None, now: float, *, can_be: bool = True) -> None:
        """Play a prompt; the person listens, presses keys or hangs up. One that plays already ends by this."""
        if line is None or not line.answered:
            return
        self.hush(line, now)
        if not can_be:
            self._emit(line.owner, PromptEnded(line.call_id, played=False), now)
            return
        line.playing = True
        line.asked += 1
        listens_s = line.script.prompt_patience_s
        if listens_s is not None and not line.is_joined:
            self._wait(line, listens_s, now)
        self._at(now + self._carrier.profile.prompt_s, self._prompt_over, (line, line.asked))
        if self._carrier.profile.keys:
            self._press(line, now)

    def _press(self, line: Line, now: float) -> None:
        pressed = self._carrier.keys(line.phone, line.attempt_no, line.asked)
        if pressed is not None:
            after_s, keys = pressed
            for place, key in enumerate(keys):
                self._at(now + after_s + place * KEY_GAP_S, self._key, (line, line.asked, key))

    def _key(self, payload: tuple[Line, int, str], now: float) -> None:
        line, asked, key = payload
        if line.asked != asked:
            return
        if not line.is_joined:
            listens_s = line.script.prompt_patience_s
            self._wait(line, line.script.patience_s if listens_s is None else listens_s, now)
        self._emit(line.owner, DigitPressed(line.call_id, key), now)

    def hush(self, line: Line | None, now: float) -> None:
        """Stop the prompt that plays; keys may still come."""
        if line is not None and line.playing:
            line.playing = False
            self._emit(line.owner, PromptEnded(line.call_id), now)

    def _prompt_over(self, payload: tuple[Line, int], now: float) -> None:
        line, asked = payload
        if line.asked == asked:
            self.hush(line, now)

    def hold(self, line: Line | None, now: float, *, on: bool) -> None:
        """Give the far end music, or end that; who waits for an agent waits longer with music."""
        if line is None or not line.answered or line.on_hold == on:
            return
        line.on_hold = on
        waits_s = line.script.hold_patience_s
        if on and waits_s is not None and not line.is_joined:
            self._wait(line, waits_s, now)

    def supervise(self, line: Line | None, supervisor: AgentId, mode: Supervision | None) -> None:
        """Let a supervisor into a talk, change what they may do, or take them out."""
        if line is None or not line.is_joined:
            return
        there = {} if line.supervisors is None else line.supervisors
        there.pop(supervisor, None)
        if mode is not None:
            there[supervisor] = mode
        line.supervisors = there or None

    def record(self, line: Line | None, now: float, *, limit_s: float | None) -> None:
        """Record from now on; a call that is being recorded goes on as it is."""
        if line is None or not line.answered or line.tape_from is not None:
            return
        line.tape_from = now
        line.tape_turn += 1
        if limit_s is not None:
            self._at(now + limit_s, self._tape_full, (line, line.tape_turn))

    def _tape_full(self, payload: tuple[Line, int], now: float) -> None:
        line, turn = payload
        if line.tape_turn == turn:
            self.stop_tape(line, now)

    def stop_tape(self, line: Line | None, now: float) -> None:
        """End the recording, if there is one."""
        if line is not None and line.tape_from is not None:
            seconds = now - line.tape_from
            line.tape_from = None
            self.tapes.keep(line.call_id, seconds)
            self._emit(line.owner, RecordingEnded(line.call_id, seconds), now)

    def _wait(self, line: Line, seconds: float, now: float) -> None:
        line.turn += 1
        self._at(now + seconds, self._hang_up, (line, line.turn))
