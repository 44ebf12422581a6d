"""Queues and health of receivers, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.webhook_policy import Health
from cdr.webhook_ports import PROJECTION, Endpoint, NewDelivery
from dialer.core.types import CampaignSettings
from dialer.ports import OffsetRange
from store import webhooks
from store.ledger import SqlOffsetLedger
from store.locks import Lock
from store.models import Campaign
from store.webhooks import SqlWebhookStore

URL = "https://crm.example.com/calls"
NOW = 1_800_000_000.0
ILL = Health(
    failures=3, failing_since=NOW - 9, next_at=NOW + 60, error="500", disabled_at=NOW, disabled_reason="3 times"
)


@pytest.fixture
def store(engine: AsyncEngine) -> SqlWebhookStore:
    return SqlWebhookStore(engine)


async def run(engine: AsyncEngine, work: Callable[[Connection], Any]) -> Any:
    async with engine.begin() as connection:
        return await connection.run_sync(work)


async def campaign(engine: AsyncEngine, name: str = "Tết", url: str | None = URL) -> int:
    def work(db: Connection) -> int:
        settings = msgspec.json.encode(CampaignSettings(0, name, callback_url=url)).decode()
        values = {"name": name, "state": "running", "settings": settings, "resumes_by_schedule": False}
        more = {"state_since": 0.0, "created_at": 0.0, "revision": 0, "epoch": 0}
        campaign_id = int(db.execute(insert(Campaign).values(**values, **more).returning(Campaign.id)).scalar_one())
        webhooks.address_set(db, campaign_id, now=NOW)
        return campaign_id

    found: int = await run(engine, work)
    return found


def new(campaign_id: int, *numbers: int) -> list[NewDelivery]:
    return [NewDelivery(campaign_id, f"e-{number}", b"{%d}" % number) for number in numbers]


async def endpoint(store: SqlWebhookStore, campaign_id: int) -> Endpoint:
    (found,) = [one for one in await store.endpoints() if one.campaign_id == campaign_id]
    return found


async def test_a_new_receiver_is_well_and_has_nothing_waiting(engine: AsyncEngine, store: SqlWebhookStore) -> None:
    assert list(await store.endpoints()) == []
    campaign_id = await campaign(engine)
    await campaign(engine, "Hè", url=None)
    first, second = await store.endpoints()
    assert first == Endpoint(campaign_id, URL, NOW)
    assert second.url is None


async def test_the_queue_and_the_position_move_together_and_only_once(
    engine: AsyncEngine, store: SqlWebhookStore
) -> None:
    one, two = await campaign(engine), await campaign(engine, "Hè")
    assert await store.position(0) == 0
    assert await store.enqueue(0, OffsetRange(0, 1, 9), [*new(one, 1), *new(two, 2), *new(one, 3)], now=NOW)
    assert not await store.enqueue(0, OffsetRange(0, 1, 9), new(one, 1), now=NOW)
    assert await store.enqueue(9, OffsetRange(0, 10, 12), new(one, 4), now=NOW)
    assert await store.enqueue(12, OffsetRange(0, 13, 20), [], now=NOW)
    assert [item.event_id for item in await store.head(one, 10)] == ["e-1", "e-3", "e-4"]
    assert [item.body for item in await store.head(one, 2)] == [b"{1}", b"{3}"]
    assert [item.event_id for item in await store.head(two, 10)] == ["e-2"]
    assert await store.position(0) == await SqlOffsetLedger(engine).position(PROJECTION, 0) == 20
    assert (await endpoint(store, one)).waiting
    assert await store.position(1) == 0


async def test_a_failed_insert_moves_no_position(engine: AsyncEngine, store: SqlWebhookStore) -> None:
    campaign_id = await campaign(engine)
    with pytest.raises(DBAPIError):
        await store.enqueue(0, OffsetRange(0, 1, 2), [*new(campaign_id, 1), *new(999, 2)], now=NOW)
    assert await store.position(0) == 0
    assert list(await store.head(campaign_id, 10)) == []


async def test_two_who_read_the_same_records_queue_them_once(engine: AsyncEngine, store: SqlWebhookStore) -> None:
    campaign_id = await campaign(engine)
    assert await store.enqueue(0, OffsetRange(0, 1, 1), [], now=NOW)
    span = OffsetRange(0, 2, 5)
    done = await asyncio.gather(*(store.enqueue(1, span, new(campaign_id, 2, 3), now=NOW) for _ in range(4)))
    assert sorted(done) == [False, False, False, True]
    assert len(await store.head(campaign_id, 10)) == 2


async def test_what_was_accepted_leaves_the_queue_with_the_health(engine: AsyncEngine, store: SqlWebhookStore) -> None:
    campaign_id = await campaign(engine)
    await store.enqueue(0, OffsetRange(0, 1, 3), new(campaign_id, 1, 2, 3), now=NOW)
    first, second, _ = await store.head(campaign_id, 3)
    seen = await endpoint(store, campaign_id)
    await store.settle(seen, [first.id, second.id], ILL, now=NOW + 5)
    assert [item.event_id for item in await store.head(campaign_id, 3)] == ["e-3"]
    assert (await endpoint(store, campaign_id)).health == ILL
    (row,) = await run(engine, webhooks.rows)
    assert (row.delivered, row.delivered_at) == (2, NOW + 5)
    await store.settle(seen, [], Health(), now=NOW + 6)
    (row,) = await run(engine, webhooks.rows)
    assert (row.delivered, row.delivered_at, row.failures) == (2, NOW + 5, 0)


@pytest.mark.parametrize("act", ["enable", "address", "rotate"])
async def test_what_a_person_did_is_not_undone_by_a_try_that_began_before(
    engine: AsyncEngine, store: SqlWebhookStore, act: str
) -> None:
    campaign_id = await campaign(engine)
    await store.enqueue(0, OffsetRange(0, 1, 2), new(campaign_id, 1, 2), now=NOW)
    before = await endpoint(store, campaign_id)
    acts: dict[str, Callable[[Connection], Any]] = {
        "enable": lambda db: webhooks.enable(db, campaign_id),
        "address": lambda db: webhooks.address_set(db, campaign_id, now=NOW + 1),
        "rotate": lambda db: webhooks.rotate(db, campaign_id, old_until=NOW + 9),
    }
    await run(engine, acts[act])
    (first,) = await store.head(campaign_id, 1)
    await store.settle(before, [first.id], ILL, now=NOW)
    after = await endpoint(store, campaign_id)
    assert after.health == Health()
    assert [item.event_id for item in await store.head(campaign_id, 2)] == ["e-2"], "accepted is accepted"


async def test_enabling_makes_well(engine: AsyncEngine, store: SqlWebhookStore) -> None:
    campaign_id = await campaign(engine)
    await store.settle(await endpoint(store, campaign_id), [], ILL, now=NOW)
    await run(engine, lambda db: webhooks.enable(db, campaign_id))
    assert (await endpoint(store, campaign_id)).health == Health()


async def test_beginning_now_drops_what_waits_and_ids_never_come_back(
    engine: AsyncEngine, store: SqlWebhookStore
) -> None:
    campaign_id, other = await campaign(engine), await campaign(engine, "Hè")
    await store.enqueue(0, OffsetRange(0, 1, 3), [*new(campaign_id, 1, 2), *new(other, 3)], now=NOW)
    gone = [item.id for item in await store.head(campaign_id, 9)]
    assert await run(engine, lambda db: webhooks.begin_now(db, campaign_id, now=NOW + 50)) == 2
    found = await endpoint(store, campaign_id)
    assert (found.since, found.waiting) == (NOW + 50, False)
    await run(engine, lambda db: webhooks.drop(db, other))
    await store.enqueue(3, OffsetRange(0, 4, 4), new(campaign_id, 4), now=NOW)
    (left,) = await store.head(campaign_id, 9)
    assert left.id > max(gone)
    (row, _) = await run(engine, webhooks.rows)
    assert row.dropped == 2


async def test_another_secret_begins_and_its_fingerprint_is_written_once(
    engine: AsyncEngine, store: SqlWebhookStore
) -> None:
    campaign_id = await campaign(engine)
    before = await endpoint(store, campaign_id)
    await store.mark_secret(before, "one")
    await store.mark_secret(before, "another")
    assert (await endpoint(store, campaign_id)).fingerprint == "one"
    await run(engine, lambda db: webhooks.rotate(db, campaign_id, old_until=NOW + 9))
    await store.mark_secret(before, "late")
    after = await endpoint(store, campaign_id)
    assert (after.generation, after.fingerprint, after.old_until) == (2, None, NOW + 9)


async def test_what_is_too_old_is_dropped_and_counted(engine: AsyncEngine, store: SqlWebhookStore) -> None:
    campaign_id = await campaign(engine)
    await store.enqueue(0, OffsetRange(0, 1, 2), new(campaign_id, 1, 2), now=NOW)
    await store.enqueue(2, OffsetRange(0, 3, 3), new(campaign_id, 3), now=NOW + 100)
    assert await store.drop_older(campaign_id, NOW) == 0
    assert await store.drop_older(campaign_id, NOW + 50) == 2
    assert await store.drop_older(campaign_id, NOW + 50) == 0
    assert await run(engine, lambda db: webhooks.waiting(db, campaign_id)) == (1, NOW + 100)
    (row,) = await run(engine, webhooks.rows)
    assert row.dropped == 2


async def test_on_sqlite_nobody_else_is_waited_for(sqlite: AsyncEngine) -> None:
    async with SqlWebhookStore(sqlite).alone() as check:
        await check()


@pytest.mark.component("postgresql")
async def test_on_postgresql_one_delivers_and_the_next_takes_over(
    postgres: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "_ASK_AGAIN_S", 0.05)
    store, order = SqlWebhookStore(postgres), list[str]()

    async def second() -> None:
        async with store.alone():
            order.append("second")

    async with asyncio.timeout(20):
        async with store.alone() as check:
            waiting = asyncio.create_task(second())
            await asyncio.sleep(0.3)
            await asyncio.gather(*(check() for _ in range(3)))
            order.append("first")
        await waiting
    assert order == ["first", "second"]


@pytest.mark.component("postgresql")
async def test_a_lost_connection_is_noticed_and_frees_the_place(postgres: AsyncEngine) -> None:
    store = SqlWebhookStore(postgres)
    locks = f"locktype = 'advisory' AND objid = {Lock.WEBHOOKS:d}"
    kill = f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {locks}"  # noqa: S608 -- a number of ours
    async with asyncio.timeout(20):
        with pytest.raises(DBAPIError):  # noqa: PT012 -- the check fails inside the block
            async with store.alone() as check:
                async with postgres.connect() as other:
                    assert (await other.execute(text(kill))).scalar_one()
                await check()
        async with store.alone() as check:
            await check()


@pytest.mark.component("postgresql")
async def test_on_postgresql_the_place_is_free_when_its_holder_has_left(postgres: AsyncEngine) -> None:
    """A connection that went back to the pool would keep it."""
    for _ in range(3):
        async with asyncio.timeout(20), SqlWebhookStore(postgres).alone() as check:
            await check()
