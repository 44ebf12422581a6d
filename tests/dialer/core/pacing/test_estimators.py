from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.pacing.estimators import QUANTILES, AnswerRate, Estimators, coins_of, rows_of

COLUMNS = range(len(QUANTILES))


def busy_campaign(seed: int = 1, calls: int = 400) -> Estimators:
    chance, learned = random.Random(seed), Estimators(grace_s=1.0)
    for _ in range(calls):
        answered = chance.random() < 0.3
        learned.call_finished(answered, max(1.0, chance.gauss(10, 4)) if answered else 25.0)
        if answered:
            learned.talk_finished(chance.expovariate(1 / 90))
            learned.wrap_finished(15.0)
    return learned


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


def test_what_was_seen_is_learned() -> None:
    known = busy_campaign(calls=2000).estimates()
    assert known.p_answer == pytest.approx(0.3, abs=0.05)
    assert known.mean_handle_s == pytest.approx(105, rel=0.15)
    assert list(known.horizons) == sorted(known.horizons)
    assert known.horizons[2] == pytest.approx(10, abs=1)


def test_a_cold_start_is_careful() -> None:
    known = Estimators().estimates()
    assert known.p_careful > 0.6
    assert known.p_free_within(30.0, 10.0, wrapping=False) < 0.05
    assert Estimators().theta <= 0.03


def test_uncertainty_shrinks_with_calls() -> None:
    assert busy_campaign(calls=300).estimates().p_answer_sd < Estimators().estimates().p_answer_sd / 3


def test_a_step_of_the_answer_rate_is_noticed_within_a_hundred_calls() -> None:
    chance, rate = random.Random(3), AnswerRate()
    for _ in range(2000):
        rate.add(answered=chance.random() < 0.2)
    assert rate.mean_and_sd()[0] == pytest.approx(0.2, abs=0.06)
    changes = [rate.add(answered=chance.random() < 0.6) for _ in range(100)]
    assert any(changes)
    assert rate.mean_and_sd()[0] > 0.45


def test_a_steady_answer_rate_rarely_looks_like_a_change() -> None:
    chance, rate = random.Random(4), AnswerRate()
    assert sum(rate.add(answered=chance.random() < 0.2) for _ in range(20_000)) <= 20


def test_abandons_lower_theta_and_connected_calls_raise_it() -> None:
    learned = Estimators(target=0.024)
    start = learned.theta
    learned.abandon_observed(abandoned=True)
    low = learned.theta
    learned.abandon_observed(abandoned=False)
    assert low < learned.theta < start


def test_theta_rests_at_the_target_share() -> None:
    learned = Estimators(target=0.025)
    before = learned.theta
    for abandoned in [True] + [False] * 39:
        learned.abandon_observed(abandoned)
    assert learned.theta == pytest.approx(before)


@given(st.lists(st.booleans(), max_size=600))
def test_theta_stays_in_its_range(outcomes: list[bool]) -> None:
    learned = Estimators()
    for abandoned in outcomes:
        learned.abandon_observed(abandoned)
        assert 0.002 <= learned.theta <= 0.3


def test_estimates_are_rebuilt_only_when_enough_is_new() -> None:
    learned = busy_campaign()
    first = learned.estimates()
    learned.talk_finished(40.0)
    assert learned.estimates() is first
    for _ in range(150):
        learned.talk_finished(40.0)
    assert learned.estimates() is not first


def test_the_same_calls_give_the_same_estimates() -> None:
    one, other = busy_campaign(7).estimates(), busy_campaign(7).estimates()
    assert one.horizons == other.horizons
    assert (one.talking_table == other.talking_table).all()


def test_estimates_cannot_be_changed() -> None:
    known = Estimators().estimates()
    with pytest.raises(ValueError, match="read-only"):
        known.ringing_table[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        known.talk.survival[0] = 0.5


def test_dump_and_load_go_round() -> None:
    learned, other = busy_campaign(), Estimators(grace_s=1.0)
    learned.abandon_observed(abandoned=True)
    other.load(learned.dump())
    assert other.dump() == learned.dump()
    assert other.theta == learned.theta
    one, two = learned._build(), other.estimates()
    assert one.p_answer == two.p_answer
    assert (one.talking_table == two.talking_table).all()


@pytest.mark.parametrize("dumped", [b"", b"nonsense", b"\x80"])
def test_a_foreign_dump_is_refused_and_changes_nothing(dumped: bytes) -> None:
    learned = busy_campaign()
    before = learned.dump()
    with pytest.raises(ValueError, match="not the learned estimates"):
        learned.load(dumped)
    assert learned.dump() == before


@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf])
def test_impossible_input_is_named_and_changes_nothing(bad: float) -> None:
    learned = busy_campaign()
    before = learned.dump()
    with pytest.raises(ValueError, match="after_s"):
        learned.call_finished(answered=True, after_s=bad)
    with pytest.raises(ValueError, match="talk_s"):
        learned.talk_finished(bad)
    with pytest.raises(ValueError, match="wrap_s"):
        learned.wrap_finished(bad)
    with pytest.raises(ValueError, match="grace_s"):
        Estimators(grace_s=bad)
    assert learned.dump() == before


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_an_impossible_target_is_named(bad: float) -> None:
    with pytest.raises(ValueError, match="target"):
        Estimators(target=bad)
