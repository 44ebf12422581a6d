"""Batches under names and numbers of our own: what the broker takes, knows again and refuses."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence

import pytest
from aiokafka.errors import OutOfOrderSequenceNumber

from cdr.kafka_at import KafkaAt
from cdr.kafka_topics import TopicSettings, ensure_topic
from cdr.kafka_writer import BatchBytes, KafkaWriter, ProducerId
from cdr.lanes import Batch, OutboxRow
from dialer.errors import NotFound, Unreachable
from tests.cdr.relay_world import read_topic
from tests.plugins.kafka import KafkaServer

PARTITIONS = 2


@pytest.fixture
async def writer(kafka: KafkaServer, kafka_topic: str) -> AsyncIterator[KafkaWriter]:
    at = KafkaAt(kafka.bootstrap, timeout_s=5.0)
    await ensure_topic(at, TopicSettings(kafka_topic, partitions=PARTITIONS))
    made = KafkaWriter(at, kafka_topic)
    assert await made.start() == 2
    yield made
    await made.close()


def rows(numbers: Sequence[int]) -> list[OutboxRow]:
    return [OutboxRow(number, str(number), f"id-{number}", b"%d" % number, 0.0) for number in numbers]


def sealed(numbers: Sequence[int], producer: ProducerId, sequence: int) -> bytes:
    made = BatchBytes(1 << 20)
    assert all(made.add(row) for row in rows(numbers))
    return made.sealed(Batch(numbers[-1], len(numbers), producer.id, producer.epoch, sequence))


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


async def test_a_batch_that_is_sent_again_is_there_once(writer: KafkaWriter) -> None:
    producer = await writer.new_producer()
    first, second = sealed([1, 2], producer, 0), sealed([3], producer, 2)
    for batch in (first, first, second, second, first):
        assert await writer.send({0: batch, 1: batch}, until=soon()) == {0: None, 1: None}
    found = await read_topic(writer.kafka, writer.topic, PARTITIONS)
    assert [(one.partition, one.value, one.event_id) for one in found] == [
        (partition, b"%d" % number, f"id-{number}") for partition in (0, 1) for number in (1, 2, 3)
    ]


async def test_a_number_out_of_order_is_refused_and_nothing_is_written(writer: KafkaWriter) -> None:
    producer = await writer.new_producer()
    await writer.send({0: sealed([1, 2], producer, 0)}, until=soon())
    (error,) = (await writer.send({0: sealed([9], producer, 7)}, until=soon())).values()
    assert isinstance(error, OutOfOrderSequenceNumber)
    assert [one.value for one in await read_topic(writer.kafka, writer.topic, PARTITIONS)] == [b"1", b"2"]


async def test_two_producers_have_two_names(writer: KafkaWriter) -> None:
    assert await writer.new_producer() != await writer.new_producer()


async def test_the_tail_names_the_last_records(writer: KafkaWriter) -> None:
    producer = await writer.new_producer()
    await writer.send({0: sealed(range(1, 151), producer, 0)}, until=soon())
    tails = await writer.tails([0, 1])
    assert tails == {0: {f"id-{number}" for number in range(51, 151)}, 1: frozenset()}


async def test_a_batch_is_full_at_its_limit_and_one_record_always_fits() -> None:
    made = BatchBytes(200)
    monster = OutboxRow(1, "1", "id-1", b"x" * 1000, 0.0)
    assert made.add(monster)
    assert not made.add(monster)
    assert made.count == 1


async def test_a_frozen_broker_is_given_up_at_the_deadline_and_sending_again_doubles_nothing(
    writer: KafkaWriter, kafka: KafkaServer
) -> None:
    batch = sealed([1, 2], await writer.new_producer(), 0)
    kafka.pause()
    began = time.monotonic()
    with pytest.raises(Unreachable, match="has not confirmed 1 batches in time"):
        await writer.send({0: batch}, until=soon(1.0))
    assert time.monotonic() - began < 5.0
    kafka.resume()
    assert await writer.send({0: batch}, until=soon(20.0)) == {0: None}
    assert [one.value for one in await read_topic(writer.kafka, writer.topic, PARTITIONS)] == [b"1", b"2"]


async def test_a_deadline_that_has_passed_sends_nothing(writer: KafkaWriter) -> None:
    with pytest.raises(Unreachable):
        await writer.send({0: sealed([1], await writer.new_producer(), 0)}, until=soon(-1.0))
    assert await read_topic(writer.kafka, writer.topic, PARTITIONS) == []


async def test_a_topic_that_is_missing_is_told(kafka: KafkaServer, kafka_topic: str) -> None:
    writer = KafkaWriter(KafkaAt(kafka.bootstrap, timeout_s=2.0), kafka_topic)
    with pytest.raises((NotFound, Unreachable), match=kafka_topic):
        await writer.start()
