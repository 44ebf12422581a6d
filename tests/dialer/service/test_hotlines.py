"""Calls to hotlines through a whole service: store, engine, driver, trunk and desks."""

from __future__ import annotations

import pytest

from dialer.core.campaign import CampaignState
from dialer.core.events import CallArrived
from dialer.core.types import CampaignKind, Offering, Strategy
from dialer.service.seat import takes
from simulator.profile import AgentProfile
from tests.dialer.core.bench_engine import START
from tests.dialer.service.stage import Stage

HOTLINE = "+842471000001"


def call_in(stage: Stage, phone: str, hotline: str = HOTLINE) -> None:
    stage.trunk.arrive(CallArrived(f"in-{phone}", phone, hotline, "elsewhere"))


def records(stage: Stage) -> list[str]:
    return [row.status or "" for row in stage.store.book.attempts.values() if row.direction == "inbound"]


@pytest.mark.parametrize(
    ("strategy", "offering"),
    [(Strategy.LONGEST_IDLE, Offering.AUTO), (Strategy.ROUND_ROBIN, Offering.ASK), (Strategy.RING_ALL, Offering.AUTO)],
)
async def test_callers_are_answered_by_the_agents_and_their_leads_are_done(
    strategy: Strategy, offering: Offering
) -> None:
    stage = Stage(agents=2)
    stage.campaign(leads=1, kind=CampaignKind.INBOUND, strategy=strategy, offering=offering)
    async with stage.running():
        await stage.clock.advance(5)
        for phone in ("+84700000001", "0954000002"):
            call_in(stage, phone, "02471000001")
        await stage.clock.advance(120)
    assert records(stage) == ["answered", "answered"]
    assert stage.states() == {"success": 2}
    assert stage.driver.calls_in_flight == 0
    assert stage.invites == []
    kinds = [event.type for event in stage.store.events]
    assert kinds.count("queue.joined") == kinds.count("queue.left") == 2


async def test_a_missed_call_is_called_back_by_the_campaign_itself() -> None:
    stage = Stage(agents=0)
    stage.campaign(leads=0, inbound=True, queue_s=60.0)
    async with stage.running():
        await stage.clock.advance(5)
        call_in(stage, "0954000001")
        await stage.clock.advance(90)
        assert records(stage) == ["busy-line"]
        assert stage.states() == {"callback": 1}
        stage.desks.man(1, AgentProfile(count=1, arrive_within_s=1.0, callback=0.0, do_not_recall=0.0))
        await stage.clock.advance(180)
    assert len(stage.invites) == 1
    assert stage.states() == {"success": 1}
    assert stage.store.callbacks == {}


async def test_a_service_that_drains_declines_callers_and_writes_nothing_down() -> None:
    stage = Stage(agents=1)
    stage.campaign(leads=0, kind=CampaignKind.INBOUND)
    async with stage.running():
        await stage.clock.advance(5)
        await stage.keeper.close()
        call_in(stage, "0954000001")
        await stage.clock.advance(10)
        assert await stage.trunk.snapshot() == ()
    assert records(stage) == []


async def test_a_call_that_the_store_refuses_is_declined_and_forgotten() -> None:
    stage = Stage(agents=1)
    stage.campaign(leads=0, kind=CampaignKind.INBOUND)
    async with stage.running():
        await stage.clock.advance(5)
        stage.store.book.campaigns[1].epoch += 1
        call_in(stage, "0954000001")
        await stage.clock.advance(10)
        assert await stage.trunk.snapshot() == ()
        assert stage.driver.no_calls.is_set()
    assert records(stage) == []


@pytest.mark.parametrize(
    ("state", "inbound", "hotline", "taken"),
    [
        (CampaignState.RUNNING, True, "024 7100 0001", True),
        (CampaignState.RUNNING, True, "842471000001", True),
        (CampaignState.RUNNING, True, "19001000", False),
        (CampaignState.RUNNING, False, HOTLINE, False),
        (CampaignState.APPROVED, True, HOTLINE, False),
    ],
)
async def test_a_hotline_is_known_however_it_is_written(
    state: CampaignState, inbound: bool, hotline: str, taken: bool
) -> None:
    stage = Stage(agents=0)
    stage.campaign(leads=0, inbound=inbound, state=state)
    (row,) = await stage.store.campaigns()
    assert takes(row, hotline) is taken
    assert stage.clock.now() == START
