"""What is known at one moment of a campaign's calls and agents, as tables by age that serve a decision in one look-up.

Formulas (pacing.md 3.4): F_A = CDF of time to answer given answered, S_N = survival of time to fail given not answered;
a ringing call of age r and chance p still answers with p(1-F_A(r)) / [p(1-F_A(r)) + (1-p)S_N(r)] and answers within s
with p(F_A(r+s)-F_A(r)) over the same. A busy agent of age a is free within s with (F_H(a+s)-F_H(a)) / (1-F_H(a)).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from dialer.core.pacing.curves import EDGES, GRID_S, Array, Curve

QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""The next answered call answers at one of these quantiles of F_A, all equally likely."""
ROWS = GRID_S + 1
"""Of each table."""
Rows: TypeAlias = npt.NDArray[np.intp]


class Stay(msgspec.Struct, frozen=True, gc=False):
    """How agents come and go: idle ones leave at a rate, and a share stays after a call."""

    leaves_per_s: float = 0.0
    after_call: float = 1.0


ALL_STAY = Stay()


class Estimates(msgspec.Struct, frozen=True, eq=False):
    """What is known at one moment; immutable. Tables: row = age in seconds, K mean columns, then K variance columns."""

    p_answer: float
    p_answer_sd: float
    to_answer: Curve
    to_fail: Curve
    talk: Curve
    wrap: Curve
    grace_s: float
    """How long an answered call may wait for its agent."""
    horizons: tuple[float, ...]
    """Seconds; quantiles of F_A."""
    ringing_table: Array
    talking_table: Array
    wrapping_table: Array
    coins: Array
    """The three tables one below the other, of agents the chance to *stay* busy: one look-up serves a decision."""
    fates: Array
    """For calls with a chance of their own: P(rings still | answers), P(rings still | fails), P(answers by s_k)."""
    idle_gone: Array
    """One row: the chance that an idle agent has left by each horizon, then the variances."""
    doubt: str = ""
    """Why these estimates must not steer (impossible data came in); empty: nothing is wrong."""

    @property
    def p_careful(self) -> float:
        """Return the answer probability one standard deviation up: what is not known is taken for answers."""
        return min(1.0, self.p_answer + self.p_answer_sd)

    @property
    def care(self) -> float:
        """Return the factor from a mean answer probability to a careful one."""
        return self.p_careful / self.p_answer if self.p_answer > 0 else 1.0

    @property
    def mean_handle_s(self) -> float:
        """Return mean talk plus mean wrap-up."""
        return self.talk.mean_s + self.wrap.mean_s

    def p_still_answers(self, age_s: float) -> float:
        """Return the chance that a call which has been ringing for `age_s` will be answered."""
        answers = self.p_careful * self.to_answer.left(age_s)
        either = answers + (1 - self.p_careful) * self.to_fail.left(age_s)
        return answers / either if either > 0 else 0.0

    def p_answers_within(self, age_s: float, s: float) -> float:
        """Return the chance that a ringing call of this age is answered in the next `s` seconds."""
        return self.p_still_answers(age_s) * self.to_answer.within(age_s, s)

    def p_free_within(self, state_age_s: float, s: float, wrapping: bool) -> float:  # noqa: FBT001 -- a datum
        """Return the chance that an agent is free in `s` seconds, after `state_age_s` of wrap-up or else of talk."""
        if wrapping:
            return self.wrap.within(state_age_s, s)
        alive = self.talk.left(state_age_s)
        points = np.arange(math.ceil(s) + 1, dtype=np.float64) + state_age_s
        ends = -np.diff(self.talk.left_at(points))
        return min(1.0, float(ends @ _wrapped_by(self.wrap, s)) / alive) if alive > 0 else 1.0


def rows_of(ages: Sequence[float]) -> Rows:
    """Return the tables' row for each age (seconds); an impossible age counts as the nearest possible one."""
    return np.fmax(np.fmin(np.array(ages, dtype=np.float64) + 0.5, GRID_S), 0.0).astype(np.intp)


def coins_of(known: Estimates, ringing: Sequence[float], talking: Sequence[float], wrapping: Sequence[float]) -> Array:
    """Return a row for each call and agent, by age: the chance to be answered or to stay busy, then the variance."""
    rows = rows_of((*ringing, *talking, *wrapping))
    agents = len(ringing)
    rows[agents : agents + len(talking)] += ROWS
    rows[agents + len(talking) :] += 2 * ROWS
    return known.coins.take(rows, axis=0)


def ringing_coins(known: Estimates, ringing: Sequence[float], chances: Sequence[float]) -> Array:
    """Return the rows of ringing calls that have chances of their own; raise ValueError unless one chance a call."""
    if len(ringing) != len(chances):
        raise ValueError(f"{len(chances)} answer probabilities were given for {len(ringing)} ringing calls")
    p = np.minimum(np.array(chances, dtype=np.float64) * known.care, 1.0)
    if not (np.isfinite(p).all() and (p >= 0).all()):
        raise ValueError("the answer probability of a ringing call is not a number in 0..1")
    fates = known.fates.take(rows_of(ringing), axis=0)
    alive = p * fates[:, 0]
    either = np.maximum(alive + (1 - p) * fates[:, 1], np.finfo(np.float64).tiny)
    means = np.minimum(fates[:, 2:] * (p / either)[:, None], 1.0)
    return np.hstack((means, means * (1 - means)))


def _wrapped_by(wrap: Curve, s: float) -> Array:
    """Chances that a wrap-up fits when the talk ends in second 0, 1 ... of the next `s` seconds."""
    middle = np.arange(math.ceil(s)) + 0.5
    return np.where(middle <= s, 1 - wrap.left_at(np.maximum(s - middle, 0.0)), 0.0)


def _with_variances(means: list[Array]) -> Array:
    columns = np.clip(np.column_stack(means), 0.0, 1.0)
    return _fixed(np.hstack((columns, columns * (1 - columns))))


def _fixed(table: Array) -> Array:
    table.flags.writeable = False
    return table


def _ringing_table(p: float, fates: Array) -> Array:
    alive = p * fates[:, 0]
    either = np.maximum(alive + (1 - p) * fates[:, 1], np.finfo(np.float64).tiny)
    return _with_variances([p * column / either for column in fates[:, 2:].T])


def _fates(to_answer: Curve, to_fail: Curve, horizons: tuple[float, ...]) -> Array:
    answers = [to_answer.survival - to_answer.left_at(EDGES + s) for s in horizons]
    return _fixed(np.column_stack([to_answer.survival, to_fail.survival, *answers]))


def _talking_table(talk: Curve, wrap: Curve, horizons: tuple[float, ...]) -> Array:
    reach = math.ceil(max(horizons))
    ends = -np.diff(talk.left_at(np.arange(GRID_S + reach + 1, dtype=np.float64)))
    alive = np.maximum(talk.survival, np.finfo(np.float64).tiny)
    means = []
    for s in horizons:
        weights = _wrapped_by(wrap, s)
        means.append(np.correlate(ends, weights, "valid")[: GRID_S + 1] / alive)
    return _with_variances(means)


def _wrapping_table(wrap: Curve, horizons: tuple[float, ...]) -> Array:
    alive = np.maximum(wrap.survival, np.finfo(np.float64).tiny)
    return _with_variances([1 - wrap.left_at(EDGES + s) / alive for s in horizons])


def _stacked(ringing: Array, talking: Array, wrapping: Array) -> Array:
    coins = np.vstack((ringing, talking, wrapping))
    coins[ROWS:, : len(QUANTILES)] = 1 - coins[ROWS:, : len(QUANTILES)]
    return _fixed(coins)


def build(
    p: float, sd: float, curves: Mapping[str, Curve], *, grace_s: float, stay: Stay = ALL_STAY, doubt: str = ""
) -> Estimates:
    """Return the tables for what is known; `curves` by the names of the fields to_answer, to_fail, talk and wrap."""
    horizons = tuple(curves["to_answer"].quantile(share) for share in QUANTILES)
    waits = tuple(s + grace_s for s in horizons)
    fates = _fates(curves["to_answer"], curves["to_fail"], horizons)
    ringing = _ringing_table(min(1.0, p + sd), fates)
    talking = _staying(_talking_table(curves["talk"], curves["wrap"], waits), stay.after_call)
    wrapping = _staying(_wrapping_table(curves["wrap"], waits), stay.after_call)
    return Estimates(
        p_answer=p,
        p_answer_sd=sd,
        **curves,
        grace_s=grace_s,
        horizons=horizons,
        ringing_table=ringing,
        talking_table=talking,
        wrapping_table=wrapping,
        coins=_stacked(ringing, talking, wrapping),
        fates=fates,
        idle_gone=_with_variances([np.array([-math.expm1(-stay.leaves_per_s * s)]) for s in waits]),
        doubt=doubt,
    )


def _staying(free: Array, share: float) -> Array:
    """Weigh the chance to become free by the share of agents who then stay."""
    return free if share >= 1 else _with_variances([share * column for column in free[:, : len(QUANTILES)].T])
