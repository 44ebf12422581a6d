"""Campaigns are shared evenly among the engines that live."""

from __future__ import annotations

import msgspec
import pytest

from dialer.core.campaign import CampaignState
from dialer.core.types import CallWindow, Slot
from simulator.profile import AgentProfile
from store.rows import LeadRow
from tests.dialer.service.stage import Stage

ALL_DAY = CallWindow(weekdays=((Slot(0, 1440),),) * 7)


def many(stage: Stage, count: int) -> None:
    """Put campaigns without leads into the store."""
    base = stage.campaign(leads=0)
    for n in range(2, count + 1):
        stage.store.add_campaign(type(base)(campaign_id=n, name=f"c{n}", window=ALL_DAY))


@pytest.mark.parametrize(("others", "campaigns", "share"), [(0, 5, 5), (1, 5, 3), (2, 5, 2), (4, 5, 1), (9, 5, 1)])
async def test_each_engine_takes_its_share_rounded_up(others: int, campaigns: int, share: int) -> None:
    stage = Stage(agents=0)
    many(stage, campaigns)
    for n in range(others):
        await stage.store.beat(f"other{n}", now=stage.clock.now(), ttl_s=1_000)
    async with stage.running():
        await stage.clock.advance(3)
        assert stage.keeper.share == len(stage.driver.seats) == share


async def test_drafts_and_dead_engines_do_not_count() -> None:
    stage = Stage(agents=0)
    many(stage, 4)
    stage.store.book.campaigns[4].state = CampaignState.DRAFT
    await stage.store.beat("dead", now=stage.clock.now(), ttl_s=20)
    async with stage.running():
        await stage.clock.advance(3)
        assert stage.keeper.share == len(stage.driver.seats) == 2
        await stage.clock.advance(30)
        assert stage.keeper.share == len(stage.driver.seats) == 3


async def test_a_newcomer_gets_its_share_once_calls_have_ended_and_none_is_cut() -> None:
    stage = Stage(agents=2)
    stage.campaign(leads=60)
    stage.store.add_campaign(type(stage.campaign(leads=0))(campaign_id=2, name="quiet", window=ALL_DAY))
    async with stage.running():
        await stage.clock.advance(10)
        assert set(stage.driver.seats) == {1, 2}
        placed = len(stage.invites)
        assert placed
        await stage.store.beat("two", now=stage.clock.now(), ttl_s=1_000)
        await stage.clock.advance(3)
        assert set(stage.driver.seats) == {1}, "the quiet one costs nothing"
        assert stage.store.book.campaigns[2].owner is None
        await stage.clock.advance(120)
        assert len(stage.invites) > placed, "the other one goes on"


async def test_what_was_to_be_handed_over_stays_when_the_newcomer_dies_first() -> None:
    stage = Stage(agents=2)
    settings = stage.campaign(leads=60)
    stage.store.add_campaign(msgspec.structs.replace(settings, campaign_id=2, name="second"))
    stage.store.add_list(2)
    for n in range(101, 161):
        phone = f"+8470000{n:04d}"
        stage.store.add_lead(LeadRow(id=n, customer_id=n, campaign_id=2, list_id=2, phone=phone))
    stage.desks.man(2, AgentProfile(count=2, arrive_within_s=1.0))
    async with stage.running():
        await stage.clock.advance(20)
        seats = dict(stage.driver.seats)
        assert all(stage.driver.calls_of(campaign_id) for campaign_id in (1, 2))
        await stage.store.beat("two", now=stage.clock.now(), ttl_s=2)
        await stage.clock.advance(1)
        assert sum(seat.engine.figures(stage.clock.now()).running for seat in seats.values()) == 1, "one is on its way"
        await stage.clock.advance(5)
        assert stage.driver.seats == seats, "its calls had not ended yet"
        assert all(seat.engine.figures(stage.clock.now()).running for seat in seats.values())


async def test_a_closing_engine_leaves_its_share_at_once() -> None:
    stage = Stage()
    stage.campaign(leads=20)
    async with stage.running():
        await stage.clock.advance(5)
        await stage.keeper.close()
        assert await stage.store.engines(now=stage.clock.now()) == 0
        await stage.clock.advance(30)
        assert await stage.store.engines(now=stage.clock.now()) == 0, "it does not come back to life"
