"""VICIdial's adaptive dial level (pacing.md 2.1 to 2.3): AVERAGE, HARD_LIMIT and TAPERED, both tally modes.

One process looks at the agents every second (a ring of 15 samples), changes the level every 15 s and recounts the log
every minute; another places calls, one by one with a sleep of 1000 / cps ms after each, and looks again 2.5 s after the
last sleep. The level multiplies itself, so it runs up in under a minute; the limiter sees drops up to a minute late
and counts the day, so it is nearly binary. Drops are judged by the centre (its grace in place of drop_call_seconds).
"""

from __future__ import annotations

import math
from collections import deque
from typing import Literal

import msgspec

from dialer.core.pacing.base import Allowance, Snapshot
from dialer.core.pacing.baselines.windows import DAY_S, NOBODY, NOT_NOW, Log, percent
from dialer.core.types import HoldReason

PERIOD_S = 0.2
_SAMPLE_S, _SAMPLES = 1.0, 15
_LEVEL_S = 15.0
_RECOUNT_S = 60.0
_LOOP_S = 2.5
_FEW_CALLS, _WILD_PERCENT = 20, 50.0
_FEW_ANSWERS = 50
_TAPERS_BELOW = 1000.0
"""HHMM figures, not minutes: ten hours and more before the end the taper does nothing."""
_FASTEST_CPS = 200.0
_QUICK_SLEEP_S = 0.025
_MOMENT = 1e-9

Method = Literal["average", "hard", "tapered"]


class VicidialSettings(msgspec.Struct, frozen=True):
    """A campaign's fields, under their names in the schema."""

    method: Method = "average"
    available_only_tally: bool = False
    maximum_level: float = 3.0
    dl_diff_target: float = 0.0
    """As a share of the agents, where the schema has agents; below zero: keep so many idle."""
    intensity: float = 0.0
    """Percent."""
    dropped_percentage: float = 3.0
    latest_server_time: int = 2100
    """HHMM."""
    cps: float = 5.0


class Vicidial:
    """Keep a dial level; see the module."""

    period_s = PERIOD_S
    eager = False

    def __init__(self, settings: VicidialSettings) -> None:
        """Start at level 1."""
        self.name = f"vicidial-{settings.method}" + ("-y" if settings.available_only_tally else "")
        self.settings = settings
        self.level = 1.0
        self._samples: deque[tuple[int, int, int]] = deque(maxlen=_SAMPLES)
        """(ready, waiting, logged in)"""
        self._log = Log(5 * _RECOUNT_S)
        self._sample_at = self._level_at = self._recount_at = self._dial_at = -math.inf
        self._queued = 0

    def allowance(self, snapshot: Snapshot, *, now: float) -> Allowance:
        """Return one call when the loop is due to place one."""
        if now + _MOMENT >= self._sample_at:
            self._look(snapshot, now)
        if now + _MOMENT < self._dial_at:
            return NOT_NOW
        if snapshot.agents == 0:
            self._queued, self._dial_at = 0, now + _LOOP_S
            return NOBODY
        if self._queued == 0:
            self._queued = max(0, min(self.missing(snapshot), snapshot.room))
        if self._queued == 0 or snapshot.room <= 0:
            self._queued, self._dial_at = 0, now + _LOOP_S
            return Allowance(0, HoldReason.PACING, f"level {self.level:g}")
        self._queued -= 1
        cps = self.settings.cps
        sleep_s = 1 / cps if 1 <= cps <= _FASTEST_CPS else _QUICK_SLEEP_S
        self._dial_at = now + sleep_s + (0.0 if self._queued else _LOOP_S)
        return Allowance(1, HoldReason.PACING, f"level {self.level:g}")

    def missing(self, snapshot: Snapshot) -> int:
        """Return goal - existing calls: goal = round(level x agents), agents with or without those who talk."""
        ready, talking = snapshot.idle, len(snapshot.talking)
        existing = len(snapshot.ringing) + snapshot.waiting + talking
        if self.settings.available_only_tally:
            return round(self.level * ready) + talking - existing
        return round(self.level * (ready + talking)) - existing

    def _look(self, snapshot: Snapshot, now: float) -> None:
        self._sample_at = now + _SAMPLE_S
        self._samples.append((snapshot.idle, snapshot.waiting, snapshot.agents + snapshot.leaving + snapshot.paused))
        if now + _MOMENT >= self._recount_at:
            self._recount_at = now + _RECOUNT_S
            self._log.note(snapshot.tally, now)
        if now + _MOMENT >= self._level_at:
            self._level_at = now + _LEVEL_S
            self._adapt(now)

    def _adapt(self, now: float) -> None:
        settings, count = self.settings, len(self._samples)
        logged_in = sum(total for _, _, total in self._samples) / count
        if logged_in <= 0:
            return
        spare = sum(ready - waiting for ready, waiting, _ in self._samples) / count
        change = spare / logged_in + settings.dl_diff_target
        intensity = settings.intensity / 100
        change *= (1 + intensity) if change >= 0 else abs(intensity - 1)
        level = max(1.0, min(round(self.level * (1 + change), 3), settings.maximum_level))
        self.level = max(1.0, self._limited(level, now))

    def _limited(self, level: float, now: float) -> float:
        """Return the level after the drops of the last minute and of the day."""
        minute, day = self._log.last(_RECOUNT_S), self._log.today()
        if minute.placed > _FEW_CALLS and percent(minute.abandoned, minute.placed) > _WILD_PERCENT:
            level /= 2
        if day.answered > _FEW_ANSWERS and percent(day.abandoned, day.answered) > self.settings.dropped_percentage:
            if self.settings.method == "hard":
                return 1.0
            if self.settings.method == "average":
                return level / 2
            return level * taper(self.settings.latest_server_time, now)
        return level


def taper(latest: int, now: float) -> float:
    """Return the factor near the end of the day, from the difference of two HHMM figures; 0 when it is past."""
    second = now % DAY_S
    left = latest - (100 * int(second // 3600) + int(second % 3600 // 60))
    return max(0.0, min(1.0, left / _TAPERS_BELOW))
