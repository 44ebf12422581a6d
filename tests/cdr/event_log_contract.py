"""What every EventLog and OffsetLedger keeps, whatever holds it: one body of tests for memory and for databases.

A test module inherits these classes and gives the fixtures `event_log` (with `append`, an async function that adds
values and commits) and `ledger`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest

from dialer.ports import EventLog, OffsetLedger, OffsetRange, RangeFenced

Append = Callable[[Sequence[bytes]], Awaitable[None]]


class EventLogContract:
    """Reading the log."""

    async def test_an_empty_log_has_nothing_to_read(self, event_log: EventLog) -> None:
        (partition,) = await event_log.partitions()
        assert list(await event_log.read(partition, after=0, limit=10)) == []

    async def test_records_come_in_order_with_offsets_from_1_without_gaps(
        self, event_log: EventLog, append: Append
    ) -> None:
        await append([b"a", b"b"])
        await append([b"c"])
        (partition,) = await event_log.partitions()
        found = await event_log.read(partition, after=0, limit=10)
        assert [(record.offset, record.value) for record in found] == [(1, b"a"), (2, b"b"), (3, b"c")]
        assert {record.partition for record in found} == {partition}

    async def test_reading_goes_on_after_an_offset_and_stops_at_the_limit(
        self, event_log: EventLog, append: Append
    ) -> None:
        await append([b"%d" % number for number in range(1, 8)])
        (partition,) = await event_log.partitions()
        assert [one.offset for one in await event_log.read(partition, after=2, limit=3)] == [3, 4, 5]
        assert [one.offset for one in await event_log.read(partition, after=5, limit=10)] == [6, 7]
        assert list(await event_log.read(partition, after=7, limit=10)) == []

    async def test_a_range_is_read_again_exactly(self, event_log: EventLog, append: Append) -> None:
        await append([b"%d" % number for number in range(1, 8)])
        (partition,) = await event_log.partitions()
        found = await event_log.read(partition, after=2, limit=100, until=5)
        assert [one.value for one in found] == [b"3", b"4", b"5"]

    async def test_its_extent_is_what_it_holds_now(self, event_log: EventLog, append: Append) -> None:
        (partition,) = await event_log.partitions()
        assert await event_log.extent(partition) == (0, 0)
        await append([b"a"])
        assert await event_log.extent(partition) == (1, 1)
        await append([b"b", b"c"])
        assert await event_log.extent(partition) == (1, 3)

    async def test_the_log_has_a_name(self, event_log: EventLog) -> None:
        assert event_log.topic


class OffsetLedgerContract:
    """Remembering ranges."""

    async def test_at_the_start_nothing_is_done_or_pending(self, ledger: OffsetLedger) -> None:
        assert await ledger.position("p", 0) == 0
        assert await ledger.pending("p", 0) is None

    async def test_a_range_that_was_begun_is_pending_until_it_is_confirmed(self, ledger: OffsetLedger) -> None:
        span = OffsetRange(0, 1, 5)
        await ledger.begin("p", span)
        assert await ledger.pending("p", 0) == span
        assert await ledger.position("p", 0) == 0
        await ledger.confirm("p", span)
        assert await ledger.pending("p", 0) is None
        assert await ledger.position("p", 0) == 5

    async def test_ranges_follow_each_other(self, ledger: OffsetLedger) -> None:
        for first, last in ((1, 5), (6, 6), (7, 20)):
            await ledger.begin("p", OffsetRange(0, first, last))
            await ledger.confirm("p", OffsetRange(0, first, last))
        assert await ledger.position("p", 0) == 20

    async def test_confirming_twice_changes_nothing(self, ledger: OffsetLedger) -> None:
        span = OffsetRange(0, 1, 5)
        await ledger.begin("p", span)
        await ledger.confirm("p", span)
        await ledger.confirm("p", span)
        assert (await ledger.position("p", 0), await ledger.pending("p", 0)) == (5, None)

    async def test_projections_and_partitions_do_not_mix(self, ledger: OffsetLedger) -> None:
        await ledger.begin("p", OffsetRange(0, 1, 5))
        await ledger.begin("p", OffsetRange(1, 1, 7))
        await ledger.confirm("p", OffsetRange(1, 1, 7))
        assert await ledger.pending("p", 0) == OffsetRange(0, 1, 5)
        assert (await ledger.position("p", 0), await ledger.position("p", 1), await ledger.position("q", 1)) == (
            0,
            7,
            0,
        )
        assert await ledger.pending("q", 0) is None

    async def test_a_range_that_another_one_has_begun_differently_is_refused(self, ledger: OffsetLedger) -> None:
        await ledger.begin("p", OffsetRange(0, 1, 5))
        with pytest.raises(RangeFenced):
            await ledger.begin("p", OffsetRange(0, 1, 8))
        await ledger.begin("p", OffsetRange(0, 1, 5))  # the same range is the same insert
        assert await ledger.pending("p", 0) == OffsetRange(0, 1, 5)

    async def test_a_range_before_the_position_is_refused(self, ledger: OffsetLedger) -> None:
        await ledger.begin("p", OffsetRange(0, 1, 5))
        await ledger.confirm("p", OffsetRange(0, 1, 5))
        for span in (OffsetRange(0, 1, 5), OffsetRange(0, 4, 9)):
            with pytest.raises(RangeFenced):
                await ledger.begin("p", span)
        assert (await ledger.position("p", 0), await ledger.pending("p", 0)) == (5, None)

    async def test_what_was_not_begun_cannot_be_confirmed(self, ledger: OffsetLedger) -> None:
        with pytest.raises(RangeFenced):
            await ledger.confirm("p", OffsetRange(0, 1, 5))
        await ledger.begin("p", OffsetRange(0, 1, 5))
        with pytest.raises(RangeFenced):
            await ledger.confirm("p", OffsetRange(0, 1, 8))
        assert (await ledger.position("p", 0), await ledger.pending("p", 0)) == (0, OffsetRange(0, 1, 5))

    async def test_while_it_is_held_nothing_is_begun(self, ledger: OffsetLedger) -> None:
        await ledger.begin("p", OffsetRange(0, 1, 5))
        with pytest.raises(RangeFenced):
            await ledger.hold("p", 0)
        await ledger.confirm("p", OffsetRange(0, 1, 5))
        await ledger.hold("p", 0)
        await ledger.hold("p", 0)
        pending = await ledger.pending("p", 0)
        assert pending is not None
        assert pending.is_hold
        with pytest.raises(RangeFenced):
            await ledger.begin("p", OffsetRange(0, 6, 9))
        assert await ledger.position("p", 0) == 5
        await ledger.restart("p", 0, position=2)
        assert (await ledger.position("p", 0), await ledger.pending("p", 0)) == (2, None)
        await ledger.begin("p", OffsetRange(0, 3, 9))

    async def test_a_partition_that_nobody_began_can_be_held(self, ledger: OffsetLedger) -> None:
        await ledger.hold("p", 3)
        with pytest.raises(RangeFenced):
            await ledger.begin("p", OffsetRange(3, 1, 2))
