"""The outbox as an event log: in order, without gaps, atomic with what it tells."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.encode import OutboxEvent
from store.outbox import SqlOutboxLog, append
from tests.store.worlds import NOW


def event(number: int) -> OutboxEvent:
    return OutboxEvent(f"id-{number}", str(number), "call.ringing", b"%d" % number)


async def write(engine: AsyncEngine, *numbers: int) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(append, [event(number) for number in numbers], now=NOW)


async def test_records_are_read_in_order_by_offset(engine: AsyncEngine) -> None:
    await write(engine, 1, 2, 3)
    await write(engine)
    await write(engine, 4)
    log = SqlOutboxLog(engine)
    assert (log.topic, list(await log.partitions())) == ("cdr.events", [0])
    every = await log.read(0, after=0, limit=10)
    assert [(one.partition, one.offset, one.key, one.value) for one in every] == [
        (0, number, str(number), b"%d" % number) for number in (1, 2, 3, 4)
    ]
    assert [one.offset for one in await log.read(0, after=1, limit=2)] == [2, 3]
    assert [one.offset for one in await log.read(0, after=1, limit=10, until=3)] == [2, 3]
    assert list(await log.read(0, after=4, limit=10)) == []
    assert list(await log.read(1, after=0, limit=10)) == []


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
