from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from cdr import events
from cdr.clickhouse import Analytics
from cdr.dead_letters import REPLAY, Letter, Replayed, discard, letters, replay
from cdr.fingerprint import fingerprint
from cdr.memory import MemoryEventLog, MemoryOffsetLedger
from cdr.project import Rows
from cdr.projector import PROJECTION, FatalProjection, Projector
from cdr.verify import verify
from dialer.errors import ResourceBusy
from dialer.ports import LogRecord, OffsetRange
from tests.cdr.conftest import OpenAnalytics
from tests.cdr.samples import life, log_of

CALLS = 120
POISON_EVERY = 100


def newer(value: bytes) -> bytes:
    """Return the event as the next major version would write it."""
    return value.replace(b'"schema_version":"1.1"', b'"schema_version":"2.0"')


def poisoned_log(calls: int = CALLS) -> tuple[MemoryEventLog, int]:
    """Return a log of which 1 % is written by a newer program, and how many records that is."""
    log, poison = MemoryEventLog(), 0
    for number in range(1, calls + 1):
        for event in life(number):
            is_poison = len(log._records[0]) % POISON_EVERY == 7
            poison += is_poison
            log.append(event.key, newer(event.value) if is_poison else event.value)
    return log, poison


def upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this program read what was the next version."""

    def lenient(event: events.Envelope[msgspec.Raw]) -> None:
        assert event.schema_version in {"1.1", "2.0"}

    monkeypatch.setattr(events, "_check", lenient)


async def drain(log: MemoryEventLog, ledger: MemoryOffsetLedger, analytics: Analytics) -> int:
    projector = Projector(log, ledger, analytics, batch_rows=97)
    while await projector.run_once():
        pass
    return await ledger.position(PROJECTION, 0)


async def test_p10_of_1_percent_poison_all_is_kept_with_its_reason_and_replayed_exactly_after_a_fix(
    reopen: OpenAnalytics, monkeypatch: pytest.MonkeyPatch
) -> None:
    analytics = await reopen()
    log, poison = poisoned_log()
    ledger = MemoryOffsetLedger()
    last = await drain(log, ledger, analytics)
    found = await letters(analytics)
    assert len(found) == poison >= 9
    assert {(letter.reason, letter.offset % POISON_EVERY) for letter in found} == {("another major schema version", 8)}
    (part,) = (await verify(analytics, {0: last})).partitions
    assert (part.records, part.dead_letters, part.gaps, part.doubles) == (last, poison, (), ())

    assert await replay(log, ledger, analytics) == Replayed(poison, 0)
    upgrade(monkeypatch)
    assert await replay(log, ledger, analytics) == Replayed(poison, poison)
    assert await replay(log, ledger, analytics) == Replayed(0, 0)
    (part,) = (await verify(analytics, {0: last})).partitions
    assert (part.ok, part.dead_letters, part.calls) == (True, 0, CALLS)
    replayed = await fingerprint(analytics)
    for table in ("call_events", "calls", "lead_status", "dead_letters"):
        await analytics.command(f"TRUNCATE TABLE {table}")
    await drain(log, MemoryOffsetLedger(), analytics)
    assert await fingerprint(analytics) == replayed


class Crash(Exception):
    """The process dies here."""


class Dying:
    """Analytics that die at the n-th change, before or after it is done."""

    def __init__(self, real: Analytics, step: int, *, done: bool) -> None:
        self._real, self._left, self._done = real, step, done

    async def _die(self, work: Callable[[], Awaitable[None]]) -> None:
        self._left -= 1
        if self._left == 0 and not self._done:
            raise Crash
        await work()
        if self._left == 0:
            raise Crash

    async def insert(self, rows: Rows, *, token: str) -> None:
        if rows.count:
            await self._die(lambda: self._real.insert(rows, token=token))

    async def change(self, sql: str, settings: dict[str, Any] | None = None) -> None:
        await self._die(lambda: self._real.change(sql, settings))

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
async def test_a_replay_that_dies_at_any_step_is_done_once_by_the_next(
    reopen: OpenAnalytics, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    analytics = await reopen()
    log = MemoryEventLog()
    for number in (1, 2, 3):
        log.extend((event.key, newer(event.value) if number == 2 else event.value) for event in life(number))
    ledger = MemoryOffsetLedger()
    last = await drain(log, ledger, analytics)
    upgrade(monkeypatch)
    for step in range(1, 5):
        dying = Dying(analytics, step, done=done)
        try:
            await replay(log, ledger, dying)  # type: ignore[arg-type]  # stands in for Analytics
        except Crash:
            continue
        break
    await replay(log, ledger, analytics)
    (part,) = (await verify(analytics, {0: last})).partitions
    assert (part.ok, part.dead_letters, part.calls) == (True, 0, 3)


async def test_a_replay_that_was_begun_is_finished_with_its_own_range(
    analytics: Analytics, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, poison = poisoned_log(60)
    ledger = MemoryOffsetLedger()
    await drain(log, ledger, analytics)
    upgrade(monkeypatch)
    await ledger.begin(REPLAY, OffsetRange(0, 8, 108))
    assert await replay(log, ledger, analytics) == Replayed(poison, poison)
    assert await letters(analytics) == []
    assert await ledger.pending(REPLAY, 0) is None


async def test_what_the_log_has_let_go_is_read_from_the_letter(
    analytics: Analytics, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, poison = poisoned_log(20)
    ledger = MemoryOffsetLedger()
    last = await drain(log, ledger, analytics)
    upgrade(monkeypatch)
    assert await replay(MemoryEventLog(), ledger, analytics) == Replayed(poison, poison)
    assert (await verify(analytics, {0: last})).ok


async def test_a_range_replayed_by_a_newer_program_loses_nothing(
    analytics: Analytics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old program had inserted the dead letters only; the token of the events is not taken yet."""
    log, ledger = MemoryEventLog(), MemoryOffsetLedger()
    log.extend((event.key, newer(event.value)) for event in life(1))

    def die(point: str) -> None:
        if point == "insert.done:dead_letters":
            raise Crash

    with pytest.raises(Crash):
        await Projector(log, ledger, analytics, fault=die).run_once()
    upgrade(monkeypatch)
    last = await drain(log, ledger, analytics)
    await replay(log, ledger, analytics)
    (part,) = (await verify(analytics, {0: last})).partitions
    assert (part.ok, part.records, part.dead_letters) == (True, last, 0)


async def test_listing_is_in_order_and_bounded(analytics: Analytics) -> None:
    log = log_of(4, partitions=2)
    for partition in (0, 1):
        log.extend([("x", b"{"), ("x", "số điện thoại".encode() + b"\xff")], partition=partition)
    await drain(log, MemoryOffsetLedger(), analytics)
    found = await letters(analytics)
    assert [letter.partition for letter in found] == [0, 0, 1, 1]
    assert await letters(analytics, partition=1, limit=1) == [found[2]]
    assert found[3] == Letter(1, found[2].offset + 1, found[3].reason, "số điện thoại\\xff")
    assert found[3].reason.startswith("not JSON")


async def test_a_record_of_10_mb_is_kept_in_part(analytics: Analytics) -> None:
    log = MemoryEventLog()
    log.append("x", b"9" * 10_000_000)
    await drain(log, MemoryOffsetLedger(), analytics)
    (letter,) = await letters(analytics)
    assert (letter.reason, len(letter.value)) == ("larger than 1048576 bytes", 1 << 20)


async def test_two_replays_at_once_do_not_disturb_each_other(
    analytics: Analytics, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Taken(MemoryOffsetLedger):
        async def restart(self, projection: str, partition: int, *, position: int) -> None:
            self._pending[projection, partition] = OffsetRange(partition, 1, 1)

    log, _ = poisoned_log(20)
    await drain(log, MemoryOffsetLedger(), analytics)
    with pytest.raises(ResourceBusy, match="another replay of dead letters is at partition 0"):
        await replay(log, Taken(), analytics)


def test_poison_stays_where_it_is_in_the_log() -> None:
    log, poison = poisoned_log(20)
    assert sum(b'"2.0"' in record.value for record in log._records[0]) == poison
    assert isinstance(log._records[0][0], LogRecord)


def places(found: list[Letter]) -> list[tuple[int, int]]:
    return [(letter.partition, letter.offset) for letter in found]


async def test_what_is_discarded_keeps_its_place_and_is_neither_listed_nor_replayed(
    analytics: Analytics, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, poison = poisoned_log(60)
    ledger = MemoryOffsetLedger()
    last = await drain(log, ledger, analytics)
    found = await letters(analytics)
    assert await discard(ledger, analytics, partition=0, offset=found[1].offset) == 1
    for place in ((0, found[1].offset), (0, 1), (1, found[0].offset)):
        assert await discard(ledger, analytics, partition=place[0], offset=place[1]) == 0
    assert await letters(analytics) == [found[0], *found[2:]]
    assert await letters(analytics, discarded=True) == [found[1]]
    assert await letters(analytics, discarded=None) == found
    upgrade(monkeypatch)
    assert await replay(log, ledger, analytics) == Replayed(poison - 1, poison - 1)
    (part,) = (await verify(analytics, {0: last})).partitions
    assert (part.records, part.dead_letters, part.gaps, part.doubles) == (last, 1, (), ())
    assert places(await letters(analytics, discarded=True)) == places([found[1]])


async def test_once_all_are_discarded_the_line_goes_on(analytics: Analytics) -> None:
    log, ledger = log_of(4, partitions=2), MemoryOffsetLedger()
    for partition in (0, 1):
        log.extend([("x", b"{")] * 2, partition=partition)
    projector = Projector(log, ledger, analytics, dead_letters_max=4)
    await projector.run_once()
    log.append("x", b"{")
    with pytest.raises(FatalProjection, match="`dialer cdr dead-letters discard --all --yes`"):
        await projector.run_once()
    assert await discard(ledger, analytics) == 4
    assert await discard(ledger, analytics) == 0
    assert await projector.run_once() == 1
    positions = {partition: await ledger.position(PROJECTION, partition) for partition in (0, 1)}
    assert (await verify(analytics, positions)).ok
    assert len(await letters(analytics)) == 1


async def test_a_range_of_more_than_the_bound_is_let_through_to_be_looked_at_and_discarded(
    analytics: Analytics,
) -> None:
    log, ledger = MemoryEventLog(), MemoryOffsetLedger()
    log.extend([("x", b"{")] * 9)
    projector = Projector(log, ledger, analytics, dead_letters_max=3, batch_rows=8)
    assert await projector.run_once() == 8
    with pytest.raises(FatalProjection, match="8 dead letters wait and 1 more have come"):
        await projector.run_once()
    assert await discard(ledger, analytics) == 8
    assert await projector.run_once() == 1


async def test_what_a_replay_has_begun_is_not_discarded(reopen: OpenAnalytics, monkeypatch: pytest.MonkeyPatch) -> None:
    analytics, (log, poison), ledger = await reopen(), poisoned_log(20), MemoryOffsetLedger()
    last = await drain(log, ledger, analytics)
    upgrade(monkeypatch)
    with pytest.raises(Crash):  # all is inserted, and nothing taken off the dead letters
        await replay(log, ledger, Dying(analytics, 1, done=True))  # type: ignore[arg-type]  # stands in for Analytics
    with pytest.raises(ResourceBusy, match="run `dialer cdr dead-letters replay`"):
        await discard(ledger, analytics)
    assert await replay(log, ledger, analytics) == Replayed(poison, poison)
    assert await discard(ledger, analytics) == 0
    assert (await verify(analytics, {0: last})).ok
