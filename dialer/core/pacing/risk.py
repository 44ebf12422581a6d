"""The accepted risk: what chance that the next answered call finds no agent is steered to, from what calls came to.

Dual ascent on theta (pacing.md 3.4): theta <- theta * exp(step * (target - y)), y = 1 for an abandoned call and 0 for
one that met an agent. So ln theta counts the budget that is left, and the long-run share is the target's. While
something else than the risk limits dialing (the legal budget, the trunks, the list), connected calls prove nothing
about the risk and do not raise it: else it would wind up and burst when the limit goes.
"""

from __future__ import annotations

import math

THETA_RANGE = (0.002, 0.3)
_START_SHARE = 0.6
"""Of the target: where theta rests in the exactly solved Markov model, nearly whatever agents and answer rate."""
_STEP = 0.12
"""An abandoned call lowers theta by so much (of itself); small, since theta is nearly the same for all campaigns."""


class Risk:
    """Hold theta, between 0.002 and 0.3."""

    def __init__(self, target: float) -> None:
        """Start careful; raise ValueError for a target that is no share."""
        if not 0 <= target <= 1:
            raise ValueError(f"target must be a share of abandoned calls in 0..1, not {target}")
        self.target = target
        self.theta = _clipped(_START_SHARE * target)
        self.limited = False
        """Something else than the risk held calls back in the last decision that wanted any."""

    def observed(self, *, abandoned: bool) -> None:
        """Take the fate of one call answered by a person."""
        if abandoned or not self.limited:
            self.theta = _clipped(self.theta * math.exp(_STEP * (self.target - abandoned)))

    def restore(self, theta: float) -> None:
        """Go on from a theta of before; raise ValueError when it is no number."""
        if not math.isfinite(theta):
            raise ValueError(f"theta must be a number, not {theta}")
        self.theta = _clipped(theta)


def _clipped(theta: float) -> float:
    return max(THETA_RANGE[0], min(theta, THETA_RANGE[1]))
