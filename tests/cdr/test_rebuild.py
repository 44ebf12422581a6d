from __future__ import annotations

import asyncio

import pytest

from cdr import rebuild as rebuilding
from cdr.clickhouse import Analytics
from cdr.fingerprint import fingerprint
from cdr.memory import MemoryEventLog, MemoryOffsetLedger
from cdr.projector import PROJECTION, FatalProjection, Projector
from cdr.rebuild import rebuild
from cdr.verify import verify
from dialer.errors import DialerError, ResourceBusy
from dialer.ports import LogRecord, OffsetRange, RangeFenced
from tests.cdr.samples import life, log_of


def mixed_log() -> MemoryEventLog:
    log = log_of(12, partitions=2)
    log.append("x", b"{broken", partition=1)
    return log


async def drain(projector: Projector) -> None:
    while await projector.run_once():
        pass


async def positions(log: MemoryEventLog, ledger: MemoryOffsetLedger) -> dict[int, int]:
    return {number: await ledger.position(PROJECTION, number) for number in await log.partitions()}


async def test_p8_dropped_and_projected_again_the_hash_is_the_same(analytics: Analytics) -> None:
    log, ledger = mixed_log(), MemoryOffsetLedger()
    await drain(Projector(log, ledger, analytics, batch_rows=13))
    before, reached = await fingerprint(analytics), await positions(log, ledger)
    seen: list[int] = []
    done = await rebuild(log, ledger, analytics, progress=seen.append, batch_rows=50)
    assert done.before == done.after == before == await fingerprint(analytics)
    assert done.records == sum(seen) == sum(reached.values()) == sum(map(len, log._records))
    assert await positions(log, ledger) == reached
    assert (await verify(analytics, reached)).ok


async def test_what_was_wrong_is_right_afterwards(analytics: Analytics) -> None:
    log, ledger = mixed_log(), MemoryOffsetLedger()
    await drain(Projector(log, ledger, analytics))
    whole = await fingerprint(analytics)
    await analytics.command("ALTER TABLE call_events DELETE WHERE log_offset % 3 = 0 SETTINGS mutations_sync = 1")
    await analytics.command("INSERT INTO calls SELECT * REPLACE ('gone' AS call_id) FROM calls LIMIT 1")
    done = await rebuild(log, ledger, analytics)
    assert done.before != done.after == whole
    assert (await verify(analytics, await positions(log, ledger))).ok


async def test_what_is_not_yet_projected_comes_after_it(analytics: Analytics) -> None:
    log, ledger = log_of(3), MemoryOffsetLedger()
    await drain(Projector(log, ledger, analytics))
    reached = await positions(log, ledger)
    log.extend((event.key, event.value) for event in life(4))
    done = await rebuild(log, ledger, analytics)
    assert done.before == done.after
    assert await positions(log, ledger) == reached
    await drain(Projector(log, ledger, analytics))
    assert (await fingerprint(analytics)).rows["calls"] == 4


async def test_a_projector_that_runs_meanwhile_waits_and_goes_on(analytics: Analytics) -> None:
    log, ledger = log_of(30), MemoryOffsetLedger()
    projector = Projector(log, ledger, analytics, batch_rows=40)
    waited = 0

    async def live() -> None:
        nonlocal waited
        for number in range(31, 61):
            log.extend((event.key, event.value) for event in life(number))
            try:
                await projector.run_once()
            except ResourceBusy:
                waited += 1
                assert projector.failure is not None
                assert "they are being rebuilt" in projector.failure
            await asyncio.sleep(0.01)

    await projector.run_once()
    _, done = await asyncio.gather(live(), rebuild(log, ledger, analytics, batch_rows=10))
    assert waited
    assert done.before == done.after
    await drain(projector)
    (part,) = (await verify(analytics, await positions(log, ledger))).partitions
    assert (part.ok, part.records, part.calls) == (True, len(log._records[0]), 60)


class _Cut(MemoryEventLog):
    """A log whose reading fails in the middle of a rebuild."""

    left = 1_000

    async def read(self, partition: int, *, after: int, limit: int, until: int | None = None) -> list[LogRecord]:
        type(self).left -= 1
        if not self.left:
            raise ConnectionError
        return list(await super().read(partition, after=after, limit=limit, until=until))


async def test_one_that_was_cut_off_keeps_projectors_waiting_until_it_is_done_again(analytics: Analytics) -> None:
    log, ledger = _Cut(), MemoryOffsetLedger()
    log.extend((event.key, event.value) for number in range(1, 13) for event in life(number))
    projector = Projector(log, ledger, analytics)
    await drain(projector)
    whole = await fingerprint(analytics)
    _Cut.left = 5
    with pytest.raises(ConnectionError):
        await rebuild(log, ledger, analytics, batch_rows=10)
    _Cut.left = 1_000
    assert await fingerprint(analytics) != whole
    with pytest.raises(ResourceBusy, match="run `dialer cdr rebuild` again to its end"):
        await projector.run_once()
    assert (await rebuild(log, ledger, analytics)).after == whole
    assert await projector.run_once() == 0


async def test_a_log_that_no_longer_begins_where_the_analytics_do_is_not_rebuilt_from(analytics: Analytics) -> None:
    log, ledger = log_of(6), MemoryOffsetLedger()
    await drain(Projector(log, ledger, analytics))
    whole = await fingerprint(analytics)

    class Shortened(MemoryEventLog):
        async def read(self, partition: int, *, after: int, limit: int, until: int | None = None) -> list[LogRecord]:
            return list(await log.read(partition, after=max(after, 10), limit=limit, until=until))

    with pytest.raises(
        DialerError, match=r"the log begins at 11 and the analytics reach from 1 to \d+: .*nothing was dropped"
    ):
        await rebuild(Shortened(), ledger, analytics)
    with pytest.raises(DialerError, match="the log is empty"):
        await rebuild(MemoryEventLog(), ledger, analytics)
    assert await fingerprint(analytics) == whole
    log.extend((event.key, event.value) for event in life(7))
    assert await Projector(log, ledger, analytics).run_once()  # the ledger is not held


async def test_what_a_dead_projector_had_begun_is_finished_first(analytics: Analytics) -> None:
    log, ledger = log_of(3), MemoryOffsetLedger()
    await ledger.begin(PROJECTION, OffsetRange(0, 1, 5))
    done = await rebuild(log, ledger, analytics)
    assert (done.records, done.before == done.after) == (5, True)
    assert (await ledger.position(PROJECTION, 0), await ledger.pending(PROJECTION, 0)) == (5, None)


async def test_a_pending_range_that_the_log_has_lost_is_said(analytics: Analytics) -> None:
    ledger = MemoryOffsetLedger()
    await ledger.begin(PROJECTION, OffsetRange(0, 1, 500))
    with pytest.raises(DialerError, match="no longer holds the pending range 1 to 500"):
        await rebuild(log_of(3), ledger, analytics)


async def test_projectors_without_a_pause_are_in_the_way(analytics: Analytics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "HOLD_WAIT_S", 0.0)

    class Busy(MemoryOffsetLedger):
        async def hold(self, projection: str, partition: int) -> None:
            raise RangeFenced

    with pytest.raises(ResourceBusy, match="stop them, or rebuild when less comes in"):
        await rebuild(log_of(3), Busy(), analytics)


async def test_dead_letters_past_the_bound_do_not_stop_it(analytics: Analytics) -> None:
    log, ledger = MemoryEventLog(), MemoryOffsetLedger()
    log.extend(("x", b"{") for _ in range(5))
    projector = Projector(log, ledger, analytics, dead_letters_max=5)
    await projector.run_once()
    log.append("x", b"{")
    with pytest.raises(FatalProjection):
        await projector.run_once()
    assert (await rebuild(log, ledger, analytics)).records == 6


async def test_a_log_without_partitions_drops_nothing(analytics: Analytics) -> None:
    log, ledger = mixed_log(), MemoryOffsetLedger()
    await drain(Projector(log, ledger, analytics))
    before = await fingerprint(analytics)
    with pytest.raises(DialerError, match="nothing was dropped"):
        await rebuild(MemoryEventLog(partitions=0), ledger, analytics)
    assert await fingerprint(analytics) == before


class _Moved:
    """What makes the ledger another log's (store.binding.begin_anew), and whether it was asked to."""

    def __init__(self, ledger: MemoryOffsetLedger) -> None:
        self.done = False
        self._ledger = ledger

    async def __call__(self) -> None:
        self.done = True
        for projection, partition in list(self._ledger._positions):
            await self._ledger.restart(projection, partition, position=0)
            await self._ledger.hold(projection, partition)


async def test_another_log_that_holds_less_drops_and_forgets_nothing_until_that_is_accepted(
    analytics: Analytics,
) -> None:
    old, ledger = mixed_log(), MemoryOffsetLedger()
    await drain(Projector(old, ledger, analytics))
    whole, reached, moved = await fingerprint(analytics), await positions(old, ledger), _Moved(ledger)
    new, made_from = log_of(2), sum(reached.values())
    holds = len(new._records[0])
    said = rf"holds {holds} records, the analytics were made from {made_from}: .*nothing was dropped.*lag is 0"
    with pytest.raises(DialerError, match=rf"{said}.*set the log that they were made from.*--lose-older"):
        await rebuild(new, ledger, analytics, anew=moved)
    assert (await fingerprint(analytics), await positions(old, ledger), moved.done) == (whole, reached, False)
    assert await Projector(old, ledger, analytics).run_once() == 0, "the old log can be gone back to"

    done = await rebuild(new, ledger, analytics, anew=moved, lose_older=True)
    assert (done.before, done.after.rows["calls"]) == (whole, 0)
    await drain(Projector(new, ledger, analytics))
    assert (await fingerprint(analytics)).rows["calls"] == 2
    assert (await verify(analytics, {0: holds})).ok


async def test_another_log_with_all_records_begins_at_its_start(analytics: Analytics) -> None:
    old, ledger = log_of(6, partitions=2), MemoryOffsetLedger()
    await drain(Projector(old, ledger, analytics))
    new = log_of(6)
    await rebuild(new, ledger, analytics, anew=_Moved(ledger))
    await drain(Projector(new, ledger, analytics))
    assert (await fingerprint(analytics)).rows["calls"] == 6
    assert (await verify(analytics, await positions(new, ledger))).ok


class _Late(MemoryEventLog):
    """A log that has dropped its first records."""

    async def extent(self, partition: int) -> tuple[int, int]:
        _, last = await super().extent(partition)
        return 11, last


@pytest.mark.parametrize("forgotten", [False, True], ids=["another log", "no position"])
async def test_a_log_without_its_beginning_takes_no_other_ones_place(analytics: Analytics, forgotten: bool) -> None:
    old, ledger = log_of(3), MemoryOffsetLedger()
    await drain(Projector(old, ledger, analytics))
    whole, late = await fingerprint(analytics), _Late()
    late.extend((event.key, event.value) for number in range(3, 30) for event in life(number))
    moved = _Moved(ledger)
    with pytest.raises(DialerError, match=r"records and begins at 11, the analytics were made from \d+"):
        await rebuild(late, MemoryOffsetLedger() if forgotten else ledger, analytics, anew=None if forgotten else moved)
    assert await fingerprint(analytics) == whole


async def test_calls_outlive_the_raw_events_that_they_are_counted_by(analytics: Analytics) -> None:
    ledger = MemoryOffsetLedger()
    await drain(Projector(log_of(3), ledger, analytics))
    for table in ("call_events", "dead_letters"):
        await analytics.command(f"TRUNCATE TABLE {table}")
    with pytest.raises(DialerError, match="holds 0 records, the analytics were made from 3"):
        await rebuild(MemoryEventLog(), ledger, analytics, anew=_Moved(ledger))


async def test_one_that_was_cut_off_on_its_way_to_another_log_keeps_the_old_logs_projector_waiting(
    analytics: Analytics,
) -> None:
    old, new, ledger = log_of(3), log_of(3), MemoryOffsetLedger()
    await drain(Projector(old, ledger, analytics))

    class Cut(Exception):
        pass

    class CutOff(_Moved):
        async def __call__(self) -> None:
            await super().__call__()
            raise Cut

    with pytest.raises(Cut):
        await rebuild(new, ledger, analytics, anew=CutOff(ledger))
    with pytest.raises(ResourceBusy, match="run `dialer cdr rebuild` again to its end"):
        await Projector(old, ledger, analytics).run_once()
    await rebuild(new, ledger, analytics, anew=_Moved(ledger))
    await drain(Projector(new, ledger, analytics))
    assert (await verify(analytics, await positions(new, ledger))).ok
