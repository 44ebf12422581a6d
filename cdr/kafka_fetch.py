"""Fetch records of a topic straight into records of the log.

aiokafka's consumer makes a record of its own for each one first, which costs as much as decoding the event, and it has
one fetch under way at a time, behind which a partition that is asked for anew waits. It stays our member of the group.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import msgspec
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import CorruptRecordException, KafkaError, LeaderNotAvailableError, NoError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords

from cdr.kafka_at import KafkaAt
from dialer.ports import LogRecord

FETCH_BYTES: Final = 2 << 20
"""Of one answer, unless a single batch is larger."""
_AT_ONCE_MS: Final = 0
_AT_LEAST: Final = 1
_READ_UNCOMMITTED: Final = 0
_BACKOFF_S: Final = 0.1


class Fetched(msgspec.Struct, frozen=True, gc=False):
    """What one answer held; offsets are Kafka's but for those of the records, which are the log's."""

    records: list[LogRecord]
    next: int
    """Where to go on."""
    high: int
    """Where the partition ends, as far as all replicas have it."""


class KafkaFetcher:
    """Reads one topic; `start` it first, `close` it last. Its methods raise what aiokafka raises."""

    def __init__(self, kafka: KafkaAt, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._client: Any = None

    async def start(self) -> None:
        """Connect."""
        self._client = AIOKafkaClient(**self._kafka.options())
        await self._client.bootstrap()
        await self._client._wait_on_metadata(self._topic)  # noqa: SLF001 - no public way

    async def close(self) -> None:
        """Hang up; a second call does nothing."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def fetch(self, partition: int, offset: int) -> Fetched:
        """Return what follows an offset, at once: nothing when there is nothing.

        What passes is tried again for `timeout_s`. Raises OffsetOutOfRangeError when the topic does not reach there.
        """
        until = time.monotonic() + self._kafka.timeout_s
        while True:
            try:
                return await self._fetch(TopicPartition(self._topic, partition), offset)
            except KafkaError as error:
                if not error.retriable or time.monotonic() > until:
                    raise
            await asyncio.sleep(_BACKOFF_S)
            await self._client.force_metadata_update()

    async def _fetch(self, place: TopicPartition, offset: int) -> Fetched:
        leader = self._client.cluster.leader_for_partition(place)
        if leader is None or leader < 0:
            raise LeaderNotAvailableError(place)
        wanted = [(place.topic, [(place.partition, offset, FETCH_BYTES)])]
        request = FetchRequest(_AT_ONCE_MS, _AT_LEAST, FETCH_BYTES, _READ_UNCOMMITTED, wanted)
        answer = await self._client.send(leader, request)
        ((_topic, ((_partition, code, high, *_rest, data),)),) = answer.topics
        error = for_code(code)
        if error is not NoError:
            raise error(place)
        return _unpacked(place, offset, high, data)


def _unpacked(place: TopicPartition, offset: int, high: int, data: bytes) -> Fetched:
    records: list[LogRecord] = []
    after, partition = offset, place.partition
    batches = MemoryRecords(data)
    while batches.has_next():
        batch = batches.next_batch()
        if not batch.validate_crc():
            raise CorruptRecordException(f"{place.topic}:{partition} after {after}")
        if not batch.is_control_batch:  # a marker of somebody's transaction
            records += [
                LogRecord(partition, one.offset + 1, str(one.key or b"", "utf-8", "replace"), one.value or b"")
                for one in batch
                if one.offset >= offset  # a batch comes whole
            ]
        after = batch.next_offset
    return Fetched(records, max(after, offset), high)
