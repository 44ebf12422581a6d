"""How likely leads answer now, beside the campaign."""

from __future__ import annotations

import random

import pytest

from dialer.core.chance import best_lists, chances
from dialer.core.pacing.answering import Features
from tests.dialer.core.bench_engine import SETTINGS, START, Bench


def test_the_lists_that_answer_better_in_this_hour_come_first() -> None:
    state, rng = Bench(SETTINGS).engine.state, random.Random(1)
    now_hour = state.window.local_hour(START)
    rates = {1: 0.1, 2: 0.4, 3: 0.2, 4: 0.6}
    for i in range(8000):
        list_id = i % 4 + 1
        p = rates[list_id] if i % 8 < 4 else 0.3
        hour = now_hour if i % 8 < 4 else (now_hour + 1) % 24
        lead = Features(hour, list_id, "", 1)
        state.estimators.call_finished(rng.random() < p, 10.0, features=lead)
    assert best_lists(state, START) == (4, 2)


def test_nothing_known_prefers_nobody() -> None:
    assert best_lists(Bench(SETTINGS).engine.state, START) == ()


@pytest.mark.parametrize(
    ("lifts", "told"), [([], ()), ([1.0, 1.01], ()), ([1.0, 2.0], (0.2, 0.4)), ([9.0, 1.0], (1.0, 0.2))]
)
def test_chances_are_told_where_leads_differ(lifts: list[float], told: tuple[float, ...]) -> None:
    assert chances(lifts, 0.2) == pytest.approx(told)
