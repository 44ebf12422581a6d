"""Learned distributions of seconds: how long until an answer, a failure, the end of a talk, the end of a wrap-up."""

from __future__ import annotations

import math
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]

GRID_S = 1024
"""The grid has one point a second up to here; beyond it the tail is exponential."""
EDGES: Array = np.arange(GRID_S + 1, dtype=np.float64)

_KEEP = 1 - 1 / 1000
"""Forgetting per observation: about the last 1000 count."""
_PRIOR_WEIGHT = 20.0
"""Observations that the smooth (log-normal) shape is worth beside what was seen."""
_MIN_SIGMA = 0.1
_TAIL_SHARE = 0.002
"""A little exponential tail: a call longer than any seen still has a chance to end."""
_MIN_TAIL_MEAN_S = 5.0
_MIN_SECONDS = 0.1

_LOG_EDGES: Array = np.log(EDGES[1:])
_Z: Array = np.linspace(-6.0, 6.0, 4801)
_ABOVE_Z: Array = np.array([0.5 * math.erfc(z / math.sqrt(2)) for z in _Z.tolist()])
"""The normal law's upper tail at `_Z`: one interpolation is far quicker than a thousand `erfc`."""


def checked_seconds(name: str, seconds: float) -> float:
    """Return a duration that can be; raise ValueError naming it when negative, infinite or not a number."""
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{name} must be a finite number of seconds >= 0, not {seconds}")
    return seconds


class Curve(msgspec.Struct, frozen=True, eq=False):
    """A distribution of seconds: `survival[i]` = P(T > i), linear between the points, exponential past the grid."""

    survival: Array
    mean_s: float

    def left(self, seconds: float) -> float:
        """Return P(T > seconds); 1 before zero."""
        if seconds >= GRID_S:
            return float(self.survival[-1]) * math.exp((GRID_S - seconds) / max(self.mean_s, _MIN_TAIL_MEAN_S))
        whole = max(0.0, seconds)
        low = int(whole)
        first, second = float(self.survival[low]), float(self.survival[low + 1])
        return first + (second - first) * (whole - low)

    def left_at(self, seconds: Array) -> Array:
        """Return P(T > seconds) for many points."""
        inside = np.minimum(seconds, GRID_S)
        tail = np.exp((inside - seconds) / max(self.mean_s, _MIN_TAIL_MEAN_S))
        return np.asarray(np.interp(inside, EDGES, self.survival) * tail, dtype=np.float64)

    def within(self, age_s: float, more_s: float) -> float:
        """Return P(T <= age + more | T > age)."""
        alive = self.left(age_s)
        return min(1.0, max(0.0, 1 - self.left(age_s + more_s) / alive)) if alive > 0 else 1.0

    def quantile(self, share: float) -> float:
        """Return the seconds below which this share of the mass lies (at most the grid's end)."""
        return float(np.interp(share, 1 - self.survival, EDGES))


class DurationsState(msgspec.Struct, frozen=True):
    """What `Durations` has learned, to be stored; counts are little-endian doubles."""

    counts: bytes
    weight: float
    total_s: float
    log_sum: float
    log_squares: float


class Durations:
    """Learn a distribution of seconds: decayed counts shrunk towards a log-normal with the same moments."""

    def __init__(self, *, mean_s: float, cv: float) -> None:
        variance = math.log(1 + cv * cv)
        self._prior_mean_s = mean_s
        self._prior_mu = math.log(mean_s) - variance / 2
        self._prior_square = variance + self._prior_mu**2
        self._counts: Array = np.zeros(GRID_S + 1)
        self._weight = self._total_s = self._log_sum = self._log_squares = 0.0

    def add(self, seconds: float) -> None:
        """Take one duration."""
        log = math.log(max(seconds, _MIN_SECONDS))
        self._counts *= _KEEP
        self._counts[min(int(seconds), GRID_S)] += 1
        self._weight = self._weight * _KEEP + 1
        self._total_s = self._total_s * _KEEP + seconds
        self._log_sum = self._log_sum * _KEEP + log
        self._log_squares = self._log_squares * _KEEP + log * log

    @property
    def weight(self) -> float:
        """Return how many observations the present knowledge is worth."""
        return self._weight

    def curve(self) -> Curve:
        """Return the distribution as it is known now."""
        both = self._weight + _PRIOR_WEIGHT
        mean_s = (self._total_s + _PRIOR_WEIGHT * self._prior_mean_s) / both
        seen = self._weight - np.concatenate(([0.0], np.cumsum(self._counts[:GRID_S])))
        smooth = (1 - _TAIL_SHARE) * (np.maximum(seen, 0.0) + _PRIOR_WEIGHT * self._lognormal()) / both
        survival = smooth + _TAIL_SHARE * np.exp(-EDGES / max(mean_s, _MIN_TAIL_MEAN_S))
        survival = np.minimum.accumulate(np.minimum(survival, 1.0))
        survival[0] = 1.0
        survival.flags.writeable = False
        return Curve(survival=survival, mean_s=mean_s)

    def _lognormal(self) -> Array:
        both = self._weight + _PRIOR_WEIGHT
        mu = (self._log_sum + _PRIOR_WEIGHT * self._prior_mu) / both
        variance = (self._log_squares + _PRIOR_WEIGHT * self._prior_square) / both - mu * mu
        sigma = max(_MIN_SIGMA, math.sqrt(max(0.0, variance)))
        return np.concatenate(([1.0], np.interp((_LOG_EDGES - mu) / sigma, _Z, _ABOVE_Z)))

    def state(self) -> DurationsState:
        """Return what was learned."""
        counts = np.trim_zeros(self._counts, "b").astype("<f8").tobytes()
        return DurationsState(counts, self._weight, self._total_s, self._log_sum, self._log_squares)

    def restore(self, state: DurationsState, *, weight: float = 1.0) -> None:
        """Put back what `state` returned, each observation worth `weight`; raise ValueError when it cannot be."""
        counts = np.frombuffer(state.counts, dtype="<f8")
        sums = np.array([state.weight, state.total_s, state.log_sum, state.log_squares])
        if counts.size > GRID_S + 1 or not (np.isfinite(counts).all() and np.isfinite(sums).all()):
            raise ValueError("durations: the counts are too many or no numbers")
        if (counts < 0).any() or state.weight < 0 or state.total_s < 0 or state.log_squares < 0:
            raise ValueError("durations: a count or a sum is below zero")
        self._counts = np.zeros(GRID_S + 1)
        self._counts[: counts.size] = weight * counts
        self._weight, self._total_s, self._log_sum, self._log_squares = (weight * sums).tolist()
