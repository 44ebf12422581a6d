"""The legal budget: an exact count, kept apart from the estimators, that no pacer can overdraw (pacing.md 3.4, 4).

Rule: over-dialing is allowed only while D + w <= alpha * M, where M calls were answered by a person and D of them
abandoned in the window, and w = every call in flight beyond the idle agents (all of them may answer, and nobody be
there). Else one call per idle agent.

Guarantee: when an idle agent takes the next answered call and idle agents stay until they get one, then after each
abandoned call D <= alpha * M holds for the window, whatever answers, fails, or turns out to be a machine, and in
whatever order; no call lives longer than a bucket. So nothing is risked before M >= 1 / alpha. Not covered: agents who
vanish while idle or while being joined (a cause of its own), and the share rising because old answers leave the window
(then no over-dialing until it is back).
"""

from __future__ import annotations

import math
from collections import deque

import msgspec

from dialer.core.pacing.base import Allowance, Snapshot
from dialer.core.types import HoldReason, LegalProfile

_DAY_S = 86_400.0
_LEAST_BUCKETS = 24


class _Bucket:
    """The counts of one day (or of a 24th of a shorter window)."""

    __slots__ = ("abandons", "answers", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.answers = 0
        self.abandons = 0


class LegalBudget:
    """Count answers and abandons over the rolling window, and say how many calls the law lets go out.

    The history given at the start is dated at the first moment that is asked about.
    """

    def __init__(self, profile: LegalProfile, answers: int, abandons: int) -> None:
        if not 0 <= profile.abandon_limit <= 1:
            raise ValueError(f"legal.abandon_limit must be a share in 0..1, not {profile.abandon_limit}")
        if not (math.isfinite(profile.window_s) and profile.window_s > 0):
            raise ValueError(f"legal.window_s must be a positive number of seconds, not {profile.window_s}")
        if not 0 <= abandons <= answers:
            raise ValueError(f"legal history: {abandons} abandoned of {answers} answered calls cannot be")
        self._limit = profile.abandon_limit
        self._bucket_s = min(_DAY_S, profile.window_s / _LEAST_BUCKETS)
        self._reach = math.ceil(profile.window_s / self._bucket_s)
        self._history = (answers, abandons)
        self._buckets: deque[_Bucket] = deque()
        self._answers = answers
        self._abandons = abandons

    @property
    def limit(self) -> float:
        """Return the share of abandoned calls that must not be passed."""
        return self._limit

    def answered(self, now: float) -> None:
        """Count a call answered by a person, before anything else is known of it."""
        self._bucket(now).answers += 1
        self._answers += 1

    def abandoned(self, now: float) -> None:
        """Count one of the answered calls as abandoned."""
        self._bucket(now).abandons += 1
        self._abandons += 1

    def counts(self, now: float) -> tuple[int, int]:
        """Return (answered by a person, abandoned) in the window."""
        self._bucket(now)
        return self._answers, self._abandons

    def allow(self, *, idle: int, ringing: int, waiting: int, wanted: int, now: float) -> tuple[int, bool]:
        """Return how many of the wanted calls may go out, and whether the law held some back."""
        uncovered = idle - ringing - waiting
        allowed = max(0, min(wanted, max(uncovered, uncovered + self._slack(now))))
        return allowed, allowed < wanted

    def _slack(self, now: float) -> int:
        """Count the abandons that the window can bear, today and when its oldest bucket has left it."""
        newest = self._bucket(now)
        oldest = self._buckets[0]
        slack = self._limit * self._answers - self._abandons
        if oldest is not newest and oldest.number <= newest.number - self._reach:
            later = self._limit * (self._answers - oldest.answers) - (self._abandons - oldest.abandons)
            slack = min(slack, later)
        return math.floor(slack)

    def _bucket(self, now: float) -> _Bucket:
        """Return today's bucket, after dropping those that have left the window."""
        number = math.floor(now / self._bucket_s)
        buckets = self._buckets
        if buckets and number <= buckets[-1].number:
            return buckets[-1]
        newest = _Bucket(number)
        if not buckets:
            newest.answers, newest.abandons = self._history
        buckets.append(newest)
        while buckets[0].number < number - self._reach:
            gone = buckets.popleft()
            self._answers -= gone.answers
            self._abandons -= gone.abandons
        return newest


def guarded(allowance: Allowance, snapshot: Snapshot, budget: LegalBudget, now: float) -> Allowance:
    """Return the allowance of any pacer cut to what the legal budget permits."""
    wanted = allowance.dials
    if wanted <= 0:
        return allowance
    dials, held = budget.allow(
        idle=snapshot.idle, ringing=len(snapshot.ringing), waiting=snapshot.waiting, wanted=wanted, now=now
    )
    if not held:
        return allowance
    answers, abandons = budget.counts(now)
    detail = (
        f"{wanted} wanted, {dials} allowed: {abandons} of {answers} answered calls were abandoned, the limit is "
        f"{100 * budget.limit:g} %, and {len(snapshot.ringing) + snapshot.waiting} calls are in flight for "
        f"{snapshot.idle} idle"
    )
    return msgspec.structs.replace(allowance, dials=dials, reason=HoldReason.LEGAL_BUDGET, detail=detail)
