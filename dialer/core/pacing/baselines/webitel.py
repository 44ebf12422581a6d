"""Webitel's predictive dialer (pacing.md 2.4): calls per free agent from the hour's answer rate and abandoned share."""

from __future__ import annotations

import math

import msgspec

from dialer.core.pacing.base import Allowance, Snapshot
from dialer.core.pacing.baselines.windows import NOBODY, NOT_NOW, Log, calls, percent

PERIOD_S = 1.0
_WINDOW_S = 3600.0
_NOTE_S = 60.0


class WebitelSettings(msgspec.Struct, frozen=True):
    """Percentages of answered calls; `load_factor` in percent for each point below the target."""

    load_factor: float = 10.0
    target_abandoned: float = 2.0
    max_abandoned: float = 3.0
    min_attempts: int = 100


class Webitel:
    """Dial `over` calls for each free agent; `over` = 1 / answer rate, more below the target and less above."""

    name = "webitel"
    period_s = PERIOD_S
    eager = False

    def __init__(self, settings: WebitelSettings) -> None:
        """Start progressive: nothing is known before `min_attempts`."""
        self.settings = settings
        self._log = Log(_WINDOW_S)
        self._look_at = self._note_at = -math.inf

    def allowance(self, snapshot: Snapshot, *, now: float) -> Allowance:
        """Return over x idle - ringing - waiting."""
        if now < self._look_at:
            return NOT_NOW
        self._look_at = now + PERIOD_S
        if now >= self._note_at:
            self._log.note(snapshot.tally, now)
            self._note_at = now + _NOTE_S
        if snapshot.agents == 0:
            return NOBODY
        over = self.over()
        return calls(over * snapshot.idle - len(snapshot.ringing) - snapshot.waiting, snapshot, f"over {over:.2f}")

    def over(self) -> float:
        """Return the calls for each free agent."""
        hour, settings = self._log.last(_WINDOW_S), self.settings
        if hour.finished < settings.min_attempts or not hour.answered:
            return 1.0
        over = hour.finished / hour.answered
        abandoned = percent(hour.abandoned, hour.answered)
        if abandoned >= settings.max_abandoned:
            return 1.0
        if abandoned < settings.target_abandoned:
            return over * (1 + (settings.target_abandoned - abandoned) * settings.load_factor / 100)
        left = settings.max_abandoned - abandoned
        return max(1.0, over * left * (100 + settings.load_factor) / (100 * settings.max_abandoned))
