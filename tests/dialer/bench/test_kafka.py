"""What is sent to measure with is what the store writes, as often as was asked, and nothing is left over."""

from __future__ import annotations

from collections import Counter

import pytest

from cdr.events import decode
from cdr.kafka_at import KafkaAt
from dialer.bench.kafka import PARTITIONS, fill, laps, own_topic, sample
from tests.cdr.relay_world import read_topic
from tests.dialer.bench.kafka_topics import bench_topics, topics_left
from tests.plugins.kafka import KafkaServer


@pytest.mark.component("sqlite")
async def test_a_sample_has_every_step_of_a_call() -> None:
    rows = await sample(900)
    assert len(rows) == len({row.event_id for row in rows}) == 900
    kinds = Counter(decode(row.value).event.type for row in rows)
    assert {"call.initiated", "call.answered", "cdr.finalized", "disposition.set", "lead.state_changed"} <= set(kinds)


def test_laps_end_with_a_part_of_the_rows() -> None:
    assert [len(lap) for lap in laps(range(4), 10)] == [4, 4, 2]  # type: ignore[arg-type]


@pytest.mark.component("sqlite")
async def test_a_topic_is_filled_with_the_rows_again_and_again(kafka: KafkaServer) -> None:
    at, rows = KafkaAt(kafka.bootstrap), await sample(150)
    async with own_topic(at) as topic:
        await fill(at, topic, rows, 400)
        found = Counter(one.event_id for one in await read_topic(at, topic, PARTITIONS))
    assert found.total() == 400
    assert [found[row.event_id] for row in rows] == [3] * 100 + [2] * 50


async def test_a_topic_is_deleted_after_a_failure_too(kafka: KafkaServer) -> None:
    async def fail() -> None:
        async with own_topic(KafkaAt(kafka.bootstrap)) as topic:
            assert topic in await bench_topics(kafka)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await topics_left(kafka) == []
