from __future__ import annotations

import asyncio

import msgspec
import pytest

from cdr.kafka_at import KafkaAt
from cdr.kafka_topics import TopicSettings, cluster_id, ensure_topic
from dialer.errors import BadInput, NotFound, Unreachable
from tests.plugins.kafka import KafkaServer


async def test_a_topic_is_made_once_whoever_comes_first(kafka: KafkaServer, kafka_topic: str) -> None:
    at, wanted = KafkaAt(kafka.bootstrap), TopicSettings(kafka_topic, partitions=3)
    await asyncio.gather(*(ensure_topic(at, wanted) for _ in range(3)))
    await ensure_topic(at, wanted, create=False)


async def test_a_wrong_number_of_partitions_is_told(kafka: KafkaServer, kafka_topic: str) -> None:
    at = KafkaAt(kafka.bootstrap)
    await ensure_topic(at, TopicSettings(kafka_topic, partitions=3))
    with pytest.raises(BadInput, match=r"has 3 partitions, the settings say 4; set 3, or name a new topic"):
        await ensure_topic(at, TopicSettings(kafka_topic, partitions=4))


async def test_settings_that_would_lose_records_are_told_with_the_command_that_mends_them(
    kafka: KafkaServer, kafka_topic: str
) -> None:
    at, wanted = KafkaAt(kafka.bootstrap), TopicSettings(kafka_topic, partitions=1)
    await ensure_topic(at, msgspec.structs.replace(wanted, retention_ms=60_000, max_message_bytes=1000))
    with pytest.raises(
        BadInput, match=r"has retention.ms=60000, max.message.bytes=1000; run `kafka-configs.sh"
    ) as told:
        await ensure_topic(at, wanted)
    assert "--add-config retention.ms=-1,max.message.bytes=16777216`" in str(told.value)


async def test_a_cluster_has_an_id_that_stays(kafka: KafkaServer) -> None:
    at = KafkaAt(kafka.bootstrap)
    first = await cluster_id(at)
    kafka.stop()
    with pytest.raises(Unreachable, match=r"asking for the cluster's id: .* does not answer"):
        await cluster_id(KafkaAt(kafka.bootstrap, timeout_s=1.0))
    kafka.start()
    assert len(first) == len("MkU3OEVBNTcwNTJENDM2Qg")
    assert await cluster_id(at) == first


async def test_a_missing_topic_is_told_where_it_must_not_be_made(kafka: KafkaServer, kafka_topic: str) -> None:
    with pytest.raises(NotFound, match=rf"no topic {kafka_topic}; let `dialer relay` make it"):
        await ensure_topic(KafkaAt(kafka.bootstrap), TopicSettings(kafka_topic), create=False)


async def test_more_replicas_than_brokers_are_told(kafka: KafkaServer, kafka_topic: str) -> None:
    with pytest.raises(BadInput, match=r"cannot have 99 replicas.*Start more brokers, or set fewer replicas"):
        await ensure_topic(KafkaAt(kafka.bootstrap), TopicSettings(kafka_topic, replication_factor=99))


async def test_a_name_that_kafka_refuses_is_told(kafka: KafkaServer) -> None:
    with pytest.raises(BadInput, match=r"the topic no/slash: Kafka at .* refuses it \(InvalidTopicError\)"):
        await ensure_topic(KafkaAt(kafka.bootstrap), TopicSettings("no/slash"))


async def test_a_broker_that_is_away_is_told_in_time() -> None:
    async with asyncio.timeout(10):
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1 does not answer .*check that it runs"):
            await ensure_topic(KafkaAt("127.0.0.1:1", timeout_s=1.0), TopicSettings())


def test_secrets_are_given_to_the_client_and_never_shown() -> None:
    at = KafkaAt("b:1", security={"sasl_plain_password": "s3cret"})
    assert at.options()["sasl_plain_password"] == "s3cret"
    assert "s3cret" not in repr(at)
