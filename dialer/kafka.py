"""What the settings say about Kafka, for who connects to it; apart, since its client takes a while to load."""

from __future__ import annotations

from cdr.kafka_at import KafkaAt
from cdr.kafka_topics import TopicSettings
from dialer.config import Settings


def kafka_at(settings: Settings) -> KafkaAt:
    """Return where Kafka is; only for settings that name one."""
    return KafkaAt(settings.kafka)


def topic_of(settings: Settings) -> TopicSettings:
    """Return what the topic must be; all but one of several replicas must have a record before it counts."""
    return TopicSettings(
        settings.kafka_topic,
        partitions=settings.kafka_partitions,
        replication_factor=settings.kafka_replication,
        min_insync_replicas=max(1, settings.kafka_replication - 1),
    )
