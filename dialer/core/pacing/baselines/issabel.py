"""Issabel's predictor (pacing.md 2.4): busy agents count as "about to be free" by the age of their call.

The test 1 - exp(-(age + ring) / mean) >= service share is the unconditional law of the whole call's length, not of what
is left of it: a call that has lasted long counts as nearly over for ever. Kept as it is.
"""

from __future__ import annotations

import math

import msgspec

from dialer.core.pacing.base import Allowance, Snapshot
from dialer.core.pacing.baselines.windows import NOBODY, NOT_NOW, calls

PERIOD_S = 1.0
_FEW_CALLS = 10
_ASR_WINDOW_S = 1800.0
_LEAST_ASR = 0.2


class IssabelSettings(msgspec.Struct, frozen=True):
    """`service_percent` as in its form; `look_s` is how often the campaign is looked at."""

    service_percent: float = 97.0
    look_s: float = 3.0


class Issabel:
    """See the module; progressive until ten calls have ended."""

    name = "issabel"
    period_s = PERIOD_S
    eager = False

    def __init__(self, settings: IssabelSettings) -> None:
        """Start without a memory: everything is counted anew at each look."""
        self.settings = settings
        self._look_at = -math.inf

    def allowance(self, snapshot: Snapshot, *, now: float) -> Allowance:
        """Return (free + about to be free - waiting - ringing) / answer-seizure ratio of the last 30 minutes."""
        if now < self._look_at:
            return NOT_NOW
        self._look_at = now + self.settings.look_s
        if snapshot.agents == 0:
            return NOBODY
        talks, attempts = snapshot.recent.talks, snapshot.recent.attempts
        missing = snapshot.idle - snapshot.waiting - len(snapshot.ringing)
        if len(talks) < _FEW_CALLS:
            return calls(missing, snapshot, "fewer than ten calls have ended")
        mean_s = sum(talks) / len(talks)
        rings = [attempt.after_s for attempt in attempts if attempt.answered]
        ring_s = sum(rings) / len(rings) if rings else 0.0
        free_soon = sum(
            about_free(age, ring_s, mean_s) >= self.settings.service_percent / 100 for age in snapshot.talking
        )
        fresh = [attempt.answered for attempt in attempts if attempt.at > now - _ASR_WINDOW_S]
        asr = max(_LEAST_ASR, sum(fresh) / len(fresh)) if len(fresh) >= _FEW_CALLS else 1.0
        return calls(max(0, missing + free_soon) / asr, snapshot, f"{free_soon} about to be free, ASR {asr:.2f}")


def about_free(age_s: float, ring_s: float, mean_s: float) -> float:
    """Return 1 - exp(-(age + ring) / mean), the Erlang law with k = 1."""
    return -math.expm1(-(age_s + ring_s) / mean_s) if mean_s > 0 else 1.0
