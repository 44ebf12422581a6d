"""Several engines and people at one database."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.core.effects import BeginAttempts, LeaseLeads
from dialer.core.types import HoldReason
from dialer.ports import Owned
from store.lead_store import SqlLeadStore
from store.load import LEADS
from tests.store.worlds import (
    NOW,
    RANG_OUT,
    SettleAttempt,
    SqlWorld,
    intent,
    leased,
    new_lead,
    record,
    settings,
    standing,
    take,
)


async def two_campaigns(engine: AsyncEngine, *, same_numbers: int) -> SqlWorld:
    world = SqlWorld(engine)
    for campaign in (1, 2):
        await world.add_campaign(settings(campaign), lists=[campaign * 10])
        await world.add_leads(
            [
                new_lead(campaign * 100 + n, campaign_id=campaign, list_id=campaign * 10, number=n)
                for n in range(1, same_numbers + 1)
            ]
        )
    return world


async def test_a_person_who_holds_a_row_does_not_stop_the_lease(postgres: AsyncEngine) -> None:
    world = SqlWorld(postgres)
    fence = await standing(world, 3)
    async with postgres.begin() as person:
        await person.execute(select(LEADS.c.id).where(LEADS.c.id == 2).with_for_update())
        given = await asyncio.wait_for(leased(world, fence), 10)
    assert [lead.lead_id for lead in given] == [1, 3]
    assert [lead.lead_id for lead in await leased(world, fence)] == [2]


async def test_one_owner_leases_disjoint_leads_at_once(engine: AsyncEngine) -> None:
    world = SqlWorld(engine)
    fence = await standing(world, 40)
    stores = [SqlLeadStore(engine), SqlLeadStore(engine)]
    lease = [Owned(fence, LeaseLeads(15))]
    answers = await asyncio.gather(*(store.commit(lease, now=NOW) for store in stores))
    given = [lead.lead_id for ((_, answer),) in answers for lead in answer.leads]  # type: ignore[attr-defined]
    assert len(given) == len(set(given)) >= 15
    rest = [lead.lead_id for lead in await leased(world, fence)]
    assert sorted(given + rest) == list(range(1, 41))


async def test_of_two_engines_one_calls_a_number(engine: AsyncEngine) -> None:
    world = await two_campaigns(engine, same_numbers=10)
    first, second = await take(world, 1), await take(world, 2, owner="b")
    mine = await leased(world, first)
    # What the guards of the lease prevent within one process can still happen between two: both have the number.
    async with engine.begin() as connection:
        theirs = update(LEADS).where(LEADS.c.campaign_id == 2)
        await connection.execute(theirs.values(lease_owner="b", lease_epoch=second.epoch))
    calls = tuple(intent(lead) for lead in mine)
    others = tuple(
        msgspec.structs.replace(intent(lead), lead_id=lead.lead_id + 100, customer_id=lead.customer_id + 100)
        for lead in mine
    )
    stores = [SqlLeadStore(engine), SqlLeadStore(engine)]
    answers = await asyncio.gather(
        stores[0].commit([Owned(first, BeginAttempts(calls))], now=NOW),
        stores[1].commit([Owned(second, BeginAttempts(others))], now=NOW),
    )
    begun = [call for ((_, answer),) in answers for call in answer.begun]  # type: ignore[attr-defined]
    refused = [one.reason for ((_, answer),) in answers for one in answer.refused]  # type: ignore[attr-defined]
    assert len(begun) == 10
    assert Counter(refused) == {HoldReason.NUMBER_IN_FLIGHT: 10}


async def test_only_one_of_many_engines_acquires(engine: AsyncEngine) -> None:
    world = SqlWorld(engine)
    await world.add_campaign(settings(1), lists=[10])
    stores = [SqlLeadStore(engine) for _ in range(5)]
    got = await asyncio.gather(
        *(store.acquire(1, owner=f"o{place}", now=NOW, ttl_s=30) for place, store in enumerate(stores))
    )
    assert len([fence for fence in got if fence is not None]) == 1


async def test_two_owners_settle_one_call_once(engine: AsyncEngine) -> None:
    world = SqlWorld(engine)
    old = await standing(world, 1)
    (lead,) = await leased(world, old)
    wanted = intent(lead)
    await world.store.commit([Owned(old, BeginAttempts((wanted,)))], now=NOW)
    new = await take(world, owner="b", now=NOW + 31)
    settled = SettleAttempt(record(wanted, facts=RANG_OUT, next_at=NOW + 60))
    stores = [SqlLeadStore(engine), SqlLeadStore(engine)]
    await asyncio.gather(
        stores[0].commit([Owned(old, settled)], now=NOW + 32), stores[1].commit([Owned(new, settled)], now=NOW + 32)
    )
    left = await world.lead(1)
    assert left is not None
    assert (left.attempts, left.version) == (1, 2)


@pytest.mark.slow
async def test_a_deadlock_with_a_person_is_tried_again(postgres: AsyncEngine) -> None:
    world = SqlWorld(postgres)
    fence = await standing(world, 2)
    calls = tuple(intent(lead) for lead in await leased(world, fence))
    locked, go_on = asyncio.Event(), asyncio.Event()

    async def person() -> None:
        async with postgres.begin() as connection:
            await connection.execute(update(LEADS).where(LEADS.c.id == 2).values(priority=1))
            locked.set()
            await go_on.wait()
            await connection.execute(update(LEADS).where(LEADS.c.id == 1).values(priority=1))

    changing = asyncio.create_task(person())
    await locked.wait()
    begin = asyncio.create_task(world.store.commit([Owned(fence, BeginAttempts(calls))], now=NOW))
    await asyncio.sleep(0.2)  # until the engine waits for lead 2 while it has lead 1
    go_on.set()
    results = await asyncio.gather(changing, begin, return_exceptions=True)
    outcome: Any = results[1]
    ((_, answer),) = outcome
    assert len(answer.begun) == 2
