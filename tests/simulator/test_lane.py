from __future__ import annotations

import pytest

from dialer.core.effects import AnyEffect, Effect, MediaEffect
from dialer.core.events import AgentReady, AgentSignedIn, CampaignStarted
from simulator.lane import Lane
from simulator.profile import Fate
from simulator.world import World
from tests.simulator.worlds import START, only, plan, scenario


@pytest.fixture
def lane() -> Lane:
    (made,) = World(scenario(only(Fate.ANSWER), plan()), seed=7).lanes
    return made


def test_every_effect_of_the_engine_is_performed(lane: Lane) -> None:
    kinds = {kind for kind in (*Effect.__subclasses__(), *MediaEffect.__subclasses__()) if kind is not MediaEffect}
    assert set(lane._perform) == kinds
    assert all(issubclass(kind, AnyEffect) for kind in kinds)


def test_one_fact_is_followed_through_to_the_invite_before_the_next(lane: Lane) -> None:
    now = START.timestamp()
    assert lane.take(CampaignStarted(), now)
    assert lane.take(AgentSignedIn("agent-01"), now)
    assert lane.take(AgentReady("agent-01"), now)
    for seconds in range(1, 4):
        lane.fire(now + seconds)
    assert lane.engine.state.totals.placed == 1
    assert lane.engine.take_effects() == []
    assert len(lane._inbox) == 0
