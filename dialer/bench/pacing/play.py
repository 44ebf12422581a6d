"""Play one policy for one day against the people of one seed."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
import numpy as np

from dialer.bench.pacing.cells import LIMIT, TARGET, Cell
from dialer.bench.pacing.contestants import Contestant
from dialer.bench.pacing.people import People
from dialer.core.pacing.centre import BUCKET_S, Centre, Minute, Rules, abandonment, occupancy
from dialer.core.pacing.estimators import Estimators
from dialer.core.pacing.guard import LegalBudget
from dialer.core.types import LegalProfile

HALF_HOUR = 30
"""Minutes."""
_HISTORY = 20_000
"""Answered calls in the legal window at the start: a month of a small campaign."""
_HISTORY_SHARE = 0.025
_MAX_RATIO = 30.0
_STARTS_AT = 9 * 3600.0
"""Nine in the morning: some policies look at the clock."""


class Run(msgspec.Struct, frozen=True):
    """What a day came to, after the warm-up; shares in 0..1, times in seconds."""

    occupancy: float
    answered: int
    abandoned: int
    dials_per_connect: float
    waits: tuple[float, float, float, float]
    """Of free agents until the next call: mean, median, 90 %, 99 %."""
    peak_ringing: int
    worst_half_hour: float
    """Abandoned / answered in the worst 30 minutes."""
    worst_legal: float
    """Highest share that the legal counter has shown right after an abandoned call."""
    first_half_hour: int
    """Calls abandoned in the first 30 minutes of the whole run."""
    microseconds: float
    """Of the machine for each decision, the rest of the centre included."""
    busy_by_minute: tuple[float, ...] = ()
    """Occupancy minute by minute from the very start; only of shifts."""

    @property
    def abandonment(self) -> float:
        """Return abandoned / answered."""
        return self.abandoned / self.answered if self.answered else 0.0


def play(cell: Cell, contestant: Contestant, seed: int, *, share: float = 1.0) -> Run:
    """Play it; `share` shortens the run (for `--quick`)."""
    change = msgspec.structs.replace(cell.change, at=cell.change.at * share) if share < 1 else cell.change
    rules = Rules(
        agents=cell.agents,
        grace_s=cell.world.grace_s,
        max_ratio=_MAX_RATIO,
        ratio=contestant.ratio,
        staff=change.staff(cell.agents),
    )
    estimators = Estimators(target=contestant.limit * TARGET / LIMIT, grace_s=max(0.0, cell.world.grace_s - 1.0))
    centre = Centre(
        contestant.make(),
        rules,
        People(cell.world, cell.p, seed, change),
        estimators=estimators,
        budget=_budget(contestant, cold=change.cold),
        starts_at=_STARTS_AT,
    )
    warm_up_s, until_s = cell.warm_up_s * share, (cell.warm_up_s + cell.measured_s) * share
    centre.run(warm_up_s)
    placed, waits, decisions = centre.tally.placed, len(centre.waits), centre.decisions
    began = time.process_time()
    centre.run(until_s)
    spent = time.process_time() - began
    minutes = centre.minutes[round(warm_up_s / BUCKET_S) : round(until_s / BUCKET_S)]
    answered, abandoned = sum(minute.answered for minute in minutes), sum(minute.abandoned for minute in minutes)
    return Run(
        occupancy=occupancy(minutes),
        answered=answered,
        abandoned=abandoned,
        dials_per_connect=(centre.tally.placed - placed) / max(1, answered - abandoned),
        waits=_waits(centre.waits[waits:]),
        peak_ringing=centre.peak_ringing,
        worst_half_hour=worst_window(minutes, HALF_HOUR),
        worst_legal=centre.worst_share,
        first_half_hour=sum(minute.abandoned for minute in centre.minutes[:HALF_HOUR]),
        microseconds=1e6 * spent / max(1, centre.decisions - decisions),
        busy_by_minute=tuple(round(occupancy([one]), 4) for one in centre.minutes) if cell.grid == "shift" else (),
    )


def worst_window(minutes: Sequence[Minute], length: int) -> float:
    """Return the highest abandoned / answered of any `length` consecutive minutes."""
    starts = range(max(1, len(minutes) - length + 1))
    return max(abandonment(minutes[start : start + length]) for start in starts)


def _budget(contestant: Contestant, *, cold: bool) -> LegalBudget | None:
    if not contestant.guarded:
        return None
    answers = 0 if cold else _HISTORY
    abandons = int(answers * _HISTORY_SHARE * contestant.limit / LIMIT)
    return LegalBudget(LegalProfile(abandon_limit=contestant.limit), answers, abandons)


def _waits(waits: Sequence[float]) -> tuple[float, float, float, float]:
    if not waits:
        return (0.0, 0.0, 0.0, 0.0)
    half, most, nearly_all = np.quantile(waits, (0.5, 0.9, 0.99)).tolist()
    return (float(np.mean(waits)), half, most, nearly_all)
