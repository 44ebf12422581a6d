"""Fixed-ratio pacing: so many calls per idle agent, whatever the outcomes."""

from __future__ import annotations

import math

from dialer.core.pacing.base import PERIOD_S, Allowance, Snapshot
from dialer.core.types import HoldReason

_ROUNDING = 1e-9
"""3 x 1.1 must not lose a call to binary fractions."""


class Ratio:
    """Place `ratio` calls (at most `max_ratio`) per idle agent; talking agents do not count."""

    name = "ratio"
    period_s = PERIOD_S
    eager = True

    def allowance(self, snapshot: Snapshot, *, now: float) -> Allowance:  # noqa: ARG002 -- the contract; needs no time
        """Return ratio x idle, rounded down, - ringing - waiting, not below zero."""
        if snapshot.agents == 0:
            return Allowance(0, HoldReason.NO_AGENT, "no agent is at work")
        ratio = max(0.0, min(snapshot.ratio, snapshot.max_ratio))
        ringing = len(snapshot.ringing)
        return Allowance(
            max(0, math.floor(ratio * snapshot.idle + _ROUNDING) - ringing - snapshot.waiting),
            HoldReason.PACING,
            f"{snapshot.idle} idle x {ratio:g}, {ringing} ringing, {snapshot.waiting} waiting",
        )
