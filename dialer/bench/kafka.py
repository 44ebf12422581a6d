"""Events and topics to measure Kafka with: what the store really writes, on a topic that is deleted afterwards."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from cdr.kafka_at import KafkaAt
from cdr.kafka_topics import TopicSettings, ensure_topic
from cdr.kafka_writer import BatchBytes, KafkaWriter
from cdr.lanes import Batch, OutboxRow
from cdr.relay import BATCH_BYTES, partition_of
from dialer.bench.store import fill_leads, last_offset, prepared, settle_all
from dialer.bench.traffic import Traffic
from dialer.errors import BadInput, DialerError
from store.lanes import SqlOutbox
from store.lead_store import SqlLeadStore

PARTITIONS: Final = TopicSettings().partitions
SET: Final = 50_000
"""So many different events are made; more are these again."""
_EVENTS_AN_ATTEMPT: Final = 6
_TURN: Final = 50
_ANYBODY: Final = -1
"""No producer: the broker takes the same bytes as often as they come."""
_SEND_S: Final = 60.0


async def sample(events: int) -> list[OutboxRow]:
    """Return so many events, at most SET, as the store writes them when attempts begin, end and are wrapped up."""
    wanted = min(events, SET)
    attempts = -(-wanted // _EVENTS_AN_ATTEMPT) + _TURN
    with TemporaryDirectory(prefix="dialer-bench-") as folder:
        engine = await prepared(f"sqlite:///{Path(folder) / 'sample.db'}", attempts)
        try:
            await fill_leads(engine, attempts)
            first = await last_offset(engine)
            await settle_all(SqlLeadStore(engine), Traffic(attempts, min(_TURN, attempts)))
            rows = list(await SqlOutbox(engine).read(after=first, limit=wanted))
        finally:
            await engine.dispose()
    if len(rows) != wanted:
        raise RuntimeError(f"{attempts} attempts gave {len(rows)} events, not {wanted}")
    return rows


def laps(rows: Sequence[OutboxRow], events: int) -> Iterator[Sequence[OutboxRow]]:
    """Yield the rows again and again, the last time a part of them, until they are so many events."""
    for first in range(0, events, len(rows)):
        yield rows[: events - first]


def by_partition(rows: Sequence[OutboxRow]) -> dict[int, list[OutboxRow]]:
    """Share the rows out as every producer does, by their key."""
    shared: dict[int, list[OutboxRow]] = {}
    for row in rows:
        shared.setdefault(partition_of(row.key, PARTITIONS), []).append(row)
    return shared


@asynccontextmanager
async def own_topic(kafka: KafkaAt, partitions: int = PARTITIONS) -> AsyncIterator[str]:
    """Make a topic with the pipeline's settings; delete it afterwards. Raises Unreachable or BadInput."""
    name = f"dialer.bench.{uuid.uuid4().hex}"
    await ensure_topic(kafka, TopicSettings(name, partitions=partitions))
    try:
        yield name
    finally:
        await _delete(kafka, name)


async def _delete(kafka: KafkaAt, name: str) -> None:
    admin = AIOKafkaAdminClient(**kafka.options())
    try:
        await admin.start()
        await admin.delete_topics([name])
    except (KafkaError, OSError) as error:
        reason = type(error).__name__
        raise DialerError(f"the topic {name} at Kafka {kafka.bootstrap} is left over ({reason}); delete it") from error
    finally:
        await admin.close()


async def fill(kafka: KafkaAt, topic: str, rows: Sequence[OutboxRow], events: int) -> None:
    """Bring so many events into the topic: the same batches again and again, so that a million takes seconds."""
    writer = KafkaWriter(kafka, topic)
    await writer.start()
    try:
        whole = _requests(rows)
        for lap in laps(rows, events):
            for batches in whole if len(lap) == len(rows) else _requests(lap):
                verdicts = await writer.send(batches, until=monotonic() + _SEND_S)
                if refused := sorted({type(error).__name__ for error in verdicts.values() if error is not None}):
                    raise BadInput(f"the topic {topic} at Kafka {kafka.bootstrap} takes no batch: {', '.join(refused)}")
    finally:
        await writer.close()


def _requests(rows: Sequence[OutboxRow]) -> list[dict[int, bytes]]:
    """Return what is sent one after the other, each time one batch for each partition that has one left."""
    lanes = {partition: list(_batches(some)) for partition, some in by_partition(rows).items()}
    longest = max(map(len, lanes.values()))
    return [{lane: some[number] for lane, some in lanes.items() if number < len(some)} for number in range(longest)]


def _batches(rows: Sequence[OutboxRow]) -> Iterator[bytes]:
    left = iter(rows)
    row = next(left, None)
    while row is not None:
        made = BatchBytes(BATCH_BYTES)
        while row is not None and made.add(row):
            row = next(left, None)
        yield made.sealed(Batch(0, made.count, _ANYBODY, _ANYBODY, _ANYBODY))
