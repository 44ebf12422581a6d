from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import pytest

from cdr.clickhouse import Analytics, open_chdb
from cdr.memory import MemoryEventLog, MemoryOffsetLedger
from cdr.project import Rows
from cdr.projector import POINTS, PROJECTION, RANGE_BYTES, FatalProjection, Projector
from cdr.queries import CdrQueries
from cdr.verify import verify
from dialer.ports import OffsetRange
from tests.cdr.conftest import OpenAnalytics
from tests.cdr.samples import START, life, log_of, phone

CALLS = 12
BATCH = 32


class Crash(Exception):
    """The process dies here."""


def crash_at(point: str, occurrence: int) -> Callable[[str], None]:
    passed = 0

    def fault(name: str) -> None:
        nonlocal passed
        passed += name == point
        if name == point and passed == occurrence:
            raise Crash

    return fault


async def tables(analytics: Analytics) -> dict[str, Any]:
    """Return everything that is stored, by table."""
    return {
        "call_events": list(await analytics.query("SELECT * FROM call_events ORDER BY log_partition, log_offset", {})),
        "calls": list(await analytics.query("SELECT * FROM calls FINAL ORDER BY call_id", {})),
        "lead_status": list(await analytics.query("SELECT * FROM lead_status FINAL ORDER BY lead_id", {})),
        "dead_letters": list(await analytics.query("SELECT * FROM dead_letters ORDER BY log_offset", {})),
    }


def mixed_log() -> MemoryEventLog:
    log = log_of(CALLS)
    log.append("x", b"{broken")
    log.extend((event.key, event.value) for event in life(CALLS + 1))
    return log


async def drain(projector: Projector) -> int:
    total = 0
    while rows := await projector.run_once():
        total += rows
    return total


async def test_the_log_is_projected_whole(analytics: Analytics) -> None:
    log = mixed_log()
    size = len(await log.read(0, after=0, limit=10_000))
    ledger = MemoryOffsetLedger()
    assert await drain(Projector(log, ledger, analytics, batch_rows=BATCH)) == size
    stored = await tables(analytics)
    places = [(row[0], row[1]) for name in ("call_events", "dead_letters") for row in stored[name]]
    assert sorted(places) == [(0, offset) for offset in range(1, size + 1)]
    assert len(stored["calls"]) == len(stored["lead_status"]) == CALLS + 1
    assert len(stored["dead_letters"]) == 1
    assert await ledger.position(PROJECTION, 0) == size


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Project the log without a crash; made before any test holds a folder."""

    async def project_all() -> dict[str, Any]:
        analytics = await open_chdb(tmp_path_factory.mktemp("undisturbed") / "a")
        await drain(Projector(mixed_log(), MemoryOffsetLedger(), analytics, batch_rows=BATCH))
        stored = await tables(analytics)
        await analytics.close()
        return stored

    return asyncio.run(project_all())


@pytest.mark.parametrize("point", POINTS)
async def test_a_crash_at_every_passing_of_a_point_loses_and_doubles_nothing(
    undisturbed: dict[str, Any], point: str, reopen: OpenAnalytics
) -> None:
    log, ledger = mixed_log(), MemoryOffsetLedger()
    crashes = 0
    while True:
        analytics = await reopen()  # anew as after a restart
        try:
            await drain(Projector(log, ledger, analytics, batch_rows=BATCH, fault=crash_at(point, 1)))
            assert await tables(analytics) == undisturbed
            break
        except Crash:
            crashes += 1
            if point == "range.begun":
                # A range that was begun is replayed without passing this point again.
                await Projector(log, ledger, analytics, batch_rows=BATCH).run_once()
            elif point != "range.confirmed":
                # The replay passes the point again: the second time it must get through.
                with pytest.raises(Crash):
                    await Projector(log, ledger, analytics, batch_rows=BATCH, fault=crash_at(point, 1)).run_once()
                await Projector(log, ledger, analytics, batch_rows=BATCH).run_once()
        finally:
            await analytics.close()
    assert crashes >= 3


async def test_a_pending_range_is_replayed_with_its_own_boundaries_though_more_has_come(analytics: Analytics) -> None:
    log, ledger = log_of(2), MemoryOffsetLedger()
    size = len(await log.read(0, after=0, limit=1_000))
    with pytest.raises(Crash):
        await Projector(log, ledger, analytics, fault=crash_at("insert.done:calls", 1)).run_once()
    log.extend((event.key, event.value) for event in life(3))
    projector = Projector(log, ledger, analytics)
    assert await projector.run_once() == size
    assert await projector.run_once() == len(list(life(3)))
    rows = await analytics.query("SELECT count(), uniqExact(log_offset), max(log_offset) FROM call_events", {})
    assert tuple(rows[0]) == (size + len(list(life(3))),) * 3


async def test_partitions_are_projected_side_by_side(analytics: Analytics) -> None:
    log = log_of(6, partitions=3)
    await drain(Projector(log, MemoryOffsetLedger(), analytics))
    rows = await analytics.query(
        "SELECT log_partition, count() = max(log_offset) FROM call_events GROUP BY 1 ORDER BY 1", {}
    )
    assert [tuple(row) for row in rows] == [(0, 1), (1, 1), (2, 1)]
    assert len((await tables(analytics))["calls"]) == 6


async def test_a_late_first_version_does_not_undo_a_disposition(analytics: Analytics) -> None:
    log = MemoryEventLog()
    events = list(life(1))
    log.extend((event.key, event.value) for event in reversed(events))
    await drain(Projector(log, MemoryOffsetLedger(), analytics, batch_rows=1))
    found = await CdrQueries(analytics).detail("call-000001")
    assert found is not None
    assert (found.version, found.disposition, found.wrap_s) == (2, "SALE", 12.0)
    assert await CdrQueries(analytics).lead_counts(3) == {("success", "answered"): 1}


async def test_too_many_dead_letters_stop_the_line_before_anything_is_inserted(
    analytics: Analytics, caplog: pytest.LogCaptureFixture
) -> None:
    log, ledger = MemoryEventLog(), MemoryOffsetLedger()
    broken = f'{{"phone_e164": "{phone(4)}"}}'.encode()
    log.extend(("x", broken) for _ in range(3))
    projector = Projector(log, ledger, analytics, dead_letters_max=3)
    with caplog.at_level(logging.DEBUG):
        await projector.run_once()
        log.append("x", broken)
        for _ in range(2):
            with pytest.raises(FatalProjection, match=r"3 dead letters wait and 1 more have come, over the bound of 3"):
                await projector.run_once()
    assert projector.failure is not None
    assert "dead-letters list" in projector.failure
    assert len((await tables(analytics))["dead_letters"]) == 3
    assert phone(4)[1:] not in caplog.text + projector.failure
    await analytics.command("TRUNCATE TABLE dead_letters")
    assert await projector.run_once() == 1
    assert projector.failure is None


async def test_replaying_a_range_does_not_count_its_own_dead_letters_twice(analytics: Analytics) -> None:
    log, ledger = MemoryEventLog(), MemoryOffsetLedger()
    log.extend(("x", b"{") for _ in range(3))
    fault = crash_at("insert.done:dead_letters", 1)
    with pytest.raises(Crash):
        await Projector(log, ledger, analytics, dead_letters_max=3, fault=fault).run_once()
    assert await Projector(log, ledger, analytics, dead_letters_max=3).run_once() == 3
    assert len((await tables(analytics))["dead_letters"]) == 3


async def test_a_log_that_lost_the_pending_range_is_fatal(analytics: Analytics) -> None:
    ledger = MemoryOffsetLedger()
    await ledger.begin(PROJECTION, OffsetRange(0, 1, 50))
    with pytest.raises(FatalProjection, match=r"no longer holds the pending range 1 to 50"):
        await Projector(log_of(1), ledger, analytics).run_once()


async def test_lag_is_the_age_of_the_oldest_event_that_is_not_projected(analytics: Analytics) -> None:
    log = log_of(2)
    projector = Projector(log, MemoryOffsetLedger(), analytics)
    assert await projector.lag_s(START + 31) == pytest.approx(30)
    await drain(projector)
    assert await projector.lag_s(START + 10_000) == 0.0
    log.append("x", b"{")
    assert await projector.lag_s(START + 10_000) == 0.0


async def test_it_runs_until_it_is_stopped_and_then_finishes_what_is_left(analytics: Analytics) -> None:
    log, stop, first_round = log_of(1), asyncio.Event(), asyncio.Event()
    fault = lambda point: first_round.set() if point == "range.confirmed" else None  # noqa: E731 -- shorter than its name
    projector = Projector(log, MemoryOffsetLedger(), analytics, flush_s=30, fault=fault)
    running = asyncio.create_task(projector.run(stop))
    queries = CdrQueries(analytics)
    async with asyncio.timeout(20):
        await first_round.wait()
    assert await queries.detail("call-000001") is not None
    log.extend((event.key, event.value) for event in life(2))
    stop.set()
    await running
    assert await queries.detail("call-000002") is not None


async def test_a_round_at_the_same_time_waits_its_turn(analytics: Analytics) -> None:
    log = log_of(20)
    projector = Projector(log, MemoryOffsetLedger(), analytics, batch_rows=30)
    await asyncio.gather(*(drain(projector) for _ in range(3)))
    rows = await analytics.query("SELECT count(), uniqExact(log_offset), max(log_offset) FROM call_events", {})
    assert len(set(rows[0])) == 1


class _Ill:
    """An analytics database that is away for its first two inserts."""

    def __init__(self, real: Analytics) -> None:
        self._real = real
        self._left = 2

    async def insert(self, rows: Rows, *, token: str) -> None:
        if self._left:
            self._left -= 1
            raise ConnectionError(phone(1))
        await self._real.insert(rows, token=token)

    async def query(self, sql: str, parameters: dict[str, object]) -> Any:
        return await self._real.query(sql, parameters)


async def test_a_database_that_is_away_is_said_without_a_number_and_loses_nothing(analytics: Analytics) -> None:
    projector = Projector(log_of(4), MemoryOffsetLedger(), _Ill(analytics))
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await projector.run_once()
        assert projector.failure == "call records are not up to date: ConnectionError"
    await drain(projector)
    assert projector.failure is None
    assert len((await tables(analytics))["calls"]) == 4


class _Slow:
    """Keeps an account of the inserts under way; the first one of `failing` fails while others go on."""

    def __init__(self, failing: str = "") -> None:
        self._failing = failing
        self.under_way: set[str] = set()
        self.most = 0
        self.begun: list[str] = []

    async def insert(self, rows: Rows, *, token: str) -> None:
        if rows.table != "call_events":
            return
        self.begun.append(token)
        self.under_way.add(token)
        self.most = max(self.most, len(self.under_way))
        try:
            await asyncio.sleep(0.02)
            if token.startswith(self._failing or "never"):
                raise ConnectionError
            await asyncio.sleep(0.05)
        finally:
            self.under_way.remove(token)

    async def query(self, sql: str, parameters: dict[str, object]) -> Any:
        raise AssertionError(sql)


async def test_only_so_many_partitions_are_in_memory_at_a_time_and_all_have_their_turn() -> None:
    sink = _Slow()
    projector = Projector(log_of(8, partitions=8), MemoryOffsetLedger(), sink, at_once=3)
    assert await drain(projector) > 8
    assert sink.most == 3
    assert len(sink.begun) == 8


async def test_a_partition_that_fails_stops_no_other_and_all_end_before_it_is_raised() -> None:
    log, ledger = log_of(8, partitions=8), MemoryOffsetLedger()
    sink = _Slow(failing=f"{log.topic}:1:")
    projector = Projector(log, ledger, sink, at_once=3)
    with pytest.raises(ConnectionError):
        await projector.run_once()
    assert projector.failure == "call records are not up to date: ConnectionError"
    assert sink.under_way == set()
    assert len(sink.begun) == 8
    assert [await ledger.position(PROJECTION, one) > 0 for one in range(8)] == [one != 1 for one in range(8)]


async def test_others_go_on_beside_a_partition_that_is_full_of_dead_letters(analytics: Analytics) -> None:
    log, ledger = log_of(4, partitions=2), MemoryOffsetLedger()
    log.extend([("x", b"{")] * 5, partition=0)
    projector = Projector(log, ledger, analytics, dead_letters_max=2, batch_rows=3)
    for _ in range(8):
        with contextlib.suppress(FatalProjection):
            await projector.run_once()
    assert projector.failure is not None
    assert "2 dead letters wait and 3 more have come, over the bound of 2" in projector.failure
    positions = [await ledger.position(PROJECTION, one) for one in (0, 1)]
    sizes = [len(await log.read(one, after=0, limit=1_000)) for one in (0, 1)]
    assert positions[0] < sizes[0]
    assert positions[1] == sizes[1]


class Kept(MemoryOffsetLedger):
    """A ledger that remembers every range it was asked to begin."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[OffsetRange] = []

    async def begin(self, projection: str, span: OffsetRange) -> None:
        self.begun.append(span)
        await super().begin(projection, span)


def padded_log(calls: int, size: int) -> MemoryEventLog:
    """Return a log of readable records of about that size."""
    log = MemoryEventLog()
    for number in range(1, calls + 1):
        log.extend((event.key, event.value[:-1] + b" " * size + b"}") for event in life(number))
    return log


def held_by(log: MemoryEventLog, span: OffsetRange) -> int:
    return sum(len(record.value) for record in log._records[0][span.first - 1 : span.last])


async def test_large_records_make_small_ranges_that_a_crash_does_not_move(reopen: OpenAnalytics) -> None:
    log, ledger, undisturbed = padded_log(60, 100_000), Kept(), Kept()
    size = len(log._records[0])
    assert size > 300
    await drain(Projector(log, undisturbed, _Slow()))
    analytics = await reopen()
    with pytest.raises(Crash):
        await Projector(log, ledger, analytics, fault=crash_at("range.begun", 2)).run()
    pending = await ledger.pending(PROJECTION, 0)
    log.extend((event.key, event.value) for event in life(61))
    projector = Projector(log, ledger, analytics)
    assert pending is not None
    assert await projector.run_once() == pending.last - pending.first + 1
    await drain(projector)
    assert ledger.begun[:-1] == undisturbed.begun[:-1]
    assert [span.first for span in ledger.begun[1:]] == [span.last + 1 for span in ledger.begun[:-1]]
    for span in ledger.begun[:-1]:
        assert RANGE_BYTES - 110_000 < held_by(log, span) <= RANGE_BYTES
    assert (await verify(analytics, {0: len(log._records[0])})).ok
    assert len((await tables(analytics))["calls"]) == 61


async def test_a_record_larger_than_a_range_is_one_by_itself() -> None:
    log, ledger = padded_log(1, 2_000), Kept()
    await drain(Projector(log, ledger, _Slow(), range_bytes=1_000))
    assert ledger.begun == [OffsetRange(0, offset, offset) for offset in range(1, len(log._records[0]) + 1)]


async def test_it_does_not_rest_while_there_is_more_than_a_range() -> None:
    log, ledger, stop, done = padded_log(4, 1_000), MemoryOffsetLedger(), asyncio.Event(), asyncio.Event()
    sink, size = _Slow(), len(log._records[0])

    def fault(_point: str) -> None:
        if ledger._positions.get((PROJECTION, 0)) == size:
            done.set()

    projector = Projector(log, ledger, sink, flush_s=60, range_bytes=10_000, fault=fault)
    running = asyncio.create_task(projector.run(stop))
    async with asyncio.timeout(20):
        await done.wait()
    stop.set()
    await running
    assert len(sink.begun) > 3
