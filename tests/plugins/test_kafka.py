from __future__ import annotations

import pytest
from aiokafka import AIOKafkaProducer

from cdr.kafka_at import KafkaAt
from cdr.kafka_topics import TopicSettings, ensure_topic
from dialer.errors import Unreachable
from tests.plugins.kafka import KafkaServer


async def write_one(kafka: KafkaServer, topic: str) -> int:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        return int((await producer.send_and_wait(topic, b"value")).offset)


async def test_the_broker_is_real_and_keeps_what_it_was_given(kafka: KafkaServer, kafka_topic: str) -> None:
    server = KafkaAt(kafka.bootstrap)
    await ensure_topic(server, TopicSettings(kafka_topic, partitions=1))
    assert await write_one(kafka, kafka_topic) == 0
    kafka.stop()
    with pytest.raises(Unreachable):
        await ensure_topic(KafkaAt(kafka.bootstrap, timeout_s=2), TopicSettings(kafka_topic, partitions=1))
    kafka.start()
    assert await write_one(kafka, kafka_topic) == 1


def test_each_test_gets_a_topic_of_its_own(kafka_topic: str) -> None:
    assert kafka_topic.startswith("cdr.events.")
