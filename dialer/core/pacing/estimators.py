"""What a campaign has learned about its calls and agents, and the accepted risk that is steered from outcomes.

Formulas: F_A = CDF of time to answer given answered, S_N = survival of time to fail given not answered; a ringing call
of age r still answers with p(1-F_A(r)) / [p(1-F_A(r)) + (1-p)S_N(r)] and answers within s with p(F_A(r+s)-F_A(r)) over
the same.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from dialer.core.pacing.curves import EDGES, GRID_S, Array, Curve, Durations, DurationsState, checked_seconds

QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""The next answered call answers at one of these quantiles of F_A, all equally likely."""

RECENT_ATTEMPTS = 500
"""So many attempts, talks and wrap-ups are kept as they were."""
ROWS = GRID_S + 1
"""Of each table."""
Rows: TypeAlias = npt.NDArray[np.intp]

_PRIOR_P = 0.5
"""Careful until we know: more answers expected than nearly any list gives, so fewer lines."""
_PRIOR_CALLS = 10.0
_KEEP_SLOW = 1 - 1 / 500
_KEEP_FAST = 1 - 1 / 50
_CHANGE_SIGMAS = 4.0
_CHANGE_CALLS = 40.0

_THETA_STEP = 0.3
_THETA_RANGE = (0.002, 0.3)
_REFRESH_SHARE = 0.05
_REFRESH_MIN = 5
_REFRESH_MAX = 100


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """One attempt that was answered, or failed, `after_s` seconds after it was placed; `at` in epoch seconds."""

    at: float
    answered: bool
    after_s: float


class Recent(msgspec.Struct, frozen=True):
    """The last attempts and handle times, oldest first, for pacers that resample; to read only."""

    attempts: Sequence[Attempt] = ()
    talks: Sequence[float] = ()
    """Seconds."""
    wraps: Sequence[float] = ()
    """Seconds."""


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

    @property
    def p_careful(self) -> float:
        """Return the answer probability one standard deviation up: what is not known is taken for answers."""
        return min(1.0, self.p_answer + self.p_answer_sd)

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


def _wrapped_by(wrap: Curve, s: float) -> Array:
    """Chances that a wrap-up fits when the talk ends in second 0, 1 ... of the next `s` seconds."""
    middle = np.arange(math.ceil(s)) + 0.5
    return np.where(middle <= s, 1 - wrap.left_at(np.maximum(s - middle, 0.0)), 0.0)


def _with_variances(means: list[Array]) -> Array:
    columns = np.clip(np.column_stack(means), 0.0, 1.0)
    table = np.hstack((columns, columns * (1 - columns)))
    table.flags.writeable = False
    return table


def _ringing_table(p: float, to_answer: Curve, to_fail: Curve, horizons: tuple[float, ...]) -> Array:
    alive = p * to_answer.survival
    either = np.maximum(alive + (1 - p) * to_fail.survival, np.finfo(np.float64).tiny)
    return _with_variances([(alive - p * to_answer.left_at(EDGES + s)) / either for s in horizons])


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


class RateState(msgspec.Struct, frozen=True):
    """Decayed calls and answers, over a long and a short memory."""

    slow: tuple[float, float] = (0.0, 0.0)
    fast: tuple[float, float] = (0.0, 0.0)


def _decayed(calls: tuple[float, float], keep: float, answered: bool) -> tuple[float, float]:  # noqa: FBT001 -- a datum
    return calls[0] * keep + 1, calls[1] * keep + answered


class AnswerRate:
    """Estimate the answer probability; a change that the short memory proves makes the long one forget."""

    def __init__(self) -> None:
        self.state = RateState()

    def add(self, *, answered: bool) -> bool:
        """Take one finished attempt; return True when the rate has evidently changed."""
        slow = _decayed(self.state.slow, _KEEP_SLOW, answered)
        fast = _decayed(self.state.fast, _KEEP_FAST, answered)
        p = slow[1] / slow[0]
        gap = abs(fast[1] / fast[0] - p)
        room = _CHANGE_SIGMAS * math.sqrt(max(p * (1 - p), 1 / slow[0]) / fast[0])
        changed = fast[0] > _CHANGE_CALLS and slow[0] > 2 * fast[0] and gap > room
        self.state = RateState(slow=fast if changed else slow, fast=fast)
        return changed

    def mean_and_sd(self) -> tuple[float, float]:
        """Return the posterior mean and standard deviation (Beta prior)."""
        calls, answers = self.state.slow
        total = calls + _PRIOR_CALLS
        p = (answers + _PRIOR_CALLS * _PRIOR_P) / total
        return p, math.sqrt(p * (1 - p) / (total + 1))


def _stacked(ringing: Array, talking: Array, wrapping: Array) -> Array:
    coins = np.vstack((ringing, talking, wrapping))
    coins[ROWS:, : len(QUANTILES)] = 1 - coins[ROWS:, : len(QUANTILES)]
    coins.flags.writeable = False
    return coins


class _Learned(msgspec.Struct, frozen=True):
    rate: RateState
    theta: float
    durations: dict[str, DurationsState]


def _prior_durations() -> dict[str, Durations]:
    return {
        "to_answer": Durations(mean_s=10.0, cv=0.5),
        "to_fail": Durations(mean_s=20.0, cv=0.6),
        "talk": Durations(mean_s=120.0, cv=0.8),
        "wrap": Durations(mean_s=30.0, cv=0.5),
    }


class Estimators:
    """Learn from what happens; `theta` is the accepted chance that the next answered call finds no agent."""

    def __init__(self, *, target: float = 0.024, grace_s: float = 1.0) -> None:
        if not 0 <= target <= 1:
            raise ValueError(f"target must be a share of abandoned calls in 0..1, not {target}")
        self.target = target
        self.grace_s = checked_seconds("grace_s", grace_s)
        self.theta = max(_THETA_RANGE[0], min(target, _THETA_RANGE[1]))
        self._rate = AnswerRate()
        self._durations = _prior_durations()
        self._fresh = 0
        self._cached: Estimates | None = None
        self._attempts: deque[Attempt] = deque(maxlen=RECENT_ATTEMPTS)
        self._talks: deque[float] = deque(maxlen=RECENT_ATTEMPTS)
        self._wraps: deque[float] = deque(maxlen=RECENT_ATTEMPTS)
        self.recent = Recent(self._attempts, self._talks, self._wraps)

    def call_finished(self, answered: bool, after_s: float, *, at: float = 0.0) -> None:  # noqa: FBT001 -- a datum
        """Take an attempt that was answered, or failed, `after_s` seconds after it was placed; `at` is now."""
        checked_seconds("after_s", after_s)
        self._attempts.append(Attempt(at, answered, after_s))
        if self._rate.add(answered=answered):
            self._cached = None
        self._learn("to_answer" if answered else "to_fail", after_s)

    def talk_finished(self, talk_s: float) -> None:
        """Take the seconds of a finished talk."""
        self._learn("talk", checked_seconds("talk_s", talk_s))
        self._talks.append(talk_s)

    def wrap_finished(self, wrap_s: float) -> None:
        """Take the seconds of a finished wrap-up."""
        self._learn("wrap", checked_seconds("wrap_s", wrap_s))
        self._wraps.append(wrap_s)

    def abandon_observed(self, abandoned: bool) -> None:  # noqa: FBT001 -- a datum
        """Steer theta by the fate of one call answered by a person (dual ascent, clipped)."""
        moved = self.theta * math.exp(_THETA_STEP * (self.target - abandoned))
        self.theta = max(_THETA_RANGE[0], min(moved, _THETA_RANGE[1]))

    def estimates(self) -> Estimates:
        """Return what is known; the same object until enough new data have come to matter."""
        if self._cached is None or (self._fresh >= _REFRESH_MIN and self._fresh >= self._enough()):
            self._cached, self._fresh = self._build(), 0
        return self._cached

    def _enough(self) -> float:
        known = sum(durations.weight for durations in self._durations.values())
        return min(_REFRESH_MAX, _REFRESH_SHARE * known)

    def dump(self) -> bytes:
        """Return everything learned, for `load`."""
        states = {name: durations.state() for name, durations in self._durations.items()}
        return msgspec.msgpack.encode(_Learned(self._rate.state, self.theta, states))

    def load(self, dumped: bytes) -> None:
        """Put back what `dump` returned; raise ValueError when it is something else."""
        durations = _prior_durations()
        try:
            learned = msgspec.msgpack.decode(dumped, type=_Learned)
            for name, empty in durations.items():
                empty.restore(learned.durations[name])
        except (msgspec.MsgspecError, KeyError, ValueError) as error:
            raise ValueError(f"these are not the learned estimates of a campaign: {error}") from error
        self._rate.state, self.theta = learned.rate, learned.theta
        self._durations, self._cached = durations, None

    def _learn(self, name: str, seconds: float) -> None:
        self._durations[name].add(seconds)
        self._fresh += 1

    def _build(self) -> Estimates:
        p, sd = self._rate.mean_and_sd()
        curves = {name: durations.curve() for name, durations in self._durations.items()}
        horizons = tuple(curves["to_answer"].quantile(share) for share in QUANTILES)
        waits = tuple(s + self.grace_s for s in horizons)
        careful = min(1.0, p + sd)
        ringing = _ringing_table(careful, curves["to_answer"], curves["to_fail"], horizons)
        talking = _talking_table(curves["talk"], curves["wrap"], waits)
        wrapping = _wrapping_table(curves["wrap"], waits)
        return Estimates(
            p_answer=p,
            p_answer_sd=sd,
            **curves,
            grace_s=self.grace_s,
            horizons=horizons,
            ringing_table=ringing,
            talking_table=talking,
            wrapping_table=wrapping,
            coins=_stacked(ringing, talking, wrapping),
        )
