"""The forecast against what the same team comes to with people who really are so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.bench.pacing.people import WORLDS, People
from dialer.core.pacing.centre import Centre, Rules, abandonment, occupancy
from dialer.core.pacing.estimators import Estimators
from dialer.core.pacing.forecast import Forecast, LikeLearned, dials_left, forecast
from dialer.core.pacing.guard import LegalBudget
from dialer.core.pacing.registry import pacer_named
from dialer.core.types import LegalProfile

HOUR = 3600.0


def learned(p: float = 0.2, calls: int = 3000) -> Estimators:
    people, known = People(WORLDS["realistic"], p, 5), Estimators()
    for number in range(calls):
        answers, after_s = people.attempt(number, 0.0)
        known.call_finished(answers, after_s)
        if answers:
            known.talk_finished(people.talk_s(number))
            known.wrap_finished(people.wrap_s(number))
    return known


def foretold(known: Estimators, agents: int, *, seed: int = 1, pacer: str = "predictive") -> Forecast:
    budget = LegalBudget(LegalProfile(), 20_000, 500)
    luck = np.random.default_rng(seed)
    return forecast(known, pacer_named(pacer), Rules(agents), budget, dials_left=10_000, luck=luck)


def test_the_foretold_occupancy_is_what_real_people_bring() -> None:
    centre = Centre(
        pacer_named("predictive"),
        Rules(20),
        People(WORLDS["realistic"], 0.2, 77),
        estimators=learned(),
        budget=LegalBudget(LegalProfile(), 20_000, 500),
    )
    centre.run(5 * HOUR)
    came = centre.minutes[60:]
    told = foretold(learned(), 20)
    assert told.occupancy == pytest.approx(occupancy(came), abs=0.02)
    assert told.abandonment == pytest.approx(abandonment(came), abs=0.012)


def test_more_agents_are_busier_and_wait_less_and_call_more() -> None:
    small, large = foretold(learned(), 5), foretold(learned(), 20)
    assert large.occupancy > small.occupancy
    assert large.wait_mean_s < small.wait_mean_s <= small.wait_p90_s
    assert large.dials_per_hour > 3 * small.dials_per_hour
    assert large.list_hours is not None
    assert small.list_hours is not None
    assert large.list_hours < small.list_hours
    assert large.list_hours == pytest.approx(10_000 / large.dials_per_hour)


def test_progressive_abandons_nobody_and_is_less_busy() -> None:
    plain = foretold(learned(), 10, pacer="progressive")
    assert plain.abandonment == 0
    assert plain.occupancy < foretold(learned(), 10).occupancy - 0.1


def test_the_same_luck_tells_the_same() -> None:
    assert foretold(learned(), 5, seed=3) == foretold(learned(), 5, seed=3)


def test_drawn_people_are_as_the_curves_say() -> None:
    known = learned().estimates()
    people = LikeLearned(known, np.random.default_rng(2))
    drawn = [people.attempt(number, 0.0) for number in range(20_000)]
    assert sum(answers for answers, _ in drawn) / 20_000 == pytest.approx(known.p_answer, abs=0.01)
    rings = [after_s for answers, after_s in drawn if answers]
    assert float(np.median(rings)) == pytest.approx(known.to_answer.quantile(0.5), rel=0.05)
    talks = [people.talk_s(number) for number in range(20_000)]
    assert float(np.median(talks)) == pytest.approx(known.talk.quantile(0.5), rel=0.05)
    assert min(talks) >= 0


@given(st.integers(0, 6), st.floats(0.01, 0.9), st.integers(1, 8))
def test_calls_that_remain_are_what_chance_says(attempts: int, p: float, most: int) -> None:
    left = max(0, most - attempts)
    exact = sum((1 - p) ** call for call in range(left))
    assert dials_left([(attempts, 7)], p_answer=p, max_attempts=most) == pytest.approx(7 * exact)


def test_nobody_answers_then_every_lead_is_called_to_the_end() -> None:
    assert dials_left([(0, 10), (2, 5), (9, 3)], p_answer=0.0, max_attempts=3) == 35


@pytest.mark.parametrize("agents", [0, -1])
def test_a_team_of_nobody_is_refused(agents: int) -> None:
    with pytest.raises(ValueError, match="at least one agent"):
        foretold(learned(calls=10), agents)
