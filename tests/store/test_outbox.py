"""The outbox as an event log: the shared body, and what makes it atomic with what it tells."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.encode import OutboxEvent
from store.outbox import SqlOutboxLog, append
from tests.cdr.event_log_contract import Append, EventLogContract
from tests.store.worlds import NOW


def event(number: int) -> OutboxEvent:
    return OutboxEvent(f"id-{number}", str(number), "call.ringing", b"%d" % number)


async def write(engine: AsyncEngine, *numbers: int) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(append, [event(number) for number in numbers], now=NOW)


@pytest.fixture
def event_log(engine: AsyncEngine) -> SqlOutboxLog:
    return SqlOutboxLog(engine)


@pytest.fixture(name="append")
def adds(engine: AsyncEngine) -> Append:
    made = 0

    async def add(values: Sequence[bytes]) -> None:
        nonlocal made
        events = [OutboxEvent(f"id-{number}", "1", "call.ringing", value) for number, value in enumerate(values, made)]
        made += len(values)
        async with engine.begin() as connection:
            await connection.run_sync(append, events, now=NOW)

    return add


class TestSqlOutboxLog(EventLogContract):
    async def test_it_has_one_partition_and_the_keys_of_its_records(
        self, engine: AsyncEngine, event_log: SqlOutboxLog
    ) -> None:
        await write(engine, 1, 2)
        await write(engine)
        await write(engine, 3)
        assert (event_log.topic, list(await event_log.partitions())) == ("cdr.events", [0])
        found = await event_log.read(0, after=0, limit=10)
        assert [(one.offset, one.key) for one in found] == [(1, "1"), (2, "2"), (3, "3")]
        assert list(await event_log.read(1, after=0, limit=10)) == []
        assert await event_log.extent(1) == (0, 0)

    async def test_what_was_pruned_is_no_longer_in_its_extent(
        self, engine: AsyncEngine, event_log: SqlOutboxLog
    ) -> None:
        await write(engine, 1, 2, 3, 4)
        async with engine.begin() as connection:
            await connection.execute(text('DELETE FROM outbox WHERE "offset" < 3'))
        assert await event_log.extent(0) == (3, 4)


async def test_a_rollback_leaves_no_gap(engine: AsyncEngine) -> None:
    await write(engine, 1)
    with pytest.raises(IntegrityError):
        await write(engine, 2, 1)
    await write(engine, 3)
    assert [one.value for one in await SqlOutboxLog(engine).read(0, after=0, limit=10)] == [b"1", b"3"]
    assert [one.offset for one in await SqlOutboxLog(engine).read(0, after=0, limit=10)] == [1, 2]


async def test_offsets_become_visible_in_their_order(engine: AsyncEngine) -> None:
    """A reader that has seen offset n never finds a smaller one later, whoever commits last."""
    log, seen = SqlOutboxLog(engine), 0
    writers = asyncio.gather(*(write(engine, *range(base, base + 5)) for base in range(0, 100, 5)))
    while not writers.done():
        records = await log.read(0, after=seen, limit=1000)
        assert [one.offset for one in records] == list(range(seen + 1, seen + 1 + len(records)))
        seen += len(records)
    await writers
    assert len(await log.read(0, after=0, limit=1000)) == 100
