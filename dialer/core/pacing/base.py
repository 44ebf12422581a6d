"""The pacing contract: a pacer is a pure function of a snapshot."""

from __future__ import annotations

from typing import Protocol

import msgspec

from dialer.core.pacing.estimates import Estimates
from dialer.core.pacing.estimators import Recent
from dialer.core.types import HoldReason

PERIOD_S = 1.0
"""Ages change even when nothing happens."""


class Tally(msgspec.Struct, frozen=True, gc=False):
    """Counts since the campaign's engine began, for pacers that keep windows of their own."""

    placed: int = 0
    finished: int = 0
    """Attempts that were answered or failed."""
    answered: int = 0
    """By a person, as far as is known."""
    abandoned: int = 0


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """What a pacer may know at one moment. Ages in seconds, one entry per agent or call."""

    idle: int
    talking: tuple[float, ...]
    """Seconds since each busy agent's call was joined; without those who leave after this call."""
    wrapping: tuple[float, ...]
    """Seconds since each wrap-up began; without those who leave after it."""
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
    chances: tuple[float, ...] = ()
    """Chance of each ringing call, when it was placed, to be answered by a person; empty: `estimates.p_answer`."""
    upcoming: tuple[float, ...] = ()
    """The same of the leads that would be dialed next, in order; past its end `estimates.p_answer`."""
    leaving: int = 0
    """Busy agents who go on a break or home when they are done: they will serve no other call."""
    paused: int = 0
    """Agents logged in but on a break."""
    tally: Tally = Tally()
    recent: Recent = Recent()

    @property
    def agents(self) -> int:
        """Count agents who work and stay: idle, talking and in wrap-up."""
        return self.idle + len(self.talking) + len(self.wrapping)


class Allowance(msgspec.Struct, frozen=True, gc=False):
    """How many calls may be placed now and why not more; `detail` is for people and names the numbers behind it."""

    dials: int
    reason: HoldReason = HoldReason.PACING
    detail: str = ""


class Pacer(Protocol):
    """Decide how many calls to place.

    Ours are pure functions of the snapshot. The re-implemented baselines (`baselines/`) keep a dial level or a sample
    of their own between decisions, so each campaign has an object of its own; `now` never steps back for one object.
    """

    name: str
    period_s: float
    """Decide again after this long even when nothing happened."""
    eager: bool
    """Decide also right after each event, not only every `period_s`."""

    def allowance(self, snapshot: Snapshot, *, now: float) -> Allowance:
        """Return the calls to place at this moment (>= 0; 0 when no agent works, unless the policy needs none)."""
        ...
