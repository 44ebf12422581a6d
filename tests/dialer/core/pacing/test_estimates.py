from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.pacing.estimates import QUANTILES, coins_of, ringing_coins, rows_of
from dialer.core.pacing.estimators import Estimators
from tests.dialer.core.pacing.snapshots import busy_campaign

COLUMNS = range(len(QUANTILES))
KNOWN = busy_campaign().estimates()
AGES = st.lists(st.floats(0, 2000), max_size=5)


def test_a_ringing_call_follows_the_formula() -> None:
    known = busy_campaign().estimates()
    for age, s in ((0.0, 8.0), (6.5, 3.0), (20.0, 10.0)):
        alive = known.p_careful * known.to_answer.left(age)
        either = alive + (1 - known.p_careful) * known.to_fail.left(age)
        now, then = known.to_answer.left(age), known.to_answer.left(age + s)
        assert known.p_still_answers(age) == pytest.approx(alive / either)
        assert known.p_answers_within(age, s) == pytest.approx(known.p_careful * (now - then) / either)


def test_old_ringing_calls_are_mostly_dead() -> None:
    known = busy_campaign().estimates()
    assert known.p_still_answers(0.0) == pytest.approx(known.p_careful)
    assert known.p_still_answers(22.0) < 0.05


def test_tables_hold_what_the_formulas_say() -> None:
    known = busy_campaign().estimates()
    for age in (0.0, 3.0, 11.0, 40.0, 300.0):
        rings, talks, wraps = (
            table[rows_of([age])[0]] for table in (known.ringing_table, known.talking_table, known.wrapping_table)
        )
        for k in COLUMNS:
            s = known.horizons[k]
            assert rings[k] == pytest.approx(known.p_answers_within(age, s), abs=1e-9)
            assert talks[k] == pytest.approx(known.p_free_within(age, s + known.grace_s, wrapping=False), abs=1e-9)
            assert wraps[k] == pytest.approx(known.p_free_within(age, s + known.grace_s, wrapping=True), abs=1e-9)
            assert wraps[k + len(COLUMNS)] == pytest.approx(wraps[k] * (1 - wraps[k]))


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=5))
def test_any_age_finds_a_row(ages: list[float]) -> None:
    rows = Estimators().estimates().ringing_table[rows_of(ages)]
    assert rows.shape == (len(ages), 2 * len(QUANTILES))
    assert np.isfinite(rows).all()


@given(AGES, AGES, AGES)
def test_coins_are_the_rows_of_calls_and_of_agents_who_stay_busy(
    ringing: list[float], talking: list[float], wrapping: list[float]
) -> None:
    known, chances = KNOWN, len(QUANTILES)
    coins = coins_of(known, ringing, talking, wrapping)
    free = np.vstack((known.talking_table[rows_of(talking)], known.wrapping_table[rows_of(wrapping)]))
    assert (coins[: len(ringing)] == known.ringing_table[rows_of(ringing)]).all()
    assert (coins[len(ringing) :, :chances] == 1 - free[:, :chances]).all()
    assert (coins[len(ringing) :, chances:] == free[:, chances:]).all()


def test_an_agent_who_talks_must_also_wrap_up_before_being_free() -> None:
    known = busy_campaign().estimates()
    assert known.p_free_within(200.0, 10.0, wrapping=False) < 0.02
    assert known.p_free_within(200.0, 60.0, wrapping=False) > 0.2
    assert known.p_free_within(10.0, 10.0, wrapping=True) > 0.9


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0.0, 1.0)), max_size=6))
def test_a_call_with_a_chance_of_its_own_follows_the_formula(calls: list[tuple[float, float]]) -> None:
    ages, chances = [float(int(age)) for age, _ in calls], [chance for _, chance in calls]
    coins = ringing_coins(KNOWN, ages, chances)
    for row, age, chance in zip(coins, ages, chances, strict=True):
        p = min(1.0, chance * KNOWN.care)
        either = p * KNOWN.to_answer.left(age) + (1 - p) * KNOWN.to_fail.left(age)
        for k in COLUMNS:
            by_then = KNOWN.to_answer.left(age) - KNOWN.to_answer.left(age + KNOWN.horizons[k])
            assert row[k] == pytest.approx(p * by_then / either if either else 0.0, abs=1e-9)


def test_chances_like_the_campaigns_give_the_campaigns_rows() -> None:
    ages = [0.0, 4.0, 11.0, 30.0]
    own = ringing_coins(KNOWN, ages, [KNOWN.p_answer] * 4)
    assert own == pytest.approx(coins_of(KNOWN, ages, (), ()))


@pytest.mark.parametrize("chances", [[0.2], [0.2, float("nan")], [0.2, -0.1]])
def test_chances_that_cannot_be_are_refused(chances: list[float]) -> None:
    with pytest.raises(ValueError, match="answer probabilit"):
        ringing_coins(KNOWN, [1.0, 2.0], chances)
