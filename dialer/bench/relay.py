"""The relay from the outbox to Kafka, beside aiokafka's own producer with the same records on a topic like it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
from aiokafka import AIOKafkaProducer
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.encode import OutboxEvent
from cdr.kafka_at import KafkaAt
from cdr.kafka_writer import EVENT_ID, KafkaWriter
from cdr.lanes import OutboxRow
from cdr.relay import BATCH_BYTES, Relay
from dialer.bench.figures import Pair, Result, Step, at_least, best, plain, ratio
from dialer.bench.kafka import laps, own_topic, sample
from dialer.bench.settle import own_database, postgres_server
from dialer.bench.traffic import NOW
from store.lanes import SqlOutbox
from store.open import open_database
from store.outbox import append
from store.upgrade import upgrade

GOAL: Final = 0.7
_APPEND_ROWS: Final = 5_000


def bench_relay(*, kafka: str, database_url: str, events: int, repeats: int, step: Step) -> Result:
    """Relay an outbox of so many events; send the same records with aiokafka's producer, idempotent, acks=all.

    The outbox is a new SQLite file, or a database of its own on the PostgreSQL server that is named. Each run has
    topics of its own, deleted afterwards. Raises Unreachable, BadInput or DialerError where that cannot be.
    """
    pairs = asyncio.run(_pairs(KafkaAt(kafka), database_url, events, repeats, step))
    return Result(
        "relay",
        {"events": events, "repeats": repeats},
        [
            at_least("outbox to Kafka: records a second / aiokafka's own producer", ratio(pairs), GOAL),
            plain("records a second, outbox to Kafka", events / best([relayed for relayed, _ in pairs])),
            plain("records a second, aiokafka's producer", events / best([produced for _, produced in pairs])),
        ],
    )


async def _pairs(kafka: KafkaAt, url: str, events: int, repeats: int, step: Step) -> list[Pair]:
    step("events are made")
    rows = distinct(await sample(events), events)
    pairs: list[Pair] = []
    for number in range(1, repeats + 1):
        step(f"relay, {number} of {repeats}")
        async with own_topic(kafka) as topic, outbox(url) as engine:
            relayed_s = await relay_all(kafka, topic, engine, rows)
        step(f"producer, {number} of {repeats}")
        async with own_topic(kafka) as topic:
            pairs.append((relayed_s, await produce_all(kafka, topic, rows)))
    return pairs


def distinct(rows: Sequence[OutboxRow], events: int) -> list[OutboxRow]:
    """Return so many rows, those again that are fewer, each with an id of its own: the outbox takes none twice."""
    found = [row for lap in laps(rows, events) for row in lap]
    again = [msgspec.structs.replace(row, event_id=str(uuid.uuid4())) for row in found[len(rows) :]]
    return [*found[: len(rows)], *again]


@asynccontextmanager
async def outbox(url: str) -> AsyncIterator[AsyncEngine]:
    """Give a database with an empty outbox, dropped afterwards."""
    async with _database(url) as mine:
        engine = open_database(mine)
        try:
            await upgrade(engine)
            yield engine
        finally:
            await engine.dispose()


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[str]:
    if url:
        async with own_database(postgres_server(url)) as mine:
            yield mine.render_as_string(hide_password=False)
    else:
        with TemporaryDirectory(prefix="dialer-bench-") as folder:
            yield f"sqlite:///{Path(folder) / 'outbox.db'}"


async def relay_all(kafka: KafkaAt, topic: str, engine: AsyncEngine, rows: Sequence[OutboxRow]) -> float:
    """Fill the outbox, relay it, and return the seconds until the last record is confirmed and marked."""
    relay = Relay(SqlOutbox(engine), KafkaWriter(kafka, topic), owner="bench")
    await relay.run_once()  # connects and takes the lanes, once in its life
    for first in range(0, len(rows), _APPEND_ROWS):
        some = [OutboxEvent(row.event_id, row.key, "bench", row.value) for row in rows[first : first + _APPEND_ROWS]]
        async with engine.begin() as connection:
            await connection.run_sync(append, some, now=NOW)
    before, began = relay.sent, time.perf_counter()
    await relay.run_once()
    while not relay.idle:
        await relay.run_once()
    spent = time.perf_counter() - began
    sent = relay.sent - before
    await relay.close()
    if sent != len(rows):
        raise RuntimeError(f"{sent} of {len(rows)} records were relayed")
    return spent


async def produce_all(kafka: KafkaAt, topic: str, rows: Sequence[OutboxRow]) -> float:
    """Send the records with aiokafka's producer, in batches as large as the relay's; return the seconds to the end."""
    records = [(row.key.encode(), row.value, [(EVENT_ID, row.event_id.encode())]) for row in rows]
    async with AIOKafkaProducer(
        **kafka.options(), enable_idempotence=True, acks="all", max_batch_size=BATCH_BYTES
    ) as producer:
        await producer.partitions_for(topic)
        began = time.perf_counter()
        waiting = [await producer.send(topic, value, key=key, headers=headers) for key, value, headers in records]
        await producer.flush()
        spent = time.perf_counter() - began
        await asyncio.gather(*waiting)
    return spent
