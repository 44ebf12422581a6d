from __future__ import annotations

import pytest

from dialer.core.effects import (
    AgentOrder,
    Answer,
    AnyEffect,
    CommandAgent,
    Effect,
    Hold,
    Hush,
    MediaEffect,
    Record,
    StopRecording,
    Summon,
    Supervise,
    Transfer,
)
from dialer.core.events import AgentReady, AgentSignedIn, CampaignStarted
from dialer.core.types import CampaignKind, Offering, Strategy
from simulator.desks import DeskState
from simulator.lane import Lane
from simulator.profile import AgentProfile, Callers, Fate
from simulator.watch import InvariantBroken
from simulator.world import World
from statuses.outcomes import CallStatus
from tests.simulator.worlds import START, only, plan, run, scenario


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


@pytest.mark.parametrize(
    ("changes", "asks"),
    [
        ({}, False),
        ({"offering": Offering.ASK}, True),
        ({"strategy": Strategy.RING_ALL}, True),
        ({"kind": CampaignKind.PREDICTIVE, "inbound": True, "offering": Offering.ASK}, True),
    ],
)
def test_callers_are_taken_by_agents_and_settled_once(changes: dict[str, object], asks: bool) -> None:
    agents = AgentProfile(count=3, arrive_within_s=1.0, rejects=0.1, misses=0.1, link_lost=0.05)
    more: dict[str, object] = {"kind": CampaignKind.INBOUND, "agents": agents, "leads": 20, "queue_s": 60.0}
    world = run(only(Fate.ANSWER, callers=Callers(per_hour=200.0)), plan(**(more | changes)))
    (lane,) = world.lanes
    statuses = lane.meter.statuses
    assert statuses[CallStatus.ANSWERED] > 20
    assert statuses[CallStatus.BUSY_LINE] > 0
    assert (lane.seconds[DeskState.RINGING] > 0) is asks
    assert len(world.exchange) == 0


def test_a_call_to_nobodys_hotline_is_not_taken() -> None:
    world = run(only(Fate.ENGAGED, callers=Callers(per_hour=200.0, hotlines=("nobody's",))), plan())
    assert len(world.exchange) == 0
    assert CallStatus.BUSY_LINE not in world.lanes[0].meter.statuses


def test_orders_reach_the_switch_and_an_agent_is_asked_for_one_call_only() -> None:
    effects = [
        Summon("c9", "agent-01"), Record("c9"), StopRecording("c9"), Hush("c9"), Hold("c9", on=True), Answer("c9"),
        Transfer("c9", "+84001", "h", "trunk-1"), Supervise("c9", "agent-02", None),
    ]  # fmt: skip
    (made,) = World(scenario(only(Fate.ANSWER), plan()), seed=7).lanes
    for effect in effects:
        made._perform[type(effect)](effect, START.timestamp())
    assert made._exchange.holder("c9") == "agent-01"
    with pytest.raises(InvariantBroken, match="second call"):
        made._perform[Summon](Summon("c8", "agent-01"), START.timestamp())
    with pytest.raises(InvariantBroken, match="second call"):
        made._perform[CommandAgent](CommandAgent("agent-01", AgentOrder.OFFER, "c8"), START.timestamp())
