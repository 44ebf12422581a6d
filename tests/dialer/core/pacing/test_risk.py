from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.pacing.risk import THETA_RANGE, Risk


def test_abandons_lower_theta_and_connected_calls_raise_it() -> None:
    risk = Risk(0.03)
    start = risk.theta
    risk.observed(abandoned=True, at=0)
    assert risk.theta < start
    low = risk.long_run
    risk.observed(abandoned=False, at=0)
    assert low < risk.long_run < start


def test_in_the_long_run_theta_rests_at_the_target_share() -> None:
    risk = Risk(0.025)
    before = risk.long_run
    for abandoned in [True] + [False] * 39:
        risk.observed(abandoned=abandoned, at=0)
    assert risk.long_run == pytest.approx(before)


def test_after_bad_ten_minutes_less_is_risked_until_they_are_forgotten() -> None:
    risk = Risk(0.03)
    for second in range(60):
        risk.observed(abandoned=second % 10 == 0, at=second)
    assert risk.theta < 0.5 * risk.long_run
    risk.observed(abandoned=False, at=60 + 3600)
    assert risk.theta == risk.long_run


def test_a_few_calls_of_a_small_team_are_no_bad_ten_minutes() -> None:
    small, large = Risk(0.03), Risk(0.03)
    for call in range(300):
        if call % 15 == 0:
            small.observed(abandoned=call % 150 == 0, at=2 * call)
        large.observed(abandoned=call % 20 == 0, at=2 * call)
    # 10 % of the small team's 20 calls, 5 % of the large one's 300: the latter says more
    assert large.theta / large.long_run < 0.4
    assert small.theta / small.long_run > 0.5


def test_a_clock_that_steps_back_does_not_bring_old_calls_back() -> None:
    risk = Risk(0.03)
    for second in range(60):
        risk.observed(abandoned=second % 15 == 0, at=10_000 + second)
    braked = risk.theta / risk.long_run
    risk.observed(abandoned=False, at=0)
    assert braked <= risk.theta / risk.long_run < braked + 0.1


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=600))
def test_theta_stays_in_its_range(outcomes: list[tuple[bool, bool]]) -> None:
    risk = Risk(0.03)
    for abandoned, limited in outcomes:
        risk.limited = limited
        risk.observed(abandoned=abandoned, at=0)
        assert THETA_RANGE[0] <= risk.theta <= THETA_RANGE[1]


def test_what_is_limited_by_something_else_does_not_wind_up() -> None:
    risk = Risk(0.03)
    before, risk.limited = risk.theta, True
    for _ in range(1000):
        risk.observed(abandoned=False, at=0)
    assert risk.theta == before
    risk.observed(abandoned=True, at=0)
    assert risk.theta < before


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_an_impossible_target_is_named(bad: float) -> None:
    with pytest.raises(ValueError, match="target"):
        Risk(bad)


def test_a_stored_theta_is_checked() -> None:
    risk = Risk(0.03)
    risk.restore(0.05)
    assert risk.theta == risk.long_run == 0.05
    with pytest.raises(ValueError, match="theta"):
        risk.restore(math.inf)
