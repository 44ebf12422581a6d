"""What the runs of one policy in one cell come to: means with confidence intervals, goals, gaps, recovery."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from dialer.bench.pacing.cells import (
    LIMIT,
    OPTIMUM_SHARE,
    REALISTIC_GOALS,
    RECOVERED_S,
    WORST_HALF_HOUR,
    Cell,
)
from dialer.bench.pacing.people import STEADY
from dialer.bench.pacing.play import Run
from dialer.core.pacing.curves import Array

_RESAMPLES = 2000
_MINUTE = 60.0
_SMOOTHED = 5
"""Minutes of the moving mean in which a recovery is looked for."""
_STEADY_MINUTES = 120
"""At the end of a run."""
_BACK = 0.02
ROUNDING = 5e-5
"""Figures are shown with two decimals of a percent."""


class Interval(msgspec.Struct, frozen=True):
    """A mean and its 95 % confidence interval, by resampling the seeds."""

    mean: float
    low: float
    high: float


class Point(msgspec.Struct, frozen=True):
    """One setting on a curve."""

    abandonment: float
    occupancy: float
    setting: str = ""


class Curve(msgspec.Struct, frozen=True):
    """Occupancy over abandonment of one policy in one cell."""

    cell: Cell
    pacer: str
    points: list[Point]


class Line(msgspec.Struct, frozen=True):
    """One policy in one cell; shares in 0..1, seconds."""

    cell: Cell
    pacer: str
    setting: str
    occupancy: Interval
    abandonment: Interval
    gain: Interval
    """Busy time beside progressive dialing of the same people: 0.5 = half as much again."""
    optimum: float | None
    goal: float | None
    """Occupancy that pacing.md 0 asks for."""
    waits: tuple[float, float, float, float]
    """Mean, median, 90 %, 99 % of an agent's wait for the next call."""
    dials_per_connect: float
    peak_ringing: int
    worst_half_hour: float
    """The 95 % quantile over seeds of the day's worst 30 minutes."""
    worst_legal: float
    """The highest of all seeds."""
    first_half_hour: float
    """Calls abandoned in the first 30 minutes, mean."""
    recovered_s: float | None
    """After a shift until occupancy is within 2 points of the end's; None: nothing shifted, or it never was."""
    microseconds: float
    """A decision, the miniature centre around it included."""

    @property
    def share_of_optimum(self) -> float | None:
        """Return occupancy / the exact optimum."""
        return self.occupancy.mean / self.optimum if self.optimum else None

    @property
    def misses(self) -> list[str]:
        """Return what falls short of the goals, in words."""
        found = []
        if self.goal is not None and self.occupancy.mean < self.goal - ROUNDING:
            found.append(f"occupancy {100 * self.occupancy.mean:.2f} % below {100 * self.goal:.2f} %")
        if self.cell.grid == "shift":
            if self.worst_half_hour > WORST_HALF_HOUR:
                found.append(f"{100 * self.worst_half_hour:.1f} % abandoned in the worst 30 minutes")
            if self.cell.change.at or self.cell.change.cold:
                found += self._slow()
        elif self.abandonment.mean > LIMIT + ROUNDING:
            found.append(f"{100 * self.abandonment.mean:.2f} % abandoned")
        if self.worst_legal > LIMIT:
            found.append(f"the legal counter reached {100 * self.worst_legal:.2f} %")
        return found

    def _slow(self) -> list[str]:
        if self.recovered_s is None:
            return ["never back within 2 points of the end's occupancy"]
        return [f"back after {self.recovered_s / _MINUTE:.0f} min"] if self.recovered_s > RECOVERED_S else []


def summed_up(
    cell: Cell,
    pacer: str,
    setting: str,
    runs: Sequence[Run],
    *,
    reference: Sequence[Run],
    best: float | None,
    share: float = 1.0,
) -> Line:
    """Return the line of a policy; `reference` has the runs of progressive dialing with the same seeds."""
    busy = np.array([run.occupancy for run in runs])
    plain = np.array([run.occupancy for run in reference])
    return Line(
        cell=cell,
        pacer=pacer,
        setting=setting,
        occupancy=interval(busy, np.ones(len(runs))),
        abandonment=interval(
            np.array([run.abandoned for run in runs], dtype=np.float64),
            np.array([run.answered for run in runs], dtype=np.float64),
        ),
        gain=interval(busy - plain, plain),
        optimum=best,
        goal=_goal(cell, best),
        waits=(
            _mean([run.waits[0] for run in runs]),
            _mean([run.waits[1] for run in runs]),
            _mean([run.waits[2] for run in runs]),
            _mean([run.waits[3] for run in runs]),
        ),
        dials_per_connect=_mean([run.dials_per_connect for run in runs]),
        peak_ringing=max(run.peak_ringing for run in runs),
        worst_half_hour=float(np.quantile([run.worst_half_hour for run in runs], 0.95)),
        worst_legal=max(run.worst_legal for run in runs),
        first_half_hour=_mean([run.first_half_hour for run in runs]),
        recovered_s=recovery(cell, runs, share),
        microseconds=float(np.median([run.microseconds for run in runs])),
    )


def interval(above: Array, below: Array) -> Interval:
    """Return sum(above) / sum(below) with its interval by resampling the pairs, seeded."""
    chosen = np.random.default_rng(1).integers(0, len(above), (_RESAMPLES, len(above)))
    totals = np.maximum(below[chosen].sum(axis=1), 1e-12)
    low, high = np.quantile(above[chosen].sum(axis=1) / totals, (0.025, 0.975)).tolist()
    return Interval(float(above.sum() / max(below.sum(), 1e-12)), low, high)


def recovery(cell: Cell, runs: Sequence[Run], share: float = 1.0) -> float | None:
    """Return the seconds from the shift until occupancy, the mean of all seeds, is back; None when it never is.

    `share` as in `play`.
    """
    if cell.change is STEADY or not all(run.busy_by_minute for run in runs):
        return None
    minutes = min(len(run.busy_by_minute) for run in runs)
    mean = np.mean([run.busy_by_minute[:minutes] for run in runs], axis=0)
    steady = float(mean[-round(_STEADY_MINUTES * share) :].mean())
    moving = np.convolve(mean, np.full(_SMOOTHED, 1 / _SMOOTHED), "valid")
    first = round(cell.change.at * share / _MINUTE)
    back = np.flatnonzero(moving[first:] >= steady - _BACK)
    return float(back[0]) * _MINUTE if back.size else None


def _goal(cell: Cell, best: float | None) -> float | None:
    if best is not None:
        return OPTIMUM_SHARE * best
    return REALISTIC_GOALS.get(cell.agents) if cell.grid == "realistic" and cell.p == 0.2 else None  # noqa: PLR2004


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
