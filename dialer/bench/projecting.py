"""The projector at work on a topic, and the bare work that it is measured beside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from clickhouse_connect.driver.client import Client

from cdr.clickhouse import INSERT, Analytics
from cdr.kafka_at import KafkaAt
from cdr.kafka_log import KafkaLog
from cdr.lanes import OutboxRow
from cdr.project import Rows, project
from cdr.projector import BATCH_ROWS, Projector
from dialer.bench.kafka import PARTITIONS, by_partition, laps
from dialer.ports import LogRecord
from store.ledger import SqlOffsetLedger
from store.open import open_database
from store.upgrade import upgrade

Told = Callable[[int], None]
"""Called now and then with how many events have passed."""
Block = tuple[str, Rows]
"""With the token under which it is inserted."""
_GIVEN_S: Final = 30.0
_SILENCE_S: Final = 60.0


@asynccontextmanager
async def projector(kafka: KafkaAt, topic: str, analytics: Analytics) -> AsyncIterator[Projector]:
    """Give a projector as `dialer projector` has it, once all partitions are its; its ledger is a new SQLite file."""
    with TemporaryDirectory(prefix="dialer-bench-") as folder:
        engine = open_database(f"sqlite:///{Path(folder) / 'ledger.db'}")
        try:
            await upgrade(engine)
            event_log = KafkaLog(kafka, topic, group=topic)
            made = Projector(event_log, SqlOffsetLedger(engine), analytics)
            event_log.drain = made.drain
            await event_log.start()
            try:
                async with asyncio.timeout(_GIVEN_S):
                    while len(await event_log.partitions()) < PARTITIONS:  # noqa: ASYNC110 - the group tells nobody
                        await asyncio.sleep(0.02)
                yield made
            finally:
                await event_log.close()
        finally:
            await engine.dispose()


async def project_all(working: Projector, events: int, told: Told = lambda _: None) -> float:
    """Project so many events, and return the seconds from the first to the last confirmed range."""
    began, passed = time.perf_counter(), 0
    while passed < events:
        rows = await working.run_once()
        if not rows:
            raise RuntimeError(f"the topic ended after {passed} of {events} events")
        passed += rows
        told(passed)
    return time.perf_counter() - began


async def consume_all(kafka: KafkaAt, topic: str, events: int) -> float:
    """Read so many events with aiokafka, as a script would, and throw them away; return the seconds."""
    async with AIOKafkaConsumer(**kafka.options(), group_id=None, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
        began, passed = time.perf_counter(), 0
        async with asyncio.timeout(_SILENCE_S + events / 1_000):
            while passed < events:
                passed += sum(map(len, (await consumer.getmany(timeout_ms=200)).values()))
        return time.perf_counter() - began


def ranges(rows: Sequence[OutboxRow], events: int) -> Iterator[list[LogRecord]]:
    """Yield the ranges that a projector cuts a topic with these events into."""
    waiting: dict[int, list[LogRecord]] = {number: [] for number in range(PARTITIONS)}
    ends = dict.fromkeys(waiting, 0)
    for lap in laps(rows, events):
        for partition, some in by_partition(lap).items():
            queue = waiting[partition]
            queue += [LogRecord(partition, at, row.key, row.value) for at, row in enumerate(some, ends[partition] + 1)]
            ends[partition] += len(some)
            while len(queue) >= BATCH_ROWS:
                yield queue[:BATCH_ROWS]
                del queue[:BATCH_ROWS]
    yield from (queue for queue in waiting.values() if queue)


def blocks(topic: str, records: Sequence[LogRecord]) -> list[Block]:
    """Return what a range comes to, with its token."""
    token = f"{topic}:{records[0].partition}:{records[0].offset}-{records[-1].offset}"
    return [(token, block) for block in project(records).blocks if block.count]


async def insert_all(analytics: Analytics, made: Sequence[Block]) -> float:
    """Insert blocks with clickhouse-connect, one after the other; return the seconds."""

    def work(client: Client) -> float:
        began = time.perf_counter()
        for token, block in made:
            settings = {**INSERT, **analytics.layout.insert_settings, "insert_deduplication_token": token}
            client.insert(
                block.table, block.data, block.columns, column_type_names=block.types, column_oriented=True,
                settings=settings,
            )  # fmt: skip
        return time.perf_counter() - began

    return await analytics.aside(work)
