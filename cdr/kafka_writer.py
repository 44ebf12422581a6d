"""Append batches to Kafka under producer ids and sequence numbers that the caller keeps (docs/adr/0015).

aiokafka's own producer makes up batches and numbers as it goes and forgets them with the process. Here the caller says
which records are one batch and which number it has: sent again after a crash, by whomever, the broker knows it again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import DuplicateSequenceNumber, KafkaError, NoError, for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from cdr.kafka_at import KafkaAt, unbroken
from cdr.lanes import Batch, OutboxRow
from dialer.errors import Unreachable

EVENT_ID: Final = "event_id"
"""The header that carries the event's id."""
ALL_IN_SYNC: Final = -1
_TAIL: Final = 100
_BACKOFF_S: Final = 0.1
_NO_TRANSACTION_MS: Final = 2**31 - 1


class ProducerId(msgspec.Struct, frozen=True):
    """What the cluster calls one producer."""

    id: int
    epoch: int


class BatchBytes:
    """A batch as it is built: at most `limit_bytes`, or one record."""

    def __init__(self, limit_bytes: int) -> None:
        self._builder: Any = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, 0, limit_bytes)
        self.count = 0

    def add(self, row: OutboxRow) -> bool:
        """Add a record with its value unchanged; False when it does not fit any more."""
        headers = [(EVENT_ID, row.event_id.encode())]
        stamp = int(row.created_at * 1000)
        if self._builder.append(self.count, stamp, row.key.encode(), row.value, headers) is None:
            return False
        self.count += 1
        return True

    def sealed(self, batch: Batch) -> bytes:
        """Return the bytes as they go to the broker."""
        self._builder.set_producer_state(batch.producer_id, batch.producer_epoch, batch.sequence)
        return bytes(self._builder.build())


class KafkaWriter:
    """Writes to one topic; every method waits for an answer no longer than its deadline."""

    def __init__(self, kafka: KafkaAt, topic: str) -> None:
        self.kafka = kafka
        self.topic = topic
        self._client: Any = None
        self._doing = f"writing to the topic {topic}"

    async def start(self) -> int:
        """Connect and return the number of partitions; raises Unreachable or NotFound."""
        return await unbroken(self._start())

    async def _start(self) -> int:
        self._client = AIOKafkaClient(**self.kafka.options())
        try:
            with self.kafka.explained(self._doing):
                async with asyncio.timeout(self.kafka.timeout_s):
                    await self._client.bootstrap()
                    return len(await self._client._wait_on_metadata(self.topic))  # noqa: SLF001 - no public way
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Hang up; what is under way may or may not arrive."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def new_producer(self) -> ProducerId:
        """Ask the cluster for a producer id that nobody had before."""
        with self.kafka.explained(self._doing):
            async with asyncio.timeout(self.kafka.timeout_s):
                while True:
                    node = self._client.get_random_node()
                    answer = await self._client.send(node, InitProducerIdRequest(None, _NO_TRANSACTION_MS))
                    error = for_code(answer.error_code)
                    if error is NoError:
                        return ProducerId(answer.producer_id, answer.producer_epoch)
                    if not error.retriable:
                        raise error
                    await asyncio.sleep(_BACKOFF_S)

    async def send(self, batches: Mapping[int, bytes], *, until: float) -> dict[int, KafkaError | None]:
        """Append one batch to each partition and wait for all replicas in sync, until `time.monotonic()` is `until`.

        Return None for each that the broker has (now or from an earlier try), or the error that no retry mends. Raises
        Unreachable when it is unknown whether some have arrived: the same bytes may be sent again at any time.
        """
        done: dict[int, KafkaError | None] = {}
        left = dict(batches)
        while left:
            span = until - time.monotonic()
            if span <= 0:
                raise Unreachable(
                    f"{self._doing}: Kafka at {self.kafka.bootstrap} has not confirmed {len(left)} batches in time; "
                    "check that it runs and that enough replicas are in sync"
                )
            for answers in await asyncio.gather(*(self._produce(*one, span) for one in self._by_leader(left))):
                done.update(answers)
            left = {partition: data for partition, data in left.items() if partition not in done}
            if left:
                await self._refresh(until)
        return done

    def _by_leader(self, batches: Mapping[int, bytes]) -> Iterable[tuple[int, dict[int, bytes]]]:
        nodes: dict[int, dict[int, bytes]] = {}
        for partition, data in batches.items():
            leader = self._client.cluster.leader_for_partition(TopicPartition(self.topic, partition))
            if leader is not None and leader >= 0:
                nodes.setdefault(leader, {})[partition] = data
        return nodes.items()

    async def _produce(self, node: int, batches: Mapping[int, bytes], span_s: float) -> dict[int, KafkaError | None]:
        request = ProduceRequest(None, ALL_IN_SYNC, round(span_s * 1000), [(self.topic, list(batches.items()))])
        try:
            async with asyncio.timeout(span_s):
                answer = await self._client.send(node, request)
        except (KafkaError, TimeoutError, OSError):
            return {}
        verdicts: dict[int, KafkaError | None] = {}
        for _topic, parts in answer.topics:
            for partition, code, *_rest in parts:
                error = for_code(code)
                if error in {NoError, DuplicateSequenceNumber}:
                    verdicts[partition] = None
                elif not error.retriable:
                    verdicts[partition] = error()
        return verdicts

    async def _refresh(self, until: float) -> None:
        """Wait a little and learn who leads now."""
        span = max(0.0, min(_BACKOFF_S, until - time.monotonic()))
        await asyncio.sleep(span)
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                await self._client.force_metadata_update()
        except (KafkaError, TimeoutError):
            return  # the next try meets the same, until the deadline

    async def tails(self, partitions: Iterable[int]) -> dict[int, frozenset[str]]:
        """Return the event ids of the last records of each partition."""
        with self.kafka.explained(f"reading the end of the topic {self.topic}"):
            consumer = AIOKafkaConsumer(**self.kafka.options(), group_id=None, enable_auto_commit=False)
            try:
                async with asyncio.timeout(2 * self.kafka.timeout_s):
                    await consumer.start()
                    return {partition: await self._tail(consumer, partition) for partition in partitions}
            finally:
                await consumer.stop()

    async def _tail(self, consumer: Any, partition: int) -> frozenset[str]:
        place = TopicPartition(self.topic, partition)
        consumer.assign([place])
        end = (await consumer.end_offsets([place]))[place]
        start = max((await consumer.beginning_offsets([place]))[place], end - _TAIL)
        found: list[str] = []
        consumer.seek(place, start)
        while start < end:
            for record in (await consumer.getmany(place, timeout_ms=200)).get(place, []):
                found += [value.decode(errors="replace") for name, value in record.headers if name == EVENT_ID]
                start = record.offset + 1
        return frozenset(found)
