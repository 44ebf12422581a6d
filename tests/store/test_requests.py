"""What people ask of desks reaches the engine that owns the campaign, once, while it is fresh; and is answered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from dialer.core.effects import AnswerRequest
from dialer.core.events import AgentHungUp, DialRequested, Requested
from dialer.requests import Wanted
from store import requests
from store.lead_store import SqlLeadStore
from store.memory import MemoryLeadStore
from store.models import DeskRequest
from store.open import open_database
from tests.store.worlds import NOW, SqlWorld, World, commit, settings, standing, take

DIAL = Wanted("dial", "an", phone="+84000000001")


async def ask(world: World, wanted: Wanted = DIAL, *, campaign_id: int = 1, now: float = NOW) -> int:
    store = world.store
    if isinstance(store, MemoryLeadStore):
        return store.ask(campaign_id, wanted, now=now)
    assert isinstance(store, SqlLeadStore)
    assert isinstance(world, SqlWorld)
    async with world.engine.begin() as db:
        return await db.run_sync(lambda c: requests.ask(c, campaign_id, wanted, author="admin", now=now))


async def answer_of(world: World, request_id: int) -> tuple[str | None, Any]:
    """Return (code, call id) of an answered request."""
    if isinstance(world.store, MemoryLeadStore):
        found = world.store.answers[request_id]
        return found.code, found.call_id
    assert isinstance(world, SqlWorld)
    async with world.engine.connect() as db:
        row = (await db.execute(select(DeskRequest).where(DeskRequest.id == request_id))).one()
    return row.code, row.call_id


async def taken(world: World, *fences: Any, now: float = NOW) -> list[tuple[int, Requested]]:
    return list(await world.store.requests(fences, now=now, fresh_s=10.0))


async def test_a_request_is_taken_once_by_the_owner_of_its_campaign(world: World) -> None:
    fence = await standing(world, 1)
    await world.add_campaign(settings(2), lists=[20])
    other = await take(world, 2)
    first, second = await ask(world), await ask(world, Wanted("hang_up", "binh"))
    assert await taken(world, other) == [] or isinstance(world.store, MemoryLeadStore)
    if isinstance(world.store, MemoryLeadStore):
        first, second = await ask(world), await ask(world, Wanted("hang_up", "binh"))
    got = await taken(world, fence)
    assert [(campaign, one.request_id) for campaign, one in got] == [(1, first), (1, second)]
    assert isinstance(got[0][1].event, DialRequested)
    assert got[1][1].event == AgentHungUp("binh")
    assert await taken(world, fence) == []


async def test_a_request_that_waited_too_long_is_refused_and_not_done(world: World) -> None:
    fence = await standing(world, 1)
    late = await ask(world, now=NOW - 11)
    assert await taken(world, fence) == []
    assert await answer_of(world, late) == ("too_late", None)


async def test_the_answer_is_written_once(world: World) -> None:
    fence = await standing(world, 1)
    asked = await ask(world)
    await taken(world, fence)
    await commit(world, fence, AnswerRequest(asked, None, "call-1", 1))
    assert await answer_of(world, asked) == (None, "call-1")


async def test_requests_of_yesterday_are_forgotten(sqlite_url: str) -> None:
    engine = open_database(sqlite_url)
    world = SqlWorld(engine)
    await standing(world, 0)
    old = await ask(world, now=NOW - 90_000)
    await ask(world)
    async with engine.connect() as db:
        assert old not in (await db.execute(select(DeskRequest.id))).scalars().all()
    await engine.dispose()
