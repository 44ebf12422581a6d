"""What a campaign has learned: kept for its next owner, never overwritten by a former one, gone when forgotten."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.core.types import Fence, SavedEstimates
from store.latest import latest_time
from store.learning import LEARNED
from store.load import CAMPAIGNS
from tests.store.worlds import NOW, SqlWorld, World, settings, standing, take

BYTES = bytes(range(256))


async def test_a_campaign_knows_nothing_until_something_is_remembered(world: World) -> None:
    await standing(world)
    assert await world.store.learned(1) == SavedEstimates()
    assert await world.store.learned(77) == SavedEstimates()


async def test_the_last_save_is_read_by_whoever_owns_the_campaign_next(world: World) -> None:
    fence = await standing(world)
    assert await world.store.remember(fence, SavedEstimates(b"early", NOW))
    assert await world.store.remember(fence, SavedEstimates(BYTES, NOW + 60))
    await world.store.resign(fence)
    await take(world, owner="b")
    assert await world.store.learned(1) == SavedEstimates(BYTES, NOW + 60)


async def test_an_owner_that_lost_the_campaign_overwrites_nothing(world: World) -> None:
    old = await standing(world)
    new = await take(world, owner="b", now=NOW + 31)
    assert await world.store.remember(new, SavedEstimates(b"new", NOW + 40))
    assert not await world.store.remember(old, SavedEstimates(b"old", NOW + 41))
    resigned = await standing_of_another(world)
    assert not await world.store.remember(resigned, SavedEstimates(b"late", NOW + 42))
    assert (await world.store.learned(1)).blob == b"new"
    assert await world.store.learned(2) == SavedEstimates()


async def standing_of_another(world: World) -> Fence:
    """Return the fence of campaign 2 after it was given back."""
    await world.add_campaign(settings(2), lists=[20])
    fence = await take(world, 2)
    await world.store.resign(fence)
    return fence


async def test_campaigns_learn_apart(world: World) -> None:
    first = await standing(world)
    await world.add_campaign(settings(2), lists=[20])
    second = await take(world, 2)
    assert await world.store.remember(first, SavedEstimates(b"one", NOW))
    assert await world.store.remember(second, SavedEstimates(b"two", NOW))
    await world.forget(1, now=NOW + 1)
    assert await world.store.learned(2) == SavedEstimates(b"two", NOW)


@pytest.mark.parametrize("saved_before", [True, False])
async def test_what_is_forgotten_is_not_brought_back_by_an_engine_that_has_not_heard(
    world: World, saved_before: bool
) -> None:
    fence = await standing(world)
    if saved_before:
        assert await world.store.remember(fence, SavedEstimates(b"old", NOW))
    await world.forget(1, now=NOW + 5)
    assert await world.store.learned(1) == SavedEstimates(b"", NOW + 5, forgets=1)
    assert not await world.store.remember(fence, SavedEstimates(b"old", NOW + 6))
    assert await world.store.remember(fence, SavedEstimates(b"anew", NOW + 60, forgets=1))
    await world.forget(1, now=NOW + 70)
    assert await world.store.learned(1) == SavedEstimates(b"", NOW + 70, forgets=2)


@pytest.mark.component("postgresql")
async def test_a_save_waits_for_a_takeover_that_is_under_way(postgres: AsyncEngine) -> None:
    world = SqlWorld(postgres)
    old = await standing(world)
    async with postgres.begin() as taking:
        mine = CAMPAIGNS.c.id == 1
        await taking.execute(select(CAMPAIGNS.c.id).where(mine).with_for_update())
        late = asyncio.create_task(world.store.remember(old, SavedEstimates(b"old", NOW)))
        done, _ = await asyncio.wait({late}, timeout=0.5)
        assert not done
        await taking.execute(CAMPAIGNS.update().where(mine).values(owner="b", epoch=old.epoch + 1))
    assert not await asyncio.wait_for(late, 10)
    assert await world.store.learned(1) == SavedEstimates()


async def test_a_campaign_takes_what_it_learned_along(engine: AsyncEngine) -> None:
    world = SqlWorld(engine)
    await world.add_campaign(settings(1))
    assert await world.store.remember(await take(world), SavedEstimates(b"x", NOW))
    async with engine.begin() as connection:
        await connection.execute(delete(CAMPAIGNS))
        assert (await connection.execute(select(LEARNED))).all() == []


async def test_time_never_runs_back_behind_a_save(engine: AsyncEngine) -> None:
    world = SqlWorld(engine)
    assert await world.store.remember(await standing(world), SavedEstimates(b"x", NOW + 5_000))
    assert await latest_time(engine) == NOW + 5_000
