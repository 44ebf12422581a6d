"""What-if: what a campaign would come to with so many agents, played with what it has learned of its calls."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from dialer.core.pacing.base import Pacer
from dialer.core.pacing.centre import BUCKET_S, Centre, Rules, abandonment, occupancy
from dialer.core.pacing.curves import GRID_S, Curve
from dialer.core.pacing.estimates import Estimates
from dialer.core.pacing.estimators import Estimators
from dialer.core.pacing.guard import LegalBudget

_BLOCK = 4096
_HOUR_S = 3600.0


class Forecast(msgspec.Struct, frozen=True):
    """What a team of `agents` comes to, warm-up left out; shares in 0..1, times in seconds."""

    agents: int
    occupancy: float
    """(talk + wrap-up) / staffed time."""
    abandonment: float
    """Of the calls answered by a person."""
    wait_mean_s: float
    """Of a free agent for the next call."""
    wait_p90_s: float
    dials_per_hour: float
    talks_per_hour: float
    list_hours: float | None
    """Hours of calling until every lead has been called as often as it may be; None: nothing is called."""


class LikeLearned:
    """People who answer, fail, talk and leave agents work as the estimates say; independent of each other."""

    def __init__(self, known: Estimates, luck: np.random.Generator) -> None:
        """Take the curves; `luck` draws, the same for the same seed."""
        self._known, self._luck = known, luck
        self._answers: list[bool] = []
        self._rings: list[float] = []
        self._talks: list[float] = []
        self._wraps: list[float] = []

    def attempt(self, number: int, now: float) -> tuple[bool, float]:  # noqa: ARG002 -- people do not change
        """Return whether a person answers, and the seconds until the answer or the failure."""
        while number >= len(self._answers):
            self._draw()
        return self._answers[number], self._rings[number]

    def talk_s(self, number: int) -> float:
        """Return the seconds of talk."""
        return self._talks[number]

    def wrap_s(self, number: int) -> float:
        """Return the seconds of wrap-up."""
        return self._wraps[number]

    def _draw(self) -> None:
        known = self._known
        answers = self._luck.random(_BLOCK) < known.p_answer
        rings = np.where(answers, self._seconds(known.to_answer), self._seconds(known.to_fail))
        self._answers += answers.tolist()
        self._rings += rings.tolist()
        self._talks += self._seconds(known.talk).tolist()
        self._wraps += self._seconds(known.wrap).tolist()

    def _seconds(self, curve: Curve) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """Draw from a curve by its inverse; beyond the grid its tail is exponential."""
        left = self._luck.random(_BLOCK)
        inside = np.interp(-left, -curve.survival, np.arange(GRID_S + 1, dtype=np.float64))
        beyond = GRID_S + self._luck.exponential(max(curve.mean_s, 1.0), _BLOCK)
        return np.where(left < curve.survival[-1], beyond, inside)


def forecast(
    learned: Estimators,
    pacer: Pacer,
    rules: Rules,
    budget: LegalBudget,
    *,
    dials_left: float,
    luck: np.random.Generator,
    hours: float = 4.0,
    warm_up_h: float = 0.5,
) -> Forecast:
    """Play the team for `hours` after a warm-up and say what came of it; `learned` goes on learning meanwhile.

    `dials_left` calls remain to be made. Raises ValueError for a team or times that cannot be.
    """
    if rules.agents < 1 or not hours > 0 or warm_up_h < 0 or dials_left < 0:
        raise ValueError("a forecast needs at least one agent, and hours and calls that are not below zero")
    centre = Centre(pacer, rules, LikeLearned(learned.estimates(), luck), estimators=learned, budget=budget)
    centre.run(warm_up_h * _HOUR_S)
    placed, waited = centre.tally.placed, len(centre.waits)
    centre.run((warm_up_h + hours) * _HOUR_S)
    minutes = centre.minutes[round(warm_up_h * _HOUR_S / BUCKET_S) :]
    dials = (centre.tally.placed - placed) / hours
    waits: Sequence[float] = centre.waits[waited:] or [0.0]
    talks = sum(minute.answered - minute.abandoned for minute in minutes) / hours
    return Forecast(
        agents=rules.agents,
        occupancy=occupancy(minutes),
        abandonment=abandonment(minutes),
        wait_mean_s=float(np.mean(waits)),
        wait_p90_s=float(np.quantile(waits, 0.9)),
        dials_per_hour=dials,
        talks_per_hour=talks,
        list_hours=dials_left / dials if dials > 0 else None,
    )


def dials_left(leads_by_attempts: Sequence[tuple[int, int]], *, p_answer: float, max_attempts: int) -> float:
    """Return the calls that remain, expected: each lead is called until a person answers or `max_attempts` is reached.

    `leads_by_attempts`: (attempts so far, leads).
    """
    total = 0.0
    for attempts, leads in leads_by_attempts:
        left = max(0, max_attempts - attempts)
        each = left if p_answer <= 0 else (1 - (1 - p_answer) ** left) / p_answer
        total += leads * each
    return total
