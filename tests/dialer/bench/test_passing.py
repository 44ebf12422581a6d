"""Memory is told at the start, at every quarter and at the end, of one process that does nothing else."""

from __future__ import annotations

import pytest

from cdr.kafka_at import KafkaAt
from dialer.bench.kafka import fill, own_topic, sample
from dialer.bench.passing import QUARTERS, What, pass_all, watch
from dialer.errors import DialerError
from tests.plugins.kafka import KafkaServer


@pytest.mark.component("chdb")
@pytest.mark.component("sqlite")
@pytest.mark.parametrize("what", ["projector", "insert"])
async def test_there_is_a_point_for_each_quarter(kafka: KafkaServer, what: What) -> None:
    at = KafkaAt(kafka.bootstrap)
    async with own_topic(at) as topic:
        await fill(at, topic, await sample(300), 600)
        points = await pass_all(what, at, topic, "", 600)
    assert len(points) == len(QUARTERS)
    assert all(point.rss > 30_000_000 and point.blocks > 100_000 for point in points)


@pytest.mark.component("kafka")
def test_a_process_that_fails_says_why() -> None:
    with pytest.raises(DialerError, match=r"the insert process failed: .*does not answer|bootstrap"):
        watch("insert", "127.0.0.1:1", "none", "", 10)
