"""Fetching straight into records of the log, on a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import OffsetOutOfRangeError

from cdr.kafka_at import KafkaAt
from cdr.kafka_fetch import FETCH_BYTES, KafkaFetcher
from cdr.kafka_topics import TopicSettings, ensure_topic
from dialer.ports import LogRecord
from tests.plugins.kafka import KafkaServer


@pytest.fixture
async def topic(kafka: KafkaServer, kafka_topic: str) -> str:
    await ensure_topic(KafkaAt(kafka.bootstrap), TopicSettings(kafka_topic, partitions=2))
    return kafka_topic


@pytest.fixture
async def fetcher(kafka: KafkaServer, topic: str) -> AsyncIterator[KafkaFetcher]:
    made = KafkaFetcher(KafkaAt(kafka.bootstrap, timeout_s=5.0), topic)
    await made.start()
    yield made
    await made.close()
    await made.close()


async def produce(kafka: KafkaServer, topic: str, *values: bytes | None, **more: object) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, linger_ms=50, max_request_size=12_000_000, **more
    ) as producer:
        sent = [await producer.send(topic, value, key=b"k", partition=1) for value in values]
        await producer.flush()
        await asyncio.gather(*sent)


async def test_records_come_with_the_logs_offsets_from_the_middle_of_a_batch_too(
    kafka: KafkaServer, topic: str, fetcher: KafkaFetcher
) -> None:
    await produce(kafka, topic, b"a", None, b"c")
    found = await fetcher.fetch(1, 0)
    assert found.records == [LogRecord(1, 1, "k", b"a"), LogRecord(1, 2, "k", b""), LogRecord(1, 3, "k", b"c")]
    assert (found.next, found.high) == (3, 3)
    assert (await fetcher.fetch(1, 2)).records == [LogRecord(1, 3, "k", b"c")]
    at_end = await fetcher.fetch(1, 3)
    assert (at_end.records, at_end.next, at_end.high) == ([], 3, 3)
    assert (await fetcher.fetch(0, 0)).high == 0


@pytest.mark.parametrize("compression", [None, "gzip"])
async def test_a_batch_that_is_larger_than_an_answer_comes_whole(
    kafka: KafkaServer, topic: str, fetcher: KafkaFetcher, compression: str | None
) -> None:
    monster = b"x" * (3 * FETCH_BYTES)
    await produce(kafka, topic, monster, b"after", compression_type=compression, max_batch_size=1)
    found = await fetcher.fetch(1, 0)
    assert found.records[0].value == monster
    rest = found.records[1:] or (await fetcher.fetch(1, found.next)).records
    assert [one.value for one in rest] == [b"after"]


async def test_the_marker_of_a_transaction_is_passed_over(
    kafka: KafkaServer, topic: str, fetcher: KafkaFetcher
) -> None:
    async with (
        AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=topic) as producer,
        producer.transaction(),
    ):
        await producer.send_and_wait(topic, b"in it", partition=1)
    await produce(kafka, topic, b"after it")
    records: list[LogRecord] = []
    at = 0
    while len(records) < 2:
        found = await fetcher.fetch(1, at)
        records += found.records
        at = found.next
    assert [(one.offset, one.value) for one in records] == [(1, b"in it"), (3, b"after it")]


async def test_an_offset_that_is_not_there_is_told_at_once(fetcher: KafkaFetcher) -> None:
    async with asyncio.timeout(3):
        with pytest.raises(OffsetOutOfRangeError):
            await fetcher.fetch(1, 5)


async def test_a_broker_that_comes_back_in_time_is_waited_for(kafka: KafkaServer, topic: str) -> None:
    fetcher = KafkaFetcher(KafkaAt(kafka.bootstrap, timeout_s=60.0), topic)
    await fetcher.start()
    try:
        await produce(kafka, topic, b"a")
        await asyncio.to_thread(kafka.stop)
        fetching = asyncio.create_task(fetcher.fetch(1, 0))
        await asyncio.to_thread(kafka.start)
        assert [one.value for one in (await fetching).records] == [b"a"]
    finally:
        await fetcher.close()
