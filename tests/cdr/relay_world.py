"""An outbox to relay from, a topic to relay to, and what must be true at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.encode import OutboxEvent
from cdr.kafka_at import KafkaAt
from cdr.kafka_topics import TopicSettings, ensure_topic
from cdr.kafka_writer import EVENT_ID, KafkaWriter
from cdr.relay import Relay
from store.lanes import SqlOutbox
from store.open import open_database
from store.outbox import append
from store.upgrade import upgrade
from tests.cdr.samples import START, life

PARTITIONS = 4


class Crash(Exception):
    """The process dies here."""


class Found(msgspec.Struct, frozen=True):
    """A record as it lies in Kafka."""

    partition: int
    offset: int
    key: str
    value: bytes
    event_id: str


class World:
    """A database, a topic, and the events that were written."""

    def __init__(self, engine: AsyncEngine, kafka: KafkaAt, topic: str) -> None:
        self.engine, self.kafka, self.topic = engine, kafka, topic
        self.outbox = SqlOutbox(engine)
        self.written: list[OutboxEvent] = []

    async def write(self, events: Sequence[OutboxEvent], *, size: int = 50) -> None:
        for first in range(0, len(events), size):
            some = events[first : first + size]
            async with self.engine.begin() as connection:
                await connection.run_sync(append, some, now=START)
            self.written += some

    async def write_calls(self, calls: Collection[int]) -> None:
        await self.write([event for number in calls for event in life(number)])

    def relay(self, owner: str = "a", *, writer: KafkaWriter | None = None, outbox: Any = None, **more: Any) -> Relay:
        writer = writer or KafkaWriter(self.kafka, self.topic)
        return Relay(outbox or self.outbox, writer, owner=owner, **more)

    async def read(self) -> list[Found]:
        return await read_topic(self.kafka, self.topic)

    async def check(self) -> list[Found]:
        """Everything written is in Kafka once, unchanged, and each key's events are in their order."""
        found = await self.read()
        assert sorted(one.event_id for one in found) == sorted(event.event_id for event in self.written)
        by_key: dict[str, list[bytes]] = {}
        for event in self.written:
            by_key.setdefault(event.key, []).append(event.value)
        seen: dict[str, list[bytes]] = {}
        for one in found:
            seen.setdefault(one.key, []).append(one.value)
        assert seen == by_key
        return found


async def open_world(url: str, bootstrap: str, topic: str, *, timeout_s: float = 5.0) -> World:
    kafka = KafkaAt(bootstrap, timeout_s=timeout_s)
    await ensure_topic(kafka, TopicSettings(topic, partitions=PARTITIONS))
    engine = open_database(url)
    await upgrade(engine)
    return World(engine, kafka, topic)


async def read_topic(kafka: KafkaAt, topic: str, partitions: int = PARTITIONS) -> list[Found]:
    """Read a topic from its beginning to its end, partition by partition."""
    found = []
    async with AIOKafkaConsumer(**kafka.options(), group_id=None, fetch_max_wait_ms=50) as consumer:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        ends = await consumer.end_offsets(places)
        for place in (place for place in places if ends[place]):
            consumer.assign([place])
            consumer.seek(place, 0)
            at = 0
            while at < ends[place]:
                for record in (await consumer.getmany(place, timeout_ms=500)).get(place, []):
                    headers = dict(record.headers)
                    key, event_id = (record.key or b"").decode(), headers.get(EVENT_ID, b"").decode()
                    found.append(Found(record.partition, record.offset, key, record.value, event_id))
                    at = record.offset + 1
    return found


async def relay_all(relay: Relay) -> int:
    """Relay until the outbox is empty, and give the lanes back."""
    sent = await relay.run_once()
    while not relay.idle:
        sent += await relay.run_once()
    await relay.close()
    return sent


def crash_at(point: str, occurrence: int) -> Callable[[str], None]:
    passed = 0

    def fault(name: str) -> None:
        nonlocal passed
        passed += name == point
        if name == point and passed == occurrence:
            raise Crash

    return fault


async def until(condition: Callable[[], bool], *, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.02)
