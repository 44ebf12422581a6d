"""Simulated agents against the link: they take what is offered, wrap up with results, and count."""

from __future__ import annotations

import asyncio

import msgspec

from dialer.agents.simulated import Habits, SimulatedAgents
from dialer.agents.topics import DIALER
from dialer.core import events as e
from dialer.core.effects import AgentOrder
from statuses.lead import Trigger
from tests.dialer.agents.brokers import Embedded, running
from tests.dialer.agents.test_mqtt_link import WAIT_S, engine_at

QUICK = Habits(accept_after_s=(0.0, 0.0), wrap_s=(0.0, 0.0), callbacks=1.0)


async def test_a_call_from_its_offer_to_its_result() -> None:
    async with running(Embedded.name) as broker, engine_at(broker.at(DIALER)) as engine:
        people = SimulatedAgents({"an": broker.at("an")}, campaign="spring", habits=QUICK)
        async with people:
            await people.ready(within_s=WAIT_S)
            await engine.order("an", AgentOrder.OFFER, "c1", lead_id=7, offer_s=60.0)
            await engine.told(e.AgentAccepted("an", "c1", 7))
            for order in (AgentOrder.RESERVE, AgentOrder.TALK):
                await engine.order("an", order, "c1", lead_id=7)
            await engine.order("an", AgentOrder.WRAP_UP, "c1", lead_id=7, wrap_up_s=60.0)
            await people.until(lambda counts: counts.wrapped == 1, within_s=WAIT_S)
            async with asyncio.timeout(WAIT_S):
                while not isinstance(engine.events[-1][1], e.AgentWrappedUp):  # noqa: ASYNC110 -- the link's to tell
                    await asyncio.sleep(0.01)
        said = engine.events[-1][1]
        assert isinstance(said, e.AgentWrappedUp)
        assert said.trigger is Trigger.CALLBACK_ASKED
        assert said.callback_at is not None
        counts = people.counts
        assert (counts.offers, counts.accepted, counts.talks, counts.callbacks, counts.refused) == (1, 1, 1, 1, 0)
        assert people.people["an"].calls == ["c1"]
        assert people.doubles == []


async def test_offers_are_rejected_and_missed_and_a_second_call_during_the_first_is_noticed() -> None:
    async with running(Embedded.name) as broker, engine_at(broker.at(DIALER)) as engine:
        habits = msgspec.structs.replace(QUICK, rejects=1.0)
        async with SimulatedAgents({"an": broker.at("an")}, campaign="spring", habits=habits) as people:
            await people.ready(within_s=WAIT_S)
            await engine.order("an", AgentOrder.OFFER, "c1", offer_s=60.0)
            await engine.told(e.AgentRejected("an", "c1"))
            await engine.order("an", AgentOrder.WITHDRAW, "c1", code="missed")
            await engine.told(e.AgentReady("an"), e.AgentRejected("an", "c1"))
            await engine.order("an", AgentOrder.TALK, "c2")
            await engine.order("an", AgentOrder.RESERVE, "c3")
            async with asyncio.timeout(WAIT_S):
                while not people.doubles:  # noqa: ASYNC110 -- the desk's to see
                    await asyncio.sleep(0.01)
        assert people.doubles == ["an"]
        assert people.counts.rejected == 1
