"""The bare work is the projector's own: the same ranges, cut alike."""

from __future__ import annotations

import pytest

from cdr.kafka_at import KafkaAt
from cdr.project import project
from cdr.projector import BATCH_ROWS
from dialer.bench.analytics import own_analytics
from dialer.bench.kafka import fill, own_topic, sample
from dialer.bench.projecting import blocks, consume_all, insert_all, project_all, projector, ranges
from tests.plugins.kafka import KafkaServer

EVENTS = 500
COUNTS = "SELECT log_partition, count(), max(log_offset) FROM call_events GROUP BY 1 ORDER BY 1"


@pytest.mark.component("sqlite")
async def test_ranges_hold_every_event_in_its_partition_and_none_is_too_long() -> None:
    rows = await sample(3_000)
    found = list(ranges(rows, 200_000))
    assert sum(map(len, found)) == 200_000
    assert max(map(len, found)) == BATCH_ROWS
    for partition in range(12):
        offsets = [one.offset for some in found for one in some if one.partition == partition]
        assert offsets == list(range(1, len(offsets) + 1))


@pytest.mark.component("sqlite")
async def test_blocks_are_the_projections_without_the_empty_ones() -> None:
    (records, *_) = ranges(await sample(EVENTS), EVENTS)
    made = blocks("t", records)
    assert {token for token, _ in made} == {f"t:{records[0].partition}:1-{len(records)}"}
    assert [block for _, block in made] == [block for block in project(records).blocks if block.count]


@pytest.mark.component("chdb")
@pytest.mark.component("sqlite")
async def test_projected_and_inserted_bare_the_tables_are_alike(kafka: KafkaServer) -> None:
    at, rows = KafkaAt(kafka.bootstrap), await sample(EVENTS)
    passed: list[int] = []
    async with own_topic(at) as topic:
        await fill(at, topic, rows, EVENTS)
        assert await consume_all(at, topic, EVENTS) > 0
        async with own_analytics("") as analytics, projector(at, topic, analytics) as working:
            assert await project_all(working, EVENTS, passed.append) > 0
            projected = [tuple(row) for row in await analytics.query(COUNTS, {})]
            with pytest.raises(RuntimeError, match="ended after 0 of 1 events"):
                await project_all(working, 1)
    assert passed == [EVENTS]
    async with own_analytics("") as analytics:
        for records in ranges(rows, EVENTS):
            await insert_all(analytics, blocks(topic, records))
        assert [tuple(row) for row in await analytics.query(COUNTS, {})] == projected
    assert sum(count for _, count, _ in projected) == EVENTS
