from __future__ import annotations

from cdr.clickhouse import Analytics
from cdr.memory import MemoryEventLog, MemoryOffsetLedger
from cdr.project import project
from cdr.projector import Projector
from cdr.queries import CdrQueries
from cdr.verify import SHOWN, Double, Gap, OddCall, PartitionReport, verify
from tests.cdr.samples import life, log_of


async def store(analytics: Analytics, log: MemoryEventLog) -> int:
    """Project a log and return its last offset."""
    projector = Projector(log, MemoryOffsetLedger(), analytics)
    total = 0
    while rows := await projector.run_once():
        total += rows
    return total


async def only(analytics: Analytics, position: int) -> PartitionReport:
    (part,) = (await verify(analytics, {0: position})).partitions
    return part


async def test_a_whole_log_is_found_whole(analytics: Analytics) -> None:
    log = log_of(8)
    log.append("x", b"{")
    last = await store(analytics, log)
    part = await only(analytics, last)
    assert part == PartitionReport(
        partition=0, position=last, records=last, dead_letters=1, begun=8, finals=8, calls=8, gaps=(), doubles=(),
        odd_calls=(),
    )  # fmt: skip
    assert (await CdrQueries(analytics).verify({0: last})).ok


async def test_nothing_stored_and_nothing_confirmed_is_whole(analytics: Analytics) -> None:
    assert (await verify(analytics, {0: 0})).ok


async def test_records_that_went_missing_are_gaps(analytics: Analytics) -> None:
    last = await store(analytics, log_of(8))
    await analytics.command(
        f"ALTER TABLE call_events DELETE WHERE log_offset IN (1, 5, 6, {last}) SETTINGS mutations_sync = 1"
    )
    part = await only(analytics, last)
    assert part.gaps == (Gap(0, 1, 1), Gap(0, 5, 6), Gap(0, last, last))
    assert not part.ok


async def test_a_table_that_was_lost_is_one_gap(analytics: Analytics) -> None:
    assert (await only(analytics, 70)).gaps == (Gap(0, 1, 70),)


async def test_records_that_are_there_twice_are_doubles(analytics: Analytics) -> None:
    log = log_of(3)
    last = await store(analytics, log)
    await analytics.insert(project(await log.read(0, after=3, limit=2)).call_events, token="by mistake")
    part = await only(analytics, last)
    assert part.doubles == (Double(0, 4), Double(0, 5))
    assert not part.ok


async def test_an_attempt_that_ended_without_a_cdr_is_named(analytics: Analytics) -> None:
    log = MemoryEventLog()
    log.extend((event.key, event.value) for event in life(2) if event.type != "cdr.finalized")
    part = await only(analytics, await store(analytics, log))
    assert part.odd_calls == (OddCall("call-000002", begun=1, ended=1, finals=0, rows=0),)


async def test_a_cdr_that_came_twice_is_named(analytics: Analytics) -> None:
    log = MemoryEventLog()
    events = list(life(2))
    again = [event for event in events if event.type in {"call.ended", "cdr.finalized"}]
    log.extend((event.key, event.value) for event in events + again)
    part = await only(analytics, await store(analytics, log))
    assert part.odd_calls == (OddCall("call-000002", begun=1, ended=2, finals=2, rows=1),)


async def test_a_cdr_of_a_call_that_was_never_begun_is_named(analytics: Analytics) -> None:
    log = MemoryEventLog()
    log.extend((event.key, event.value) for event in life(2) if event.type != "call.initiated")
    part = await only(analytics, await store(analytics, log))
    assert part.odd_calls == (OddCall("call-000002", begun=0, ended=1, finals=1, rows=1),)


async def test_a_call_whose_row_was_lost_is_named(analytics: Analytics) -> None:
    last = await store(analytics, log_of(3))
    await analytics.command("ALTER TABLE calls DELETE WHERE call_id = 'call-000003' SETTINGS mutations_sync = 1")
    assert (await only(analytics, last)).odd_calls == (OddCall("call-000003", begun=1, ended=1, finals=1, rows=0),)


async def test_a_call_in_progress_is_no_problem(analytics: Analytics) -> None:
    log = MemoryEventLog()
    log.extend((event.key, event.value) for event in list(life(1))[:3])
    part = await only(analytics, await store(analytics, log))
    assert part.ok
    assert (part.begun, part.finals) == (1, 0)


async def test_what_came_after_the_confirmed_position_is_not_looked_at(analytics: Analytics) -> None:
    log = log_of(3)
    last = await store(analytics, log)
    await analytics.command(f"ALTER TABLE call_events DELETE WHERE log_offset = {last} SETTINGS mutations_sync = 1")
    assert (await only(analytics, last - 1)).ok


async def test_a_report_lists_some_of_many_problems(analytics: Analytics) -> None:
    log = log_of(2 * SHOWN)
    last = await store(analytics, log)
    await analytics.command("ALTER TABLE call_events DELETE WHERE log_offset % 2 = 0 SETTINGS mutations_sync = 1")
    assert len((await only(analytics, last)).gaps) in {SHOWN, SHOWN + 1}
