"""The EIS horizon (US 5,640,445; pacing.md 3.2): agents who will be free within T, and T as the only knob.

Each engaged agent weighs the chance, by the statistics of call lengths and the time already spent, to end within T;
calls are dialed for the sum. T grows while the abandoned share is within its limit and shrinks while it is not.
"""

from __future__ import annotations

import math

import msgspec

from dialer.core.pacing.base import Allowance, Snapshot
from dialer.core.pacing.baselines.windows import NOBODY, NOT_NOW, Log, calls, percent

PERIOD_S = 1.0
_WINDOW_S = 1800.0
_LEAST_T_S, _MOST_T_S = 0.25, 120.0


class EisSettings(msgspec.Struct, frozen=True):
    """Seconds and percent; `step` is the relative change of T each `every_s`."""

    step: float = 0.1
    limit_percent: float = 2.5
    every_s: float = 60.0
    first_t_s: float = 2.0


class Eis:
    """See the module."""

    name = "eis"
    period_s = PERIOD_S
    eager = False

    def __init__(self, settings: EisSettings) -> None:
        """Start with a short horizon."""
        self.settings = settings
        self.horizon_s = settings.first_t_s
        self._log = Log(_WINDOW_S)
        self._look_at = self._steer_at = -math.inf

    def allowance(self, snapshot: Snapshot, *, now: float) -> Allowance:
        """Return (idle + weights - waiting) / answer rate - ringing."""
        if now < self._look_at:
            return NOT_NOW
        self._look_at = now + PERIOD_S
        if now >= self._steer_at:
            self._steer(snapshot, now)
        if snapshot.agents == 0:
            return NOBODY
        known, horizon = snapshot.estimates, self.horizon_s
        free = snapshot.idle + sum(known.talk.within(age, horizon) for age in snapshot.talking)
        free += sum(known.wrap.within(age, horizon) for age in snapshot.wrapping)
        wanted = math.floor((free - snapshot.waiting) / max(known.p_answer, 1e-6)) - len(snapshot.ringing)
        return calls(wanted, snapshot, f"T {horizon:.1f} s, {free:.1f} free")

    def _steer(self, snapshot: Snapshot, now: float) -> None:
        self._steer_at = now + self.settings.every_s
        self._log.note(snapshot.tally, now)
        past = self._log.last(_WINDOW_S)
        over = percent(past.abandoned, past.answered) > self.settings.limit_percent
        factor = 1 - self.settings.step if over else 1 + self.settings.step
        self.horizon_s = max(_LEAST_T_S, min(self.horizon_s * factor, _MOST_T_S))
