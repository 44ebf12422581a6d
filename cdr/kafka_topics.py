"""The topics of the pipeline: made with explicit settings, and checked: a wrong one loses records in silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    InvalidReplicationFactorError,
    KafkaTimeoutError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from cdr.kafka_at import TOPIC, KafkaAt, unbroken
from dialer.errors import BadInput, NotFound

MAX_MESSAGE_BYTES: Final = 16 << 20
"""Far above what the decoder takes: a monster becomes a dead letter instead of stopping the line."""
FOR_EVER: Final = -1
_SETTLE_S: Final = 0.1
_SETTLE_TRIES: Final = 100


class TopicSettings(msgspec.Struct, frozen=True):
    """What a topic must be; the number of partitions never changes, because keys would move between them."""

    name: str = TOPIC
    partitions: int = 12
    replication_factor: int = 1
    min_insync_replicas: int = 1
    """Production: replication factor 3, 2 in sync."""
    retention_ms: int = FOR_EVER
    """The log is the source of truth: what it drops, ClickHouse can never be rebuilt from."""
    max_message_bytes: int = MAX_MESSAGE_BYTES
    compression: str = "producer"

    def configs(self) -> dict[str, str]:
        """Return the settings by Kafka's names; the broker stamps records, so no clock of ours can be refused."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": str(FOR_EVER),
            "min.insync.replicas": str(self.min_insync_replicas),
            "max.message.bytes": str(self.max_message_bytes),
            "compression.type": self.compression,
            "message.timestamp.type": "LogAppendTime",
            "unclean.leader.election.enable": "false",
        }


async def ensure_topic(kafka: KafkaAt, wanted: TopicSettings, *, create: bool = True) -> None:
    """Make the topic if there is none, and check that it is what is wanted.

    Raises Unreachable when no broker answers, NotFound for a missing topic without `create`, and BadInput for one with
    other partitions or settings, or with more replicas than there are brokers.
    """

    async def ensure() -> None:
        async with _asked(kafka, f"preparing the topic {wanted.name}") as admin:
            await _ensure(kafka, admin, wanted, create=create)

    await unbroken(ensure())


async def partitions_of(kafka: KafkaAt, topic: str) -> int:
    """Return how many partitions a topic has; raises Unreachable, or NotFound for a missing topic."""

    async def count() -> int | None:
        async with _asked(kafka, f"looking at the topic {topic}") as admin:
            return await _partitions(admin, topic)

    found = await unbroken(count())
    if found is None:
        raise _missing(kafka, topic)
    return found


async def cluster_id(kafka: KafkaAt) -> str:
    """Return what Kafka calls its cluster, the same for its lifetime and no other's; raises Unreachable."""

    async def ask() -> str:
        async with _asked(kafka, "asking for the cluster's id") as admin:
            return str((await admin.describe_cluster())["cluster_id"])

    return await unbroken(ask())


@asynccontextmanager
async def _asked(kafka: KafkaAt, doing: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """Give a client that asks the cluster, within two time limits."""
    admin = AIOKafkaAdminClient(**kafka.options())
    try:
        with kafka.explained(doing):
            async with asyncio.timeout(2 * kafka.timeout_s):
                await admin.start()
                yield admin
    finally:
        await admin.close()


def _missing(kafka: KafkaAt, topic: str) -> NotFound:
    return NotFound(f"Kafka at {kafka.bootstrap} has no topic {topic}; let `dialer relay` make it, or name another")


async def _ensure(kafka: KafkaAt, admin: AIOKafkaAdminClient, wanted: TopicSettings, *, create: bool) -> None:
    found = await _partitions(admin, wanted.name)
    if found is None:
        if not create:
            raise _missing(kafka, wanted.name)
        await _create(kafka, admin, wanted)
        found = await _settled(admin, wanted.name)
    if found != wanted.partitions:
        raise BadInput(
            f"the topic {wanted.name} at {kafka.bootstrap} has {found} partitions, the settings say "
            f"{wanted.partitions}; set {found}, or name a new topic: with another number, events of one lead would "
            "change partition and lose their order"
        )
    await _check_configs(kafka, admin, wanted)


async def _settled(admin: AIOKafkaAdminClient, topic: str) -> int:
    """Wait until the brokers know the new topic, a little later than the controller."""
    for _ in range(_SETTLE_TRIES):
        if found := await _partitions(admin, topic):
            return found
        await asyncio.sleep(_SETTLE_S)
    raise KafkaTimeoutError(topic)


async def _partitions(admin: AIOKafkaAdminClient, topic: str) -> int | None:
    """Count the partitions; None for a topic that is not there, or not yet ready."""
    described: Any
    for described in await admin.describe_topics([topic]):
        error = for_code(described["error_code"])
        if error is UnknownTopicOrPartitionError or any(one["leader"] < 0 for one in described["partitions"]):
            return None
        if described["error_code"]:
            raise error(topic)
        return len(described["partitions"])
    return None


async def _create(kafka: KafkaAt, admin: AIOKafkaAdminClient, wanted: TopicSettings) -> None:
    topic = NewTopic(wanted.name, wanted.partitions, wanted.replication_factor, topic_configs=wanted.configs())
    made = await admin.create_topics([topic])
    ((_, code, message),) = made.topic_errors
    error = for_code(code)
    if error is InvalidReplicationFactorError:
        raise BadInput(
            f"the topic {wanted.name} cannot have {wanted.replication_factor} replicas at {kafka.bootstrap}: {message} "
            "Start more brokers, or set fewer replicas"
        )
    if code and error is not TopicAlreadyExistsError:  # another process was quicker
        raise BadInput(f"Kafka at {kafka.bootstrap} refuses the topic {wanted.name}: {message or error.__name__}")


async def _check_configs(kafka: KafkaAt, admin: AIOKafkaAdminClient, wanted: TopicSettings) -> None:
    configs = wanted.configs()
    resource = ConfigResource(ConfigResourceType.TOPIC, wanted.name, configs=configs)
    found: dict[str, str] = {}
    for response in await admin.describe_configs([resource]):
        for _code, _message, _kind, _name, entries in response.resources:
            found.update((entry[0], entry[1]) for entry in entries)
    wrong = {name: value for name, value in configs.items() if found.get(name) != value}
    if wrong:
        seen = ", ".join(f"{name}={found.get(name)}" for name in wrong)
        fix = ",".join(f"{name}={value}" for name, value in wrong.items())
        raise BadInput(
            f"the topic {wanted.name} at {kafka.bootstrap} has {seen}; run `kafka-configs.sh --bootstrap-server "
            f"{kafka.bootstrap} --alter --entity-type topics --entity-name {wanted.name} --add-config {fix}`, or "
            "change the settings"
        )
