"""Kafka as an event log, on a real broker: the shared body, and what only a consumer group can do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from cdr import kafka_log
from cdr.clickhouse import Analytics
from cdr.dead_letters import Replayed, replay
from cdr.kafka_at import KafkaAt
from cdr.kafka_fetch import FETCH_BYTES, Fetched
from cdr.kafka_log import GROUP, HELD_BYTES, IDLE_S, KafkaLog, LogBroken
from cdr.kafka_topics import TopicSettings, ensure_topic
from cdr.memory import MemoryOffsetLedger
from cdr.project import Rows
from cdr.projector import RANGE_BYTES, Projector
from cdr.verify import verify
from dialer.errors import NotFound, PartitionGone, Unreachable
from dialer.ports import OffsetRange
from tests.cdr.event_log_contract import Append, EventLogContract
from tests.cdr.relay_world import until
from tests.cdr.samples import life
from tests.plugins.kafka import KafkaServer

PARTITIONS = 4


def at(kafka: KafkaServer, **more: Any) -> KafkaAt:
    return KafkaAt(kafka.bootstrap, **{"timeout_s": 5.0, **more})


@asynccontextmanager
async def opened(kafka: KafkaServer, topic: str, *, held: int = 1, **more: Any) -> AsyncIterator[KafkaLog]:
    log = KafkaLog(at(kafka), topic, group=f"{topic}.group", **more)
    await log.start()
    try:
        await until(lambda: len(log._held) == held)
        yield log
    finally:
        await log.close()


@pytest.fixture
async def one_partition(kafka: KafkaServer, kafka_topic: str) -> str:
    await ensure_topic(at(kafka), TopicSettings(kafka_topic, partitions=1))
    return kafka_topic


@pytest.fixture
async def topic(kafka: KafkaServer, kafka_topic: str) -> str:
    await ensure_topic(at(kafka), TopicSettings(kafka_topic, partitions=PARTITIONS))
    return kafka_topic


@pytest.fixture
async def event_log(kafka: KafkaServer, one_partition: str) -> AsyncIterator[KafkaLog]:
    async with opened(kafka, one_partition) as log:
        yield log


@pytest.fixture
async def producer(kafka: KafkaServer) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, max_request_size=12_000_000) as made:
        yield made


@pytest.fixture
def append(producer: AIOKafkaProducer, one_partition: str) -> Append:
    async def add(values: Sequence[bytes]) -> None:
        for value in values:
            await producer.send(one_partition, value, key=b"1")
        await producer.flush()

    return add


class TestKafkaLog(EventLogContract):
    async def test_reading_on_does_not_fetch_again(self, event_log: KafkaLog, append: Append) -> None:
        await append([b"%d" % number for number in range(1, 1001)])
        fetches = counted_fetches(event_log)
        for after in range(0, 1000, 100):
            peeked = await event_log.read(0, after=after, limit=1)  # as the lag's measurement does
            found = await event_log.read(0, after=after, limit=100)
            assert [one.offset for one in found] == list(range(after + 1, after + 101))
            assert list(peeked) == found[:1]
        assert fetches == [(0, 0)]
        assert [one.offset for one in await event_log.read(0, after=4, limit=2)] == [5, 6]
        assert fetches == [(0, 0), (0, 4)]

    async def test_a_partition_of_another_reader_is_gone(self, event_log: KafkaLog) -> None:
        with pytest.raises(PartitionGone):
            await event_log.read(1, after=0, limit=1)
        with pytest.raises(PartitionGone):
            await event_log.extent(1)

    async def test_a_topic_that_was_made_anew_is_not_taken_for_the_old_one(
        self, event_log: KafkaLog, append: Append
    ) -> None:
        await append([b"a", b"b"])
        with pytest.raises(LogBroken, match=r"ends at 2, but it was read to 100 before"):
            await event_log.read(0, after=100, limit=1)

    async def test_records_that_were_dropped_unread_stop_the_line(
        self, event_log: KafkaLog, append: Append, kafka: KafkaServer
    ) -> None:
        await append([b"%d" % number for number in range(1, 10)])
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        await admin.delete_records({TopicPartition(event_log.topic, 0): RecordsToDelete(5)})
        await admin.close()
        with pytest.raises(LogBroken, match=r"offsets from 3 on are gone before they were read"):
            await event_log.read(0, after=2, limit=5)
        assert [one.offset for one in await event_log.read(0, after=5, limit=2)] == [6, 7]
        assert await event_log.extent(0) == (6, 9)

    async def test_a_frozen_broker_is_told_in_time_and_reading_goes_on_after_it(
        self, kafka: KafkaServer, one_partition: str, append: Append
    ) -> None:
        log = KafkaLog(at(kafka, timeout_s=1.5), one_partition, group="frozen")
        await log.start()
        await until(lambda: bool(log._held))
        await append([b"a"])
        assert len(await log.read(0, after=0, limit=1)) == 1
        await asyncio.to_thread(kafka.pause)
        async with asyncio.timeout(10):
            with pytest.raises(Unreachable, match="does not answer"):
                await log.read(0, after=1, limit=1)
        await asyncio.to_thread(kafka.resume)
        await append([b"b"])

        found: list[bytes] = []
        async with asyncio.timeout(20):
            while not found:
                with contextlib.suppress(PartitionGone, Unreachable):  # the group may have to meet again first
                    found = [one.value for one in await log.read(0, after=1, limit=1)]
        assert found == [b"b"]
        await log.close()


async def test_a_topic_that_is_missing_and_a_broker_that_is_away_are_told(kafka: KafkaServer) -> None:
    with pytest.raises(NotFound, match=r"no topic no\.such\.topic; let `dialer relay` make it"):
        await KafkaLog(at(kafka), "no.such.topic").start()
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1 does not answer"):
        await KafkaLog(KafkaAt("127.0.0.1:1", timeout_s=1.0), "any").start()


async def test_the_group_is_told_how_far_the_reader_is(kafka: KafkaServer, one_partition: str, append: Append) -> None:
    async with opened(kafka, one_partition) as log:
        await append([b"a", b"b", b"c"])
        await log.read(0, after=0, limit=10)
        await log.read(0, after=2, limit=10)
    place = TopicPartition(one_partition, 0)
    group = f"{one_partition}.group"
    async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, group_id=group, enable_auto_commit=False) as other:
        other.assign([place])
        assert await other.committed(place) == 2


def counted_fetches(log: KafkaLog) -> list[tuple[int, int]]:
    """Return a list that grows with each fetch: the partition, and Kafka's offset."""
    fetches: list[tuple[int, int]] = []
    fetch = log._fetcher.fetch

    async def counted(partition: int, offset: int) -> Fetched:
        fetches.append((partition, offset))
        return await fetch(partition, offset)

    log._fetcher.fetch = counted  # type: ignore[method-assign]
    return fetches


async def test_a_partition_that_nobody_reads_is_not_fetched_and_forgotten_after_a_while(
    kafka: KafkaServer, topic: str, producer: AIOKafkaProducer
) -> None:
    await load(producer, topic, range(1, 20))
    async with opened(kafka, topic, held=PARTITIONS) as log:
        fetches = counted_fetches(log)
        first, _ = await log.read(0, after=0, limit=1), await log.read(1, after=0, limit=1)
        assert fetches == [(0, 0), (1, 0)]
        assert log._held[0].records
        assert {place.partition for place in log._consumer.paused()} == set(range(PARTITIONS))
        log._held[0].read_at -= IDLE_S + 1
        await log.read(1, after=0, limit=1)
        assert log._held[0].records == []
        assert list(await log.read(0, after=0, limit=1)) == list(first)
        assert fetches == [(0, 0), (1, 0), (0, 0)]


async def test_a_member_whose_reader_is_held_up_stays_in_the_group(
    kafka: KafkaServer, one_partition: str, append: Append, caplog: pytest.LogCaptureFixture
) -> None:
    """The client takes a member that asks for nothing for hung, and never comes back to the group by itself."""
    await append([b"1"])
    with caplog.at_level("INFO", logger="cdr.kafka_log"):
        async with opened(kafka, one_partition, asks_s=2.0) as log:
            await asyncio.sleep(6.0)  # nobody reads: ClickHouse, say, is away
            assert [record.value for record in await log.read(0, after=0, limit=1)] == [b"1"]
    revoked = [record for record in caplog.records if getattr(record, "action", "") == "log.revoked"]
    assert len(revoked) == 1, "of its own beginning"


class CountingSink:
    """Blocks by token, as ClickHouse keeps them; `slow` holds an insert up."""

    def __init__(self) -> None:
        self.blocks: list[Rows] = []
        self.tokens: set[tuple[str, str]] = set()
        self.slow: Callable[[], Any] | None = None

    async def insert(self, rows: Rows, *, token: str) -> None:
        if self.slow is not None:
            await self.slow()
        if rows.count and (rows.table, token) not in self.tokens:
            self.tokens.add((rows.table, token))
            self.blocks.append(rows)

    async def query(self, sql: str, parameters: dict[str, object]) -> Sequence[Sequence[object]]:
        return [[0]]

    def places(self) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for rows in self.blocks:
            if rows.table == "call_events":
                columns = [rows.data[rows.columns.index(name)] for name in ("log_partition", "log_offset")]
                found += zip(*columns, strict=True)
        return found


async def load(producer: AIOKafkaProducer, topic: str, calls: Sequence[int]) -> int:
    count = 0
    for number in calls:
        for event in life(number):
            await producer.send(topic, event.value, key=event.key.encode())
            count += 1
    await producer.flush()
    return count


async def test_two_readers_share_and_hand_over_under_load_and_nothing_is_doubled_or_lost(
    kafka: KafkaServer, topic: str, producer: AIOKafkaProducer
) -> None:
    sink, ledger, written = CountingSink(), MemoryOffsetLedger(), 0

    async def a_moment() -> None:
        await asyncio.sleep(0.002)

    sink.slow = a_moment
    async with AsyncExitStack() as stack:
        logs, stops, running = [], [], []
        for number in range(2):
            log = await stack.enter_async_context(opened(kafka, topic, held=PARTITIONS // (number + 1)))
            projector = Projector(log, ledger, sink, batch_rows=17, flush_s=0.01)
            log.drain = projector.drain
            logs.append(log)
            stops.append(asyncio.Event())
            running.append(asyncio.create_task(projector.run(stops[-1])))
            written += await load(producer, topic, range(1 + 50 * number, 51 + 50 * number))
        await until(lambda: {len(log._held) for log in logs} == {PARTITIONS // 2})
        written += await load(producer, topic, range(101, 151))
        await until(lambda: len(sink.places()) > 1000)
        await logs[0].close()  # in the middle of it: the other one takes over
        written += await load(producer, topic, range(151, 201))
        await until(lambda: len(sink.places()) >= written)
        for stop in stops:
            stop.set()
        await asyncio.gather(*running)
    places = sink.places()
    assert len(places) == len(set(places)) == written
    for partition in range(PARTITIONS):
        offsets = sorted(offset for one, offset in places if one == partition)
        assert offsets == list(range(1, len(offsets) + 1))
        assert await ledger.position("clickhouse", partition) == len(offsets)


class Lax(MemoryOffsetLedger):
    """A ledger without a fence: it takes any range from anybody."""

    async def begin(self, projection: str, span: OffsetRange) -> None:
        self._pending[projection, span.partition] = span

    async def confirm(self, projection: str, span: OffsetRange) -> None:
        self._pending.pop((projection, span.partition), None)
        self._positions[projection, span.partition] = span.last


@pytest.mark.parametrize("drains", [True, False])
async def test_the_round_in_progress_ends_before_its_partitions_go(
    kafka: KafkaServer, topic: str, producer: AIOKafkaProducer, drains: bool
) -> None:
    """With the fence off, the drain alone keeps two readers from one range; without the drain records are doubled."""
    written = await load(producer, topic, range(1, 40))
    gate, begun = asyncio.Event(), asyncio.Event()
    sink, ledger = CountingSink(), Lax()
    async with opened(kafka, topic, held=PARTITIONS) as first, opened(kafka, topic, held=PARTITIONS // 2) as second:
        await until(lambda: len(first._held) == PARTITIONS // 2)
        projector = Projector(first, LateLedger(ledger, gate, begun), sink, batch_rows=30)
        if drains:
            first.drain = projector.drain
        round_ = asyncio.create_task(projector.run_once())
        await begun.wait()
        leaving = asyncio.create_task(first.close())
        if drains:
            await asyncio.sleep(0.5)
            assert not leaving.done()
            gate.set()
        await leaving
        await until(lambda: len(second._held) == PARTITIONS)
        other = Projector(second, ledger, sink, batch_rows=20)
        while await other.run_once():
            pass
        gate.set()
        await round_
    places = sink.places()
    assert len(set(places)) == written
    assert (len(places) == written) is drains


class LateLedger(MemoryOffsetLedger):
    """One that is slow between the reading of a range and its begin: the moment in which a partition changes hands."""

    def __init__(self, of: MemoryOffsetLedger, gate: asyncio.Event, begun: asyncio.Event) -> None:
        super().__init__()
        self._positions, self._pending = of._positions, of._pending
        self._of, self._gate, self._begun = of, gate, begun

    async def begin(self, projection: str, span: OffsetRange) -> None:
        self._begun.set()
        await self._gate.wait()
        await self._of.begin(projection, span)

    async def confirm(self, projection: str, span: OffsetRange) -> None:
        await self._of.confirm(projection, span)


async def test_a_round_that_does_not_end_keeps_the_partitions_only_so_long(kafka: KafkaServer, topic: str) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    async with opened(kafka, topic, held=PARTITIONS, drain_s=0.5) as log:
        log.drain = never
        async with opened(kafka, topic, held=PARTITIONS // 2):
            await until(lambda: len(log._held) == PARTITIONS // 2)
        log.drain = None


@pytest.mark.component("chdb")
async def test_garbage_and_ten_megabytes_become_dead_letters_and_the_rest_goes_on(
    kafka: KafkaServer, one_partition: str, producer: AIOKafkaProducer, analytics: Analytics
) -> None:
    await load(producer, one_partition, [1])
    for junk in (b"", b"\xff\x00 not JSON", b'{"schema_version": "9.0"}', b"x" * 10_000_000):
        await producer.send(one_partition, junk)
    await producer.flush()
    await load(producer, one_partition, [2])
    ledger = MemoryOffsetLedger()
    async with opened(kafka, one_partition) as log:
        projector = Projector(log, ledger, analytics, batch_rows=7)
        while await projector.run_once():
            pass
    report = await verify(analytics, {0: await ledger.position("clickhouse", 0)})
    (part,) = report.partitions
    assert report.ok, part
    assert (part.dead_letters, part.calls) == (4, 2)


async def test_without_a_group_all_partitions_are_read_beside_the_others(
    kafka: KafkaServer, topic: str, producer: AIOKafkaProducer
) -> None:
    for number in range(40):
        await producer.send(topic, b"%d" % number, partition=number % PARTITIONS)
    await producer.flush()
    async with opened(kafka, topic, held=PARTITIONS) as member:
        alone = KafkaLog(at(kafka), topic, group=None)
        await alone.start()
        try:
            assert await alone.partitions() == list(range(PARTITIONS)) == await member.partitions()
            for log in (alone, member, alone):
                read = [await log.read(number, after=3, limit=10, until=8) for number in range(PARTITIONS)]
                assert [[record.offset for record in records] for records in read] == [[4, 5, 6, 7, 8]] * PARTITIONS
        finally:
            await alone.close()


async def test_readers_of_another_topic_are_another_group(
    kafka: KafkaServer, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    other = f"{topic}.other"
    await ensure_topic(at(kafka), TopicSettings(other, partitions=1))
    first, second = KafkaLog(at(kafka), topic), KafkaLog(at(kafka), other)
    await first.start()
    try:
        await until(lambda: len(first._held) == PARTITIONS)
        with caplog.at_level("INFO"):
            await second.start()
            await until(lambda: len(second._held) == 1)
            await asyncio.sleep(0.5)  # a member of the same group would make the first one join anew by now
        given = [record for record in caplog.records if getattr(record, "action", "") == "log.assigned"]
        assert len(given) == 1
    finally:
        await second.close()
        await first.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    groups = {name for name, _ in await admin.list_consumer_groups()}
    await admin.close()
    assert groups >= {f"{GROUP}.{topic}", f"{GROUP}.{other}"}


@pytest.mark.component("chdb")
async def test_a_dead_letter_that_kafka_has_dropped_is_replayed_as_it_was_kept(
    kafka: KafkaServer, one_partition: str, producer: AIOKafkaProducer, analytics: Analytics,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    events = [event.value.replace(b'"schema_version":"1.1"', b'"schema_version":"2.0"') for event in life(1)]
    for value in events:
        await producer.send(one_partition, value, key=b"1")
    await producer.flush()
    ledger = MemoryOffsetLedger()
    async with opened(kafka, one_partition) as log:
        while await Projector(log, ledger, analytics).run_once():
            pass
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        await admin.delete_records({TopicPartition(one_partition, 0): RecordsToDelete(2)})
        await admin.close()
        monkeypatch.setattr("cdr.events._check", lambda _event: None)
        assert await replay(log, ledger, analytics) == Replayed(len(events), len(events))
    assert (await verify(analytics, {0: len(events)})).ok


def test_a_projectors_range_is_in_hand_when_no_more_is_fetched() -> None:
    assert HELD_BYTES == 2 * RANGE_BYTES


async def test_of_large_records_only_so_much_is_in_hand_and_a_replay_comes_whole(
    kafka: KafkaServer, one_partition: str, producer: AIOKafkaProducer
) -> None:
    count = 400
    for number in range(count):
        await producer.send(one_partition, b"%06d" % number + b"x" * 100_000, partition=0)
    await producer.flush()
    async with opened(kafka, one_partition) as log:
        most = 0
        fetch = log._fetcher.fetch

        async def watched(partition: int, offset: int) -> Fetched:
            nonlocal most
            found = await fetch(partition, offset)
            most = max(most, log._held[partition].bytes + sum(len(one.value) for one in found.records))
            return found

        log._fetcher.fetch = watched  # type: ignore[method-assign]
        after, reads = 0, 0
        while found := await log.read(0, after=after, limit=10_000):
            assert [one.offset for one in found] == list(range(after + 1, after + len(found) + 1))
            after, reads = found[min(len(found), 160) - 1].offset, reads + 1
        assert (after, reads) == (count, 3)
        assert HELD_BYTES <= most < HELD_BYTES + 2 * FETCH_BYTES
        assert len(await log.read(0, after=0, limit=count, until=count)) == count
        assert len(await log.read(0, after=0, limit=10_000, until=count)) == count  # what is in hand is given
        log._held[0].restart(0)
        assert len(await log.read(0, after=0, limit=10_000, until=count)) < count


async def test_of_many_partitions_together_only_so_much_is_in_hand(
    kafka: KafkaServer, topic: str, producer: AIOKafkaProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_log, "HELD_BYTES_ALL", 4_000_000)
    for number in range(30 * PARTITIONS):
        await producer.send(topic, b"x" * 100_000, partition=number % PARTITIONS)
    await producer.flush()
    async with opened(kafka, topic, held=PARTITIONS) as log:
        for number in (*range(PARTITIONS), *range(PARTITIONS)):
            assert len(await log.read(number, after=0, limit=100)) == 30
            assert log._held[number].bytes == 3_000_000
            assert sum(one.bytes for one in log._held.values()) <= 4_000_000 + 3_000_000
        ledger = MemoryOffsetLedger()
        projector = Projector(log, ledger, CountingSink(), range_bytes=1_000_000)
        while await projector.run_once():
            pass
        assert [await ledger.position("clickhouse", one) for one in range(PARTITIONS)] == [30] * PARTITIONS
