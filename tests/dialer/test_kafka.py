"""What the settings say about Kafka, and a broker that wants a password."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from cdr.kafka_at import KafkaAt
from cdr.kafka_log import KafkaLog
from cdr.kafka_topics import cluster_id, ensure_topic, partitions_of
from cdr.kafka_writer import KafkaWriter
from dialer.config import Settings
from dialer.errors import BadInput, NotFound, Unreachable
from dialer.kafka import kafka_at, log_name, prepare_topic, topic_of
from tests.plugins.kafka import KafkaServer


def test_where_it_is() -> None:
    assert kafka_at(Settings(kafka="a:9092,b:9092")).bootstrap == "a:9092,b:9092"


def test_how_it_lets_us_in() -> None:
    assert kafka_at(Settings(kafka="a:9092")).security == {"security_protocol": "PLAINTEXT"}
    tls = kafka_at(Settings(kafka="a:9092", kafka_tls=True)).security
    assert tls["security_protocol"] == "SSL"
    assert tls["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    both = kafka_at(Settings(kafka="a:9092", kafka_tls=True, kafka_user="me", kafka_password="x")).security
    assert (both["security_protocol"], both["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")


@pytest.mark.component("kafka")
async def test_a_broker_that_wants_a_password(kafka: KafkaServer, kafka_topic: str) -> None:
    door = kafka.guarded
    told: dict[str, Any] = {"kafka": door.bootstrap, "kafka_user": door.user, "kafka_sasl": "PLAIN"}
    told["kafka_topic"] = kafka_topic
    settings = Settings(**told, kafka_password=door.password)
    await ensure_topic(kafka_at(settings), topic_of(settings))
    log, writer = KafkaLog(kafka_at(settings), kafka_topic, group=None), KafkaWriter(kafka_at(settings), kafka_topic)
    await log.start()
    assert len(await log.partitions()) == await writer.start() == settings.kafka_partitions
    await log.close()
    await writer.close()
    for wrong in (Settings(**told, kafka_password="guess"), Settings(kafka=door.bootstrap)):
        with pytest.raises((BadInput, Unreachable), match=door.bootstrap) as caught:
            await ensure_topic(
                KafkaAt(door.bootstrap, timeout_s=2.0, security=kafka_at(wrong).security), topic_of(wrong)
            )
        assert "guess" not in str(caught.value)


@pytest.mark.parametrize(("replicas", "in_sync"), [(1, 1), (2, 1), (3, 2), (5, 4)])
def test_one_replica_may_be_away(replicas: int, in_sync: int) -> None:
    topic = topic_of(Settings(kafka_topic="calls", kafka_partitions=12, kafka_replication=replicas))
    assert (topic.name, topic.partitions, topic.replication_factor) == ("calls", 12, replicas)
    assert topic.min_insync_replicas == in_sync


@pytest.mark.component("kafka")
async def test_a_log_is_named_by_its_topic_and_its_cluster(kafka: KafkaServer) -> None:
    settings = Settings(kafka=kafka.bootstrap, kafka_topic="calls")
    assert await log_name(settings) == f"Kafka's topic calls of cluster {await cluster_id(kafka_at(settings))}"
    assert await log_name(Settings()) == "the outbox"


@pytest.mark.component("kafka")
async def test_a_topic_is_made_the_first_time_and_never_anew(kafka: KafkaServer, kafka_topic: str) -> None:
    settings = Settings(kafka=kafka.bootstrap, kafka_topic=kafka_topic, kafka_partitions=2)
    begun: set[str] = set()

    async def has_begun(topic: str) -> bool:
        return topic in begun

    begun.add(kafka_topic)
    with pytest.raises(NotFound, match=rf"no topic {kafka_topic}, but the relay has sent.*restore it, or set another"):
        await prepare_topic(settings, has_begun)
    with pytest.raises(NotFound):
        await partitions_of(kafka_at(settings), kafka_topic)
    begun.clear()
    await prepare_topic(settings, has_begun)
    begun.add(kafka_topic)
    await prepare_topic(settings, has_begun)
    assert await partitions_of(kafka_at(settings), kafka_topic) == 2
