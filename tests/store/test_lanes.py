"""The relay's lanes in SQL: shared fairly, fenced by their epoch, and the outbox kept as long as it is needed."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.encode import OutboxEvent
from cdr.lanes import Batch, Lane
from dialer.errors import BadInput
from store import lanes as module
from store.lanes import SqlOutbox
from store.outbox import append
from tests.store.worlds import NOW

TOPIC = "t"
BATCH = Batch(last=9, count=3, producer_id=1 << 40, producer_epoch=2, sequence=5)


@pytest.fixture
async def outbox(engine: AsyncEngine) -> SqlOutbox:
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM relay_lanes"))
        await connection.execute(text("DELETE FROM relays"))
    return SqlOutbox(engine)


async def claim(outbox: SqlOutbox, owner: str, *, now: float = NOW, partitions: int = 4) -> list[Lane]:
    return list(await outbox.claim(owner, TOPIC, partitions, now=now, ttl_s=10.0))


def numbers(lanes: list[Lane]) -> list[int]:
    return [lane.partition for lane in lanes]


async def write(engine: AsyncEngine, count: int) -> None:
    async with engine.begin() as connection:
        events = [OutboxEvent(f"id-{number}", str(number), "call.ringing", b"v") for number in range(1, count + 1)]
        await connection.run_sync(append, events, now=NOW)


async def test_the_first_relay_gets_every_lane_from_the_beginning(outbox: SqlOutbox) -> None:
    assert await claim(outbox, "a") == [Lane(partition, 1, 0) for partition in range(4)]
    assert numbers(await claim(outbox, "a")) == [0, 1, 2, 3]


async def test_a_second_relay_gets_its_share_when_the_first_gives_it_up(outbox: SqlOutbox) -> None:
    await claim(outbox, "a")
    assert await claim(outbox, "b") == []
    assert numbers(await claim(outbox, "a")) == [2, 3]
    taken = await claim(outbox, "b")
    assert numbers(taken) == [0, 1]
    assert {lane.epoch for lane in taken} == {2}
    assert numbers(await claim(outbox, "a")) == [2, 3]


async def test_a_lane_with_a_batch_under_way_is_not_given_up(outbox: SqlOutbox) -> None:
    lanes = await claim(outbox, "a")
    await outbox.mark("a", TOPIC, [msgspec.structs.replace(lane, batch=BATCH) for lane in lanes[:3]])
    await claim(outbox, "b")
    assert numbers(await claim(outbox, "a")) == [0, 1, 2]
    assert numbers(await claim(outbox, "b")) == [3]


async def test_a_dead_relays_lanes_come_with_its_batch_when_its_time_is_over(outbox: SqlOutbox) -> None:
    (lane, *_) = await claim(outbox, "a")
    begun = msgspec.structs.replace(lane, position=6, batch=BATCH)
    assert await outbox.mark("a", TOPIC, [begun]) == frozenset()
    assert await claim(outbox, "b", now=NOW + 9) == []
    taken = await claim(outbox, "b", now=NOW + 20)
    assert taken[0] == msgspec.structs.replace(begun, epoch=2)
    assert len(taken) == 4


async def test_a_relay_that_lost_a_lane_cannot_write_to_it(outbox: SqlOutbox) -> None:
    before = await claim(outbox, "a")
    taken = await claim(outbox, "b", now=NOW + 20)
    stale = [msgspec.structs.replace(lane, position=100) for lane in before]
    assert await outbox.mark("a", TOPIC, stale) == {0, 1, 2, 3}
    assert await claim(outbox, "b", now=NOW + 21) == taken


async def test_resigning_gives_everything_back_at_once(outbox: SqlOutbox) -> None:
    await claim(outbox, "a")
    await outbox.resign("a", TOPIC)
    assert numbers(await claim(outbox, "b")) == [0, 1, 2, 3]


async def test_relays_that_start_at_once_get_each_lane_once(outbox: SqlOutbox, engine: AsyncEngine) -> None:
    others = [SqlOutbox(engine) for _ in range(4)]
    for _ in range(3):
        claims = (claim(one, f"r{number}", partitions=8) for number, one in enumerate(others))
        owned = await asyncio.gather(*claims)
    assert sorted(lane.partition for lanes in owned for lane in lanes) == list(range(8))
    assert [len(lanes) for lanes in owned] == [2, 2, 2, 2]


async def test_another_number_of_partitions_is_refused(outbox: SqlOutbox) -> None:
    await claim(outbox, "a")
    with pytest.raises(BadInput, match="has 5 partitions, the relay knows it with 4"):
        await claim(outbox, "a", partitions=5)


async def test_rows_are_read_in_order(outbox: SqlOutbox, engine: AsyncEngine) -> None:
    await write(engine, 5)
    rows = await outbox.read(after=1, limit=3)
    assert [(row.offset, row.key, row.event_id, row.value, row.created_at) for row in rows] == [
        (number, str(number), f"id-{number}", b"v", NOW) for number in (2, 3, 4)
    ]


async def test_pruning_takes_what_is_old_and_sent_everywhere_but_never_the_newest_row(
    outbox: SqlOutbox, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(engine, 10)
    lanes = await claim(outbox, "a")
    assert await outbox.prune(TOPIC, before=NOW + 1) == 0  # nothing is sent
    at = [msgspec.structs.replace(lane, position=10) for lane in lanes]
    await outbox.mark("a", TOPIC, [*at[:3], msgspec.structs.replace(at[3], position=6)])
    assert await outbox.prune(TOPIC, before=NOW) == 0  # nothing is old
    assert await outbox.prune(TOPIC, before=NOW + 1, keep_after=2) == 2
    monkeypatch.setattr(module, "PRUNE_ROWS", 3)
    assert [await outbox.prune(TOPIC, before=NOW + 1) for _ in range(3)] == [3, 1, 0]
    await outbox.mark("a", TOPIC, at)
    assert await outbox.prune(TOPIC, before=NOW + 1) == 3
    assert [row.offset for row in await outbox.read(after=0, limit=20)] == [10]


async def test_nothing_is_pruned_for_a_topic_that_was_never_relayed(outbox: SqlOutbox, engine: AsyncEngine) -> None:
    await write(engine, 3)
    assert await outbox.prune("other", before=NOW + 1) == 0


async def relayed(outbox: SqlOutbox, topic: str, position: int) -> None:
    lanes = await outbox.claim(f"relay of {topic}", topic, 2, now=NOW, ttl_s=10.0)
    await outbox.mark(f"relay of {topic}", topic, [msgspec.structs.replace(lane, position=position) for lane in lanes])


async def test_pruning_leaves_what_another_topic_has_not_got(outbox: SqlOutbox, engine: AsyncEngine) -> None:
    await write(engine, 10)
    await relayed(outbox, "quick", 10)
    await relayed(outbox, "slow", 4)
    assert await outbox.prune("quick", before=NOW + 1) == 4
    assert [row.offset for row in await outbox.read(after=4, limit=1)] == [5]
    await relayed(outbox, "slow", 10)
    assert await outbox.prune("slow", before=NOW + 1) == 5


async def test_a_new_topic_is_not_begun_with_the_rest_of_an_outbox(
    outbox: SqlOutbox, engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    await write(engine, 10)
    await relayed(outbox, "old", 10)
    await relayed(outbox, "beside", 0)  # the outbox is complete
    await relayed(outbox, "beside", 10)
    assert await outbox.prune("old", before=NOW + 1) == 9
    for _ in range(2):
        with pytest.raises(BadInput, match=r"but the outbox begins at 10 .*went to beside and old.*_TOPIC="):
            await relayed(outbox, "new", 0)
    await relayed(outbox, "old", 10)
    async with engine.begin() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM relay_lanes WHERE topic = 'new'"))).scalar() == 0
        await connection.execute(text("DELETE FROM relay_lanes"))  # a person accepts that it is gone
    await relayed(outbox, "new", 0)
    assert [getattr(record, "action", "") for record in caplog.records] == ["relay.incomplete"]


async def test_an_empty_outbox_is_complete(outbox: SqlOutbox) -> None:
    await relayed(outbox, "old", 0)
    await relayed(outbox, "new", 0)


async def test_a_topic_has_begun_when_something_was_sent_to_it(outbox: SqlOutbox) -> None:
    assert not await outbox.has_begun("new")
    await relayed(outbox, "new", 0)
    await relayed(outbox, "old", 3)
    assert not await outbox.has_begun("new")
    assert await outbox.has_begun("old")


async def test_what_waits_is_told_by_its_oldest_row(outbox: SqlOutbox, engine: AsyncEngine) -> None:
    assert await outbox.oldest_unsent(TOPIC) is None
    await write(engine, 3)
    async with engine.begin() as connection:
        await connection.execute(text('UPDATE outbox SET created_at = created_at + "offset"'))
    assert await outbox.oldest_unsent(TOPIC) == NOW + 1
    await relayed(outbox, "other", 3)
    first, second = await outbox.claim("a", TOPIC, 2, now=NOW, ttl_s=10.0)
    at = msgspec.structs.replace(first, position=3)
    await outbox.mark("a", TOPIC, [at, msgspec.structs.replace(second, position=1)])
    assert await outbox.oldest_unsent(TOPIC) == NOW + 2
    await relayed(outbox, "third", 3)
    await outbox.mark("a", TOPIC, [at, msgspec.structs.replace(second, position=3)])
    assert await outbox.oldest_unsent(TOPIC) is None
