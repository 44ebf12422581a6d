"""What the settings say about Kafka."""

from __future__ import annotations

import pytest

from dialer.config import Settings
from dialer.kafka import kafka_at, topic_of


def test_where_it_is() -> None:
    assert kafka_at(Settings(kafka="a:9092,b:9092")).bootstrap == "a:9092,b:9092"


@pytest.mark.parametrize(("replicas", "in_sync"), [(1, 1), (2, 1), (3, 2), (5, 4)])
def test_one_replica_may_be_away(replicas: int, in_sync: int) -> None:
    topic = topic_of(Settings(kafka_topic="calls", kafka_partitions=12, kafka_replication=replicas))
    assert (topic.name, topic.partitions, topic.replication_factor) == ("calls", 12, replicas)
    assert topic.min_insync_replicas == in_sync
