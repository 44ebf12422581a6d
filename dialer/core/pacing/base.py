"""The pacing contract: a pacer is a pure function of a snapshot."""

from __future__ import annotations

from typing import Protocol

import msgspec

from dialer.core.pacing.estimators import Estimates
from dialer.core.types import HoldReason


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """What a pacer may know at one moment. Ages in seconds, one entry per agent or call."""

    idle: int
    talking: tuple[float, ...]
    """Seconds since each busy agent's call was joined."""
    wrapping: tuple[float, ...]
    """Seconds since each wrap-up began."""
    ringing: tuple[float, ...]
    """Seconds since each unanswered call was placed."""
    waiting: int
    """Answered calls without an agent."""
    estimates: Estimates
    theta: float
    """Accepted chance that the next answered call finds no agent."""
    ratio: float = 1.0
    max_ratio: float = 6.0
    room: int = 0
    """Calls that the campaign's own cap still admits."""

    @property
    def agents(self) -> int:
        """Count agents who work: idle, talking and in wrap-up."""
        return self.idle + len(self.talking) + len(self.wrapping)


class Allowance(msgspec.Struct, frozen=True, gc=False):
    """How many calls may be placed now and why not more; `detail` is for people and names the numbers behind it."""

    dials: int
    reason: HoldReason = HoldReason.PACING
    detail: str = ""


class Pacer(Protocol):
    """Decide how many calls to place."""

    name: str

    def allowance(self, snapshot: Snapshot, *, now: float) -> Allowance:
        """Return the calls to place at this moment (>= 0; 0 when no agent works, unless the policy needs none)."""
        ...
