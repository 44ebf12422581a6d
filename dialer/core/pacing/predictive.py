"""Predictive pacing: launch one more call while the chance that its answer finds no agent stays within theta.

c(n) = E over s ~ F_A of P(B_n(s) >= A(s)). Supply A(s) = idle agents who are still there and busy ones who will be free
by then; demand B_n(s) = waiting calls, ringing calls answered by then and those of the n new calls answered by then. In
the exactly solved Markov model this rule with a constant theta is within 0.1 % of the optimum (docs/pacing.md).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import NamedTuple

import numpy as np

from dialer.core.pacing.base import PERIOD_S, Allowance, Snapshot
from dialer.core.pacing.curves import Array
from dialer.core.pacing.estimates import QUANTILES, coins_of, ringing_coins
from dialer.core.pacing.odds import normal_tail, one_more, poisson_binomial, tail
from dialer.core.pacing.progressive import Progressive
from dialer.core.types import HoldReason

_EXACT_COINS = 48
"""Up to so many uncertain agents and calls the law of their sum is computed exactly, beyond it is nearly normal."""
_LEAST_RISK = 1e-9
"""Below this the transforms' rounding decides, not the law: such a risk counts as none."""
_GOES = 1e-4
"""A chance that an idle agent leaves before an answer is weighed from here on."""
_MOST_RATIO = 100.0
_K = len(QUANTILES)
_LAST = _K - 1
_MIDDLE = _K // 2
_QUANTILES = np.array(QUANTILES)


class _View(NamedTuple):
    """The uncertain things by horizon: a ringing call may be answered, a busy agent may *stay* busy, an idle one go."""

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
    known, ringing = snapshot.estimates, len(snapshot.ringing)
    if snapshot.chances:
        calls = ringing_coins(known, snapshot.ringing, snapshot.chances)
        coins = np.vstack((calls, coins_of(known, (), snapshot.talking, snapshot.wrapping)))
    else:
        coins = coins_of(known, snapshot.ringing, snapshot.talking, snapshot.wrapping)
    busy = len(snapshot.talking) + len(snapshot.wrapping)
    answers: list[float] = np.add.reduce(coins[:ringing]).tolist()
    stays: list[float] = np.add.reduce(coins[ringing:]).tolist()
    soon = busy - stays[_LAST]
    if snapshot.idle and known.idle_gone[0, _LAST] > _GOES:
        coins = np.vstack((coins, np.repeat(known.idle_gone, snapshot.idle, axis=0)))
        stays = np.add.reduce(coins[ringing:]).tolist()
    return _View(
        coins=coins,
        sums=[answer + stay for answer, stay in zip(answers, stays, strict=True)],
        soon=soon,
        coming=answers[_MIDDLE],
        needed=snapshot.idle - snapshot.waiting + busy,
    )


def _next_chances(snapshot: Snapshot, most: int) -> Array:
    """Careful answer probability of each of the next calls."""
    known = snapshot.estimates
    chances = np.full(most, known.p_answer)
    upcoming = snapshot.upcoming[:most]
    chances[: len(upcoming)] = upcoming
    if not (np.isfinite(chances).all() and (chances >= 0).all()):
        raise ValueError("the answer probability of a lead is not a number in 0..1")
    return np.minimum(chances * known.care, 1.0)


def _exactly(view: _View, chances: Array, theta: float, sure: int) -> int:
    each = chances[:, None] * _QUANTILES
    if sure and (chances[:sure] == chances[0]).all():
        law = poisson_binomial(view.coins[:, :_K], each[0], sure)
    else:
        law = poisson_binomial(np.vstack((view.coins[:, :_K], each[:sure])), each[0], 0)
    dials = sure
    while dials < len(chances) and tail(law, view.needed) <= theta:
        law = one_more(law, each[dials])
        dials += 1
    return dials


def _nearly(view: _View, chances: Array, theta: float, sure: int) -> int:
    sums = [0.0, *np.cumsum(chances).tolist()]
    squares = [0.0, *np.cumsum(chances * chances).tolist()]
    rows = [(view.sums[k], view.sums[_K + k], q, q * q) for k, q in enumerate(QUANTILES)]
    needed = view.needed

    def risk(dials: int) -> float:
        p, pp = sums[dials], squares[dials]
        return sum([normal_tail(mean + p * q, var + p * q - pp * qq, needed) for mean, var, q, qq in rows]) / _K

    if risk(sure) > theta:
        return sure  # most decisions end here
    return sure + bisect_right(range(sure, len(chances)), theta, key=risk)


class Predictive:
    """Dial ahead of agents who will be free, within the accepted risk and `max_ratio` calls per free-or-soon agent."""

    name = "predictive"
    period_s = PERIOD_S
    eager = True

    def allowance(self, snapshot: Snapshot, *, now: float) -> Allowance:
        """Return the calls to place at this moment; at least one for each idle agent who has none coming.

        Raises ValueError for answer probabilities that cannot be.
        """
        if snapshot.agents == 0:
            return Allowance(0, HoldReason.NO_AGENT, "no agent is at work")
        if snapshot.estimates.doubt:
            plain = Progressive().allowance(snapshot, now=now)
            return Allowance(plain.dials, plain.reason, f"progressive, since {snapshot.estimates.doubt}")
        view = _view(snapshot)
        in_flight = len(snapshot.ringing) + snapshot.waiting
        sure = max(0, snapshot.idle - in_flight)
        lines = math.ceil(min(_MOST_RATIO, max(0.0, snapshot.max_ratio)) * (snapshot.idle + view.soon))
        most = max(sure, lines - in_flight)
        dials = sure
        if most > sure:
            choose = _exactly if len(view.coins) <= _EXACT_COINS else _nearly
            dials = choose(view, _next_chances(snapshot, most), max(snapshot.theta, _LEAST_RISK), sure)
        return Allowance(dials, HoldReason.PACING, _detail(snapshot, view, capped=dials == most and most > sure))


def _detail(snapshot: Snapshot, view: _View, *, capped: bool) -> str:
    horizon = snapshot.estimates.horizons[_MIDDLE]
    return (
        f"{snapshot.idle} idle, {view.soon:.1f} more soon free, {len(snapshot.ringing)} ringing "
        f"({view.coming:.1f} expected to answer in {horizon:.0f} s), {snapshot.waiting} waiting, "
        f"accepted risk {100 * snapshot.theta:.1f} %"
        + (f"; at most {snapshot.max_ratio:g} calls per free agent" if capped else "")
    )
