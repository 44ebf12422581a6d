"""Pacer, estimators and legal budget together, in a call centre in miniature."""

from __future__ import annotations

import pytest

from dialer.core.pacing.guard import LegalBudget
from dialer.core.pacing.registry import pacer_named
from dialer.core.types import LegalProfile
from tests.dialer.core.pacing.toy_centre import Centre


def centre(pacer: str, *, agents: int = 10, p: float = 0.2, seed: int = 1, history: int = 3000) -> Centre:
    return Centre(pacer_named(pacer), agents, p, seed, LegalBudget(LegalProfile(), history, history // 50))


@pytest.mark.parametrize("p", [0.1, 0.3])
def test_predictive_keeps_agents_busier_than_progressive_within_the_legal_limit(p: float) -> None:
    slow, fast = centre("progressive", p=p), centre("predictive", p=p)
    occupancy = slow.run(1.5)
    assert slow.abandons == 0
    assert fast.run(1.5) > occupancy + 0.1
    assert fast.worst <= 0.03


def test_without_a_history_nobody_is_abandoned_until_enough_answered() -> None:
    cold = centre("predictive", history=0)
    occupancy = cold.run(1.5)
    assert cold.worst <= 0.03
    assert cold.answers > 100
    assert occupancy > 0.5


def test_when_twice_as_many_people_answer_the_limit_still_holds() -> None:
    team = centre("predictive", agents=20, p=0.2)
    team.run(0.7)
    team.p = 0.5
    team.run(1.5)
    assert team.worst <= 0.03
    assert team.estimators.estimates().p_answer == pytest.approx(0.5, abs=0.1)


def test_the_same_seed_gives_the_same_calls() -> None:
    one, other = centre("predictive"), centre("predictive")
    assert (one.run(0.3), one.placed) == (other.run(0.3), other.placed)
