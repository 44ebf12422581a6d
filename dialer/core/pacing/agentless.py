"""Pacing without agents: as many calls at once as the campaign may hold."""

from __future__ import annotations

from dialer.core.pacing.base import PERIOD_S, Allowance, Snapshot
from dialer.core.types import HoldReason


class Agentless:
    """Fill the campaign's own cap; the trunks and the leads limit the rest. For campaigns that play a message."""

    name = "agentless"
    period_s = PERIOD_S
    eager = True

    def allowance(self, snapshot: Snapshot, *, now: float) -> Allowance:  # noqa: ARG002 -- the contract; needs no time
        """Return the room below the campaign's cap on calls at once."""
        room = max(0, snapshot.room)
        detail = f"room for {room} more calls at once, {len(snapshot.ringing)} ringing; no agent is needed"
        return Allowance(room, HoldReason.CAMPAIGN_CAP, detail)
