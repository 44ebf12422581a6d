"""What the settings say about Kafka, for who connects to it; apart, since its client takes a while to load."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from cdr.kafka_at import KafkaAt
from cdr.kafka_topics import TopicSettings, cluster_id, ensure_topic
from dialer.config import Settings
from dialer.errors import NotFound


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


async def log_name(settings: Settings) -> str:
    """Return what tells the event log from any other; raises Unreachable while Kafka, whose id is in it, is away."""
    if not settings.kafka:
        return "the outbox"
    return f"Kafka's topic {settings.kafka_topic} of cluster {await cluster_id(kafka_at(settings))}"


async def prepare_topic(settings: Settings, has_begun: Callable[[str], Awaitable[bool]]) -> None:
    """Make the topic the first time, and check that it is what is wanted; one that `has_begun` is never made anew.

    Raises NotFound when it is gone, for the database does not hold for ever what was in it; else as `ensure_topic`.
    """
    begun = await has_begun(settings.kafka_topic)
    try:
        await ensure_topic(kafka_at(settings), topic_of(settings), create=not begun)
    except NotFound as error:
        raise NotFound(
            f"Kafka at {settings.kafka} has no topic {settings.kafka_topic}, but the relay has sent events to it: a "
            "topic made anew would be without them; restore it, or set another topic (DIALER_KAFKA_TOPIC)"
        ) from error
