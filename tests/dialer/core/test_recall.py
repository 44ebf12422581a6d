"""What an engine has learned, given to the next one."""

from __future__ import annotations

import contextlib
import math
import operator
from collections.abc import Iterator
from functools import reduce
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core import events
from dialer.core.effects import BeginAttempts
from dialer.core.types import SavedEstimates
from tests.dialer.core.bench_engine import SETTINGS, START, Bench

PREDICTIVE = msgspec.structs.replace(SETTINGS, pacer="predictive")
PEOPLE = 2_000
"""Answers in the legal window: the law leaves room to dial ahead."""


def experienced(*, one_in: int = 10, calls: int = 1_000) -> Bench:
    """Return an engine for which one call in so many was answered."""
    bench = Bench(PREDICTIVE)
    learn(bench, one_in=one_in, calls=calls)
    return bench


def learn(bench: Bench, *, one_in: int, calls: int) -> None:
    estimators = bench.engine.state.estimators
    for n in range(calls):
        answered = n % one_in == 0
        estimators.call_finished(answered, 10.0 if answered else 25.0)
        if answered:
            estimators.talk_finished(90.0)
            estimators.wrap_finished(15.0)
    estimators.abandon_observed(abandoned=False, at=0)


EXPERIENCE = experienced(calls=200).engine.learned()


def first_calls(bench: Bench) -> int:
    """Let ten agents come to work; return how many calls the first decisions place."""
    bench.start(agents=10, answers=PEOPLE)
    return sum(len(effect.intents) for effect in bench.of(BeginAttempts))


def test_the_first_decision_knows_what_was_learned() -> None:
    known = experienced().engine.learned()
    cold, warm = (Bench(PREDICTIVE, leads=100) for _ in range(2))
    warm.engine.recall(SavedEstimates(known, saved_at=START), now=START)
    assert warm.engine.expected_answer_rate == pytest.approx(0.1, abs=0.02)
    assert first_calls(warm) > first_calls(cold)


@given(one_in=st.integers(1, 50), calls=st.integers(0, 300))
def test_an_engine_that_recalls_knows_the_same(one_in: int, calls: int) -> None:
    before, after = experienced(one_in=one_in, calls=calls).engine, Bench(PREDICTIVE).engine
    after.recall(SavedEstimates(before.learned(), START, forgets=3), now=START)
    assert after.learned() == before.learned()
    assert after.expected_answer_rate == before.expected_answer_rate
    assert after.state.estimators.theta == before.state.estimators.theta
    assert after.forgets == 3


def test_what_was_learned_two_months_ago_is_not_used() -> None:
    engine, cold = Bench(PREDICTIVE).engine, Bench(PREDICTIVE).engine.learned()
    engine.recall(SavedEstimates(experienced().engine.learned(), START), now=START + 60 * 86_400)
    assert engine.learned() == cold


def test_nothing_learned_is_nothing_to_recall() -> None:
    engine, cold = Bench(PREDICTIVE).engine, Bench(PREDICTIVE).engine.learned()
    engine.recall(SavedEstimates(forgets=2), now=START)
    assert (engine.learned(), engine.forgets) == (cold, 2)


def refused(blob: bytes) -> None:
    engine = Bench(PREDICTIVE).engine
    cold = engine.learned()
    with pytest.raises(ValueError):  # noqa: PT011 -- the words are the estimators' or ours; both are values
        engine.recall(SavedEstimates(blob, START, forgets=1), now=START)
    assert (engine.learned(), engine.forgets) == (cold, 1)


@given(st.binary(min_size=1, max_size=200))
def test_foreign_bytes_leave_a_cold_engine(blob: bytes) -> None:
    refused(blob)


@given(st.integers(0, 10_000))
def test_some_of_the_bytes_leave_a_cold_engine(end: int) -> None:
    refused(EXPERIENCE[: 1 + end % (len(EXPERIENCE) - 1)])


def numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of each float in what bytes hold, whatever their format."""
    if isinstance(value, float):
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from numbers(inner, (*path, key))


@given(data=st.data(), number=st.sampled_from((math.nan, math.inf, -math.inf, -1.0, 1e300)))
def test_no_impossible_number_reaches_the_pacer(data: st.DataObject, number: float) -> None:
    learned = msgspec.msgpack.decode(EXPERIENCE)
    *way, last = data.draw(st.sampled_from(list(numbers(learned))))
    reduce(operator.getitem, way, learned)[last] = number
    engine = Bench(PREDICTIVE).engine
    with contextlib.suppress(ValueError):
        engine.recall(SavedEstimates(msgspec.msgpack.encode(learned), START), now=START)
    known = engine.state.estimators.estimates()
    assert 0 <= known.p_answer <= 1
    assert 0 < engine.state.estimators.theta < 1
    assert np.isfinite(known.coins).all()
    assert math.isfinite(known.mean_handle_s)


def test_a_person_lets_it_forget_and_it_learns_anew() -> None:
    bench, cold = experienced(), Bench(PREDICTIVE).engine.learned()
    bench.tell(events.EstimatesForgotten(1))
    assert (bench.engine.learned(), bench.engine.forgets) == (cold, 1)
    learn(bench, one_in=2, calls=100)
    bench.tell(events.EstimatesForgotten(1))  # told twice of one wish
    assert bench.engine.learned() != cold
    bench.tell(events.EstimatesForgotten(2))
    assert (bench.engine.learned(), bench.engine.forgets) == (cold, 2)


def test_forgetting_keeps_the_legal_counts() -> None:
    bench = experienced()
    bench.tell(events.CampaignStarted(answers=100, abandons=2), events.EstimatesForgotten(1))
    figures = bench.engine.figures(bench.now)
    assert (figures.answered, figures.abandoned) == (100, 2)
