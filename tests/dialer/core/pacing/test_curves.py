from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.pacing.curves import EDGES, GRID_S, Curve, Durations, checked_seconds

seconds = st.floats(0.0, 5000.0)


def learned(*values: float) -> Curve:
    durations = Durations(mean_s=30.0, cv=0.5)
    for value in values:
        durations.add(value)
    return durations.curve()


@given(st.lists(seconds, max_size=60))
def test_survival_falls_from_one_and_never_reaches_zero(values: list[float]) -> None:
    survival = learned(*values).survival
    assert survival[0] == 1.0
    assert (np.diff(survival) <= 0).all()
    assert survival[-1] > 0


@given(st.lists(seconds, max_size=20), seconds, seconds)
def test_chances_are_chances_at_any_age(values: list[float], age: float, more: float) -> None:
    curve = learned(*values)
    assert 0.0 <= curve.within(age, more) <= 1.0
    assert curve.within(age, more) <= curve.within(age, more + 10) + 1e-12


@given(st.lists(seconds, min_size=1, max_size=20))
def test_scalar_and_array_questions_agree(values: list[float]) -> None:
    curve = learned(10.0)
    assert curve.left_at(np.array(values)).tolist() == pytest.approx([curve.left(v) for v in values], abs=1e-12)


def test_quantile_turns_the_distribution_round() -> None:
    curve = learned()
    for share in (0.1, 0.5, 0.9):
        assert 1 - curve.left(curve.quantile(share)) == pytest.approx(share, abs=1e-9)


def test_a_constant_wrap_up_becomes_sharp() -> None:
    curve = learned(*[15.0] * 800)
    assert curve.within(13.0, 1.0) < 0.1
    assert curve.within(14.5, 2.0) > 0.9
    assert curve.mean_s == pytest.approx(15.0, abs=1.0)


def test_the_prior_rules_until_something_was_seen() -> None:
    assert learned().mean_s == 30.0
    assert learned(90.0).mean_s == pytest.approx((20 * 30 + 90) / 21)


def test_old_observations_fade() -> None:
    assert learned(*[200.0] * 1000, *[20.0] * 5000).mean_s < 25


def test_past_the_grid_the_tail_is_exponential() -> None:
    curve = learned(*[3000.0] * 50)
    beyond = float(GRID_S + 500)
    assert curve.within(beyond, 100.0) == pytest.approx(1 - math.exp(-100 / curve.mean_s))
    assert curve.left_at(EDGES[-1:] + 500)[0] == pytest.approx(curve.left(beyond))


def test_state_goes_round() -> None:
    durations, other = Durations(mean_s=30.0, cv=0.5), Durations(mean_s=30.0, cv=0.5)
    for value in (1.0, 14.0, 2000.0):
        durations.add(value)
    other.restore(durations.state())
    assert (other.curve().survival == durations.curve().survival).all()
    assert other.state() == durations.state()


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_impossible_seconds_are_named(value: float) -> None:
    with pytest.raises(ValueError, match="talk_s must be a finite number of seconds"):
        checked_seconds("talk_s", value)
