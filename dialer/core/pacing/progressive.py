"""Progressive pacing: one call per idle agent, so that nobody who answers waits."""

from __future__ import annotations

from dialer.core.pacing.base import PERIOD_S, Allowance, Snapshot
from dialer.core.types import HoldReason


class Progressive:
    """Place as many calls as there are idle agents without a call on its way."""

    name = "progressive"
    period_s = PERIOD_S
    eager = True

    def allowance(self, snapshot: Snapshot, *, now: float) -> Allowance:  # noqa: ARG002 -- the contract; needs no time
        """Return idle - ringing - waiting, not below zero."""
        if snapshot.agents == 0:
            return Allowance(0, HoldReason.NO_AGENT, "no agent is at work")
        ringing = len(snapshot.ringing)
        return Allowance(
            max(0, snapshot.idle - ringing - snapshot.waiting),
            HoldReason.PACING,
            f"{snapshot.idle} idle, {ringing} ringing, {snapshot.waiting} waiting: one call per idle agent",
        )
