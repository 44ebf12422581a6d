"""The accepted risk: what chance that the next answered call finds no agent is steered to, from what calls came to.

Dual ascent on theta (pacing.md 3.4): theta <- theta * exp(step * (target - y)), y = 1 for an abandoned call and 0 for
one that met an agent. So ln theta counts the budget that is left, and the long-run share is the target's. While
something else than the risk limits dialing (the legal budget, the trunks, the list), connected calls prove nothing
about the risk and do not raise it: else it would wind up and burst when the limit goes.
"""

from __future__ import annotations

import math

THETA_RANGE = (0.002, 0.3)
_START_SHARE = 0.8
"""Of the target: the lowest at which theta rests, over teams of 5 to 100 and answer rates of .1 to .5."""
_STEP = 0.12
"""An abandoned call lowers theta by so much (of itself); small, since theta is nearly the same for all campaigns."""
_LATELY_S = 600.0
_LATELY_ENOUGH = 50.0
"""Answered calls in about ten minutes whose share is half believed; a small team's few say next to nothing."""
_LATELY_SPAN = 0.8
"""Where nothing more is risked: this much of the target above it, in about the last ten minutes."""
_LEAST_SHARE = 0.1


class Risk:
    """Hold theta, between 0.002 and 0.3."""

    def __init__(self, target: float) -> None:
        """Start careful; raise ValueError for a target that is no share."""
        if not 0 <= target <= 1:
            raise ValueError(f"target must be a share of abandoned calls in 0..1, not {target}")
        self.target = target
        self._long_run = _clipped(_START_SHARE * target)
        self._answered = self._abandoned = 0.0
        self._at = -math.inf
        self.limited = False
        """Something else than the risk held calls back in the last decision that wanted any."""

    @property
    def long_run(self) -> float:
        """Return where dual ascent stands: what is worth keeping."""
        return self._long_run

    @property
    def theta(self) -> float:
        """Return the risk accepted now: less than in the long run after bad ten minutes."""
        if not self._answered or not self.target:
            return self._long_run
        believed = self._answered**2 / (self._answered**2 + _LATELY_ENOUGH**2)
        over = believed * (self._abandoned / self._answered / self.target - 1) / _LATELY_SPAN
        return _clipped(self._long_run * max(_LEAST_SHARE, 1 - max(0.0, over)))

    def observed(self, *, abandoned: bool, at: float) -> None:
        """Take the fate of one call answered by a person, known at `at` (seconds; a clock that steps back stands)."""
        keep = math.exp(min(0.0, self._at - at) / _LATELY_S)
        self._at = max(self._at, at)
        self._answered = self._answered * keep + 1
        self._abandoned = self._abandoned * keep + abandoned
        if abandoned or not self.limited:
            self._long_run = _clipped(self._long_run * math.exp(_STEP * (self.target - abandoned)))

    def restore(self, theta: float) -> None:
        """Go on from a `long_run` of before; raise ValueError when it is no number."""
        if not math.isfinite(theta):
            raise ValueError(f"theta must be a number, not {theta}")
        self._long_run = _clipped(theta)


def _clipped(theta: float) -> float:
    return max(THETA_RANGE[0], min(theta, THETA_RANGE[1]))
