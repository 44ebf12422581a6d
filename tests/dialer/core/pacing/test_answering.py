"""The answer model against streams whose chances are known."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core.pacing.answering import CELLS_MAX, LATE_ATTEMPT, AnswerModel, AnswerState, Features, Sums

LIKE_ANY = Features(hour=9, list_id=1, trunk="a", attempt_no=1)


def fed(chance: Callable[[Features], float], count: int, *, seed: int = 1, hours: int = 10) -> AnswerModel:
    """Return a model that has seen `count` attempts; hours pass one after the other, lists and attempts are mixed."""
    rng = random.Random(seed)
    model = AnswerModel()
    for i in range(count):
        features = Features(8 + i * hours // count, rng.choice((1, 2)), rng.choice("ab"), rng.randint(1, 4))
        model.add(features, rng.random() < chance(features))
    return model


def test_before_any_call_half_are_expected_to_answer() -> None:
    model = AnswerModel()
    mean, sd = model.overall()
    assert mean == 0.5
    assert sd > 0.1
    assert model.chance(LIKE_ANY) == 0.5


@pytest.mark.parametrize("p", [0.02, 0.1, 0.3, 0.7])
def test_the_overall_rate_is_found_within_its_own_deviation(p: float) -> None:
    model = fed(lambda _: p, 3000)
    mean, sd = model.overall()
    assert mean == pytest.approx(p, abs=4 * sd)
    assert sd < 0.05


@given(st.lists(st.booleans(), max_size=60))
def test_without_features_the_rate_is_a_beta_posterior(answers: list[bool]) -> None:
    model = AnswerModel()
    for answered in answers:
        model.add(None, answered)
    exact = (sum(answers) + 5) / (len(answers) + 10)
    assert model.chance(None) == pytest.approx(exact, abs=0.03)


def test_lists_hours_trunks_and_attempts_are_told_apart() -> None:
    def chance(lead: Features) -> float:
        odds = 0.25 * (3 if lead.list_id == 2 else 1) * (0.5 if lead.trunk == "b" else 1) * 0.8**lead.attempt_no
        return odds / (1 + odds)

    model = fed(chance, 12_000)
    for list_id in (1, 2):
        for trunk in "ab":
            for attempt_no in (1, 4):
                lead = Features(17, list_id, trunk, attempt_no)
                assert model.chance(lead) == pytest.approx(chance(lead), rel=0.3)


def test_a_list_that_answers_in_the_evening_is_known_apart_from_one_that_does_in_the_morning() -> None:
    def chance(lead: Features) -> float:
        return 0.3 if (lead.hour < 13) == (lead.list_id == 1) else 0.1

    model = fed(chance, 12_000)
    for hour in (9, 16):
        for list_id in (1, 2):
            lead = Features(hour, list_id, "a", 2)
            assert model.chance(lead) == pytest.approx(chance(lead), rel=0.4)


def test_its_chances_are_calibrated_and_say_more_than_the_overall_rate() -> None:
    rng = random.Random(7)
    model = AnswerModel()
    gain, sums = 0.0, {low: [0.0, 0.0, 0] for low in (0.0, 0.15, 0.3)}
    for i in range(20_000):
        lead = Features(8 + i // 200 % 10, rng.choice((1, 2, 3)), "a", rng.randint(1, 5))
        odds = 0.2 * (1 + (lead.hour - 8) / 4) * lead.list_id / 2 * 0.9**lead.attempt_no
        answered = rng.random() < odds / (1 + odds)
        if i > 4000:
            mine, flat = model.chance(lead), model.overall()[0]
            gain += math.log(mine / flat) if answered else math.log((1 - mine) / (1 - flat))
            of_bin = sums[max(low for low in sums if low <= mine)]
            of_bin[0] += mine
            of_bin[1] += answered
            of_bin[2] += 1
        model.add(lead, answered)
    assert gain / 16_000 > 0.015, "nats an attempt"
    for said, came, count in sums.values():
        assert count > 500
        assert said / count == pytest.approx(came / count, rel=0.12)


def test_a_new_list_is_taken_for_what_is_known_above_it() -> None:
    model = fed(lambda _: 0.2, 4000)
    known = Features(17, 1, "a", 2)
    assert model.chance(msgspec.structs.replace(known, list_id=99)) == pytest.approx(0.2, rel=0.25)


def test_a_rate_that_jumps_is_noticed_within_a_hundred_calls_and_steady_calls_seldom_raise_it() -> None:
    rng = random.Random(3)
    model = AnswerModel()
    false = sum(model.add(None, rng.random() < 0.2) for _ in range(20_000))
    assert false <= 3
    noticed = next(i for i in range(1000) if model.add(None, rng.random() < 0.6))
    assert noticed < 100
    for _ in range(100):
        model.add(None, rng.random() < 0.6)
    assert model.overall()[0] == pytest.approx(0.6, abs=0.12)


def test_answers_that_come_in_bursts_widen_the_deviation_and_independent_ones_hardly_do() -> None:
    rng = random.Random(5)
    steady, bursts = AnswerModel(), AnswerModel()
    wide: list[float] = []
    for i in range(6000):
        steady.add(None, rng.random() < 0.2)
        bursts.add(None, rng.random() < (0.35 if i // 40 % 2 else 0.05))
        wide.append(steady.overall()[1])
    assert sum(wide[2000:]) / 4000 < 0.02
    assert bursts.overall()[1] > 0.06


@given(st.lists(st.tuples(st.integers(0, 23), st.integers(1, 3), st.integers(1, 30), st.booleans()), max_size=80))
@settings(max_examples=50)
def test_every_chance_is_between_0_and_1_and_survives_the_store(attempts: list[tuple[int, int, int, bool]]) -> None:
    model = AnswerModel()
    for hour, list_id, attempt_no, answered in attempts:
        model.add(Features(hour, list_id, "a", attempt_no), answered)
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(model.state()), type=AnswerState)
    again = AnswerModel()
    again.restore(stored)
    for hour, list_id, attempt_no, _ in attempts:
        lead = Features(hour, list_id, "a", attempt_no)
        assert 0 < model.chance(lead) < 1
        assert again.chance(lead) == model.chance(lead)
    assert again.state().slow == model.state().slow


def test_what_was_learned_long_ago_weighs_less() -> None:
    model = fed(lambda _: 0.1, 500)
    aged = AnswerModel()
    aged.restore(model.state(), weight=0.01)
    assert aged.overall()[0] > model.overall()[0]
    assert aged.overall()[1] > model.overall()[1]


@pytest.mark.parametrize(
    "sums", [Sums(-1.0, 0.0), Sums(1.0, 2.0), Sums(math.nan, 0.0), Sums(1.0, math.inf), Sums(1.0, 0.0, math.nan)]
)
def test_counts_that_cannot_be_are_refused_and_change_nothing(sums: Sums) -> None:
    model = fed(lambda _: 0.3, 200)
    before = model.state()
    for state in (AnswerState(slow=sums), AnswerState(cells=((("hour", 1, ""), sums),))):
        with pytest.raises(ValueError, match="cannot be counted"):
            model.restore(state)
    assert model.state() == before


def test_late_attempts_are_alike_and_memory_is_bounded() -> None:
    model = AnswerModel()
    for list_id in range(3000):
        model.add(Features(9, list_id, "a", LATE_ATTEMPT + list_id), answered=bool(list_id % 2))
    assert len(model.state().cells) <= CELLS_MAX
    late = Features(9, 2999, "a", LATE_ATTEMPT)
    assert model.chance(late) == model.chance(msgspec.structs.replace(late, attempt_no=LATE_ATTEMPT + 500))
