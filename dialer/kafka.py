"""What the settings say about Kafka, for who connects to it; apart, since its client takes a while to load."""

from __future__ import annotations

import ssl
from typing import Any

from cdr.kafka_at import KafkaAt
from cdr.kafka_topics import TopicSettings
from dialer.config import Settings


def kafka_at(settings: Settings) -> KafkaAt:
    """Return where Kafka is and how it lets us in; only for settings that name one."""
    return KafkaAt(settings.kafka, security=_security(settings))


def _security(settings: Settings) -> dict[str, Any]:
    protocol = ("SASL_" if settings.kafka_user else "") + ("SSL" if settings.kafka_tls else "PLAINTEXT")
    security: dict[str, Any] = {"security_protocol": protocol}
    if settings.kafka_tls:
        security["ssl_context"] = ssl.create_default_context()
    if settings.kafka_user:
        security |= {
            "sasl_mechanism": settings.kafka_sasl,
            "sasl_plain_username": settings.kafka_user,
            "sasl_plain_password": settings.kafka_password,
        }
    return security


def topic_of(settings: Settings) -> TopicSettings:
    """Return what the topic must be; all but one of several replicas must have a record before it counts."""
    return TopicSettings(
        settings.kafka_topic,
        partitions=settings.kafka_partitions,
        replication_factor=settings.kafka_replication,
        min_insync_replicas=max(1, settings.kafka_replication - 1),
    )
