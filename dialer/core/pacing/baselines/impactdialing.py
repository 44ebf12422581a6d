"""ImpactDialing (pacing.md 2.4): play four minutes ahead with real attempts for six dial ratios, take the best one."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from dialer.core.pacing.base import Allowance, Snapshot
from dialer.core.pacing.baselines.windows import NOBODY, NOT_NOW, Log, calls, percent

PERIOD_S = 1.0
_CALLERS, _ATTEMPTS = 5, 50
_RESAMPLED = 100
_WINDOW_S = 1800.0
_PLAYED_S = 240
_RATIOS = 6
_AGAIN_S = 60.0
_OVER_FACTOR = 0.75


class ImpactSettings(msgspec.Struct, frozen=True):
    """`acceptable_abandon_percent` as in its campaign; `seed` of the resampling."""

    acceptable_abandon_percent: float = 3.0
    seed: int = 1


class Sample(msgspec.Struct, frozen=True):
    """One resampled attempt; whole seconds."""

    answered: bool
    after_s: int
    handle_s: int


class ImpactDialing:
    """Dial ratio x available - ringing - waiting; the ratio is chosen once a minute."""

    name = "impactdialing"
    period_s = PERIOD_S
    eager = False

    def __init__(self, settings: ImpactSettings) -> None:
        """Start with one call for each available agent."""
        self.settings = settings
        self.ratio = 1.0
        self._rng = np.random.default_rng(settings.seed)
        self._log = Log(_WINDOW_S)
        self._look_at = self._choose_at = -math.inf

    def allowance(self, snapshot: Snapshot, *, now: float) -> Allowance:
        """Return the calls; a real abandoned share over the limit takes a quarter off the ratio."""
        if now < self._look_at:
            return NOT_NOW
        self._look_at = now + PERIOD_S
        if snapshot.agents == 0:
            return NOBODY
        if now >= self._choose_at:
            self._choose_at = now + _AGAIN_S
            self._log.note(snapshot.tally, now)
            self.ratio = self._chosen(snapshot, now)
        past = self._log.last(_WINDOW_S)
        over = percent(past.abandoned, past.answered) > self.settings.acceptable_abandon_percent
        ratio = self.ratio * (_OVER_FACTOR if over else 1.0)
        wanted = math.floor(ratio * snapshot.idle) - len(snapshot.ringing) - snapshot.waiting
        return calls(wanted, snapshot, f"ratio {ratio:.2f}")

    def _chosen(self, snapshot: Snapshot, now: float) -> float:
        fresh = [attempt for attempt in snapshot.recent.attempts if attempt.at > now - _WINDOW_S]
        talks, wraps = snapshot.recent.talks, snapshot.recent.wraps
        answered = sum(attempt.answered for attempt in fresh)
        if snapshot.agents < _CALLERS or len(fresh) < _ATTEMPTS or not answered or not talks:
            return 1.0
        picks = self._rng.integers(0, len(fresh), min(_RESAMPLED, len(fresh)))
        lengths = self._rng.integers(0, len(talks), len(picks))
        wrap_s = sum(wraps) / len(wraps) if wraps else 0.0
        samples = [
            Sample(fresh[pick].answered, max(1, round(fresh[pick].after_s)), max(1, round(talks[length] + wrap_s)))
            for pick, length in zip(picks.tolist(), lengths.tolist(), strict=True)
        ]
        best, best_use = 1.0, -1.0
        for step in range(1, _RATIOS + 1):
            ratio = max(1.0, step / _RATIOS * len(fresh) / answered)
            use, abandoned = play(samples, snapshot.agents, ratio)
            if abandoned <= self.settings.acceptable_abandon_percent and use > best_use:
                best, best_use = ratio, use
        return best


def play(samples: list[Sample], agents: int, ratio: float) -> tuple[float, float]:
    """Play four minutes second by second; return (utilisation in 0..1, abandoned percent of the answered)."""
    ends, frees = [[0, 0] for _ in range(_PLAYED_S)], [0] * _PLAYED_S
    handles: list[list[int]] = [[] for _ in range(_PLAYED_S)]
    free, ringing, number, busy_s, answered, abandoned = agents, 0, 0, 0, 0, 0
    for second in range(_PLAYED_S):
        free += frees[second]
        ringing -= ends[second][0]
        for handle_s in handles[second]:
            answered += 1
            if free:
                free -= 1
                if second + handle_s < _PLAYED_S:
                    frees[second + handle_s] += 1
            else:
                abandoned += 1
        for _ in range(math.floor(ratio * free) - ringing):
            one = samples[number % len(samples)]
            number += 1
            ringing += 1
            at = second + one.after_s
            if at < _PLAYED_S:
                ends[at][0] += 1
                if one.answered:
                    handles[at].append(one.handle_s)
        busy_s += agents - free
    return busy_s / (agents * _PLAYED_S), percent(abandoned, answered)
