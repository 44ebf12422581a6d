"""Predictive pacing: launch one more call while the chance that its answer finds no agent stays within theta.

c(n) = E over s ~ F_A of P(B_n(s) >= A(s)). Supply A(s) = idle agents and those who will be free by then;
demand B_n(s) = waiting calls, ringing calls answered by then and those of the n new calls answered by then.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import NamedTuple

import numpy as np

from dialer.core.pacing.base import PERIOD_S, Allowance, Snapshot
from dialer.core.pacing.curves import Array
from dialer.core.pacing.estimators import QUANTILES, Estimates, coins_of
from dialer.core.pacing.odds import normal_tail, one_more, poisson_binomial, tail
from dialer.core.types import HoldReason

_EXACT_COINS = 48
"""Up to so many uncertain agents and calls the law of their sum is computed exactly, beyond it is nearly normal."""
_LEAST_RISK = 1e-9
"""Below this the transforms' rounding decides, not the law: such a risk counts as none."""
_MOST_RATIO = 100.0
_K = len(QUANTILES)
_LAST = _K - 1
_MIDDLE = _K // 2


class _View(NamedTuple):
    """The uncertain things by horizon: a ringing call may be answered, a busy agent may *stay* busy."""

    coins: Array
    """(calls + agents, 2K): chances, then variances."""
    sums: list[float]
    """Of each column of `coins`."""
    soon: float
    """Agents expected to be free by the last horizon."""
    coming: float
    """Ringing calls expected to be answered by the middle horizon."""
    needed: int
    """So many of the coins (and new calls) coming up leave an answered call without an agent."""


def _view(snapshot: Snapshot) -> _View:
    coins = coins_of(snapshot.estimates, snapshot.ringing, snapshot.talking, snapshot.wrapping)
    ringing, busy = len(snapshot.ringing), len(snapshot.talking) + len(snapshot.wrapping)
    answers: list[float] = np.add.reduce(coins[:ringing]).tolist()
    stays: list[float] = np.add.reduce(coins[ringing:]).tolist()
    return _View(
        coins=coins,
        sums=[answer + stay for answer, stay in zip(answers, stays, strict=True)],
        soon=busy - stays[_LAST],
        coming=answers[_MIDDLE],
        needed=snapshot.idle - snapshot.waiting + busy,
    )


def _answers_by(known: Estimates) -> list[float]:
    """Chance, by horizon, that a call placed now has been answered."""
    careful = known.p_careful
    return [careful * quantile for quantile in QUANTILES]


def _exactly(view: _View, each: list[float], theta: float, sure: int, most: int) -> int:
    answered = np.array(each)
    law = poisson_binomial(view.coins[:, :_K], answered, sure)
    dials = sure
    while dials < most and tail(law, view.needed) <= theta:
        law = one_more(law, answered)
        dials += 1
    return dials


def _nearly(view: _View, each: list[float], theta: float, sure: int, most: int) -> int:
    rows = [(view.sums[k], view.sums[_K + k], p, p * (1 - p)) for k, p in enumerate(each)]
    needed = view.needed

    def risk(dials: int) -> float:
        return sum([normal_tail(mean + dials * p, var + dials * v, needed) for mean, var, p, v in rows]) / _K

    if risk(sure) > theta:
        return sure  # most decisions end here
    return sure + bisect_right(range(sure, most), theta, key=risk)


class Predictive:
    """Dial ahead of agents who will be free, within the accepted risk and `max_ratio` calls per free-or-soon agent."""

    name = "predictive"
    period_s = PERIOD_S

    def allowance(self, snapshot: Snapshot, *, now: float) -> Allowance:  # noqa: ARG002 -- the contract; ages carry time
        """Return the calls to place at this moment; at least one for each idle agent who has none coming."""
        if snapshot.agents == 0:
            return Allowance(0, HoldReason.NO_AGENT, "no agent is at work")
        view = _view(snapshot)
        in_flight = len(snapshot.ringing) + snapshot.waiting
        sure = max(0, snapshot.idle - in_flight)
        lines = math.ceil(min(_MOST_RATIO, max(0.0, snapshot.max_ratio)) * (snapshot.idle + view.soon))
        most = max(sure, lines - in_flight)
        answered = _answers_by(snapshot.estimates)
        choose = _exactly if len(view.coins) <= _EXACT_COINS else _nearly
        dials = choose(view, answered, max(snapshot.theta, _LEAST_RISK), sure, most) if most > sure else sure
        return Allowance(dials, HoldReason.PACING, _detail(snapshot, view, capped=dials == most and most > sure))


def _detail(snapshot: Snapshot, view: _View, *, capped: bool) -> str:
    horizon = snapshot.estimates.horizons[_MIDDLE]
    return (
        f"{snapshot.idle} idle, {view.soon:.1f} more soon free, {len(snapshot.ringing)} ringing "
        f"({view.coming:.1f} expected to answer in {horizon:.0f} s), {snapshot.waiting} waiting, "
        f"accepted risk {100 * snapshot.theta:.1f} %"
        + (f"; at most {snapshot.max_ratio:g} calls per free agent" if capped else "")
    )
