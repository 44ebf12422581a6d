from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from dialer.core.effects import AgentOrder, CommandAgent
from dialer.core.events import AgentEvent, AgentLost, AgentReady, AgentSignedIn, AgentWrappedUp, CallEnded
from dialer.ports import AgentLink
from simulator.clock import VirtualClock
from simulator.live import SimulatorTelephony
from simulator.live_agents import SimulatedDesks
from simulator.profile import AgentProfile, Fate
from statuses.outcomes import EndedBy
from tests.simulator.worlds import constant, only

CALM = AgentProfile(count=2, arrive_within_s=0.0, wrap_up=constant(10.0), callback=0.0, do_not_recall=0.0)


class Floor:
    def __init__(self) -> None:
        self.clock = VirtualClock(1_000_000.0)
        self.trunk = SimulatorTelephony(only(Fate.ANSWER), clock=self.clock, seed=7)
        self.desks = SimulatedDesks(clock=self.clock, seed=7, trunk=self.trunk)
        self.heard: list[tuple[int, AgentEvent]] = []

    async def listen(self) -> None:
        async for event in self.desks.events():
            self.heard.append(event)

    async def after(self, seconds: float) -> list[tuple[int, AgentEvent]]:
        await self.clock.advance(seconds)
        heard, self.heard = self.heard, []
        return heard


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    made = Floor()
    async with made.trunk, made.desks:
        listener = asyncio.create_task(made.listen())
        yield made
    await asyncio.wait_for(listener, 5.0)


async def test_agents_of_each_campaign_sign_in_under_their_own_names(floor: Floor) -> None:
    port: AgentLink = floor.desks
    assert port is floor.desks
    floor.desks.man(4, CALM)
    floor.desks.man(9, CALM)
    heard = await floor.after(1.0)
    assert heard[:2] == [(4, AgentSignedIn("agent-01")), (4, AgentReady("agent-01"))]
    assert {(campaign, event.agent_id) for campaign, event in heard} == {
        (4, "agent-01"), (4, "agent-02"), (9, "agent-03"), (9, "agent-04"),
    }  # fmt: skip
    assert floor.desks.names["agent-03"] == "Agent 03"
    with pytest.raises(ValueError, match="campaign 4 has its simulated agents"):
        floor.desks.man(4, CALM)


async def test_an_agent_wraps_up_in_its_own_time(floor: Floor) -> None:
    floor.desks.man(4, CALM)
    await floor.after(1.0)
    await floor.desks.command(4, CommandAgent("agent-01", AgentOrder.RESERVE, "c1"))
    await floor.desks.command(4, CommandAgent("agent-01", AgentOrder.WRAP_UP, "c1", 1, 30.0))
    assert await floor.after(9.0) == []
    assert await floor.after(2.0) == [(4, AgentWrappedUp("agent-01"))]


async def test_an_order_for_a_campaign_without_simulated_agents_goes_nowhere(floor: Floor) -> None:
    await floor.desks.command(5, CommandAgent("agent-01", AgentOrder.RESERVE, "c1"))
    assert await floor.after(100.0) == []


async def test_a_customer_whose_agent_vanishes_hangs_up(floor: Floor) -> None:
    heard = asyncio.Queue[object]()

    async def listen() -> None:
        async for event in floor.trunk.events():
            heard.put_nowait(event)

    async with asyncio.TaskGroup() as group:
        listener = group.create_task(listen())
        floor.desks.man(4, AgentProfile(count=1, arrive_within_s=0.0, link_lost=1.0, away=constant(1000.0)))
        await floor.trunk.originate("c1", phone="+84001", hotline="h", trunk="trunk-1", ring_timeout_s=30.0)
        await floor.after(13.0)
        await floor.desks.command(4, CommandAgent("agent-01", AgentOrder.RESERVE, "c1"))
        await floor.trunk.connect("c1", agent_id="agent-01")
        assert await floor.after(59.0) == [(4, AgentLost("agent-01"))]
        assert not floor.trunk.is_live("c1")
        listener.cancel()
    events = [heard.get_nowait() for _ in range(heard.qsize())]
    assert events[-1] == CallEnded("c1", 200, 16, ended_by=EndedBy.REMOTE)
