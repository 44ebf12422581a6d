"""Drop the analytics and project the whole log again, to an identical result (promise P8).

Safe beside running projectors: the ledger is held meanwhile, so that none of them begins a range, and none is at one.
A rebuild that was cut off leaves the hold; projectors wait and say so until it has been done again to its end.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from cdr.clickhouse import Analytics
from cdr.cluster import LOCAL
from cdr.fingerprint import Fingerprint, fingerprint
from cdr.projector import BATCH_ROWS, PROJECTION, FatalProjection, Projector
from dialer.errors import DialerError, ResourceBusy
from dialer.ports import EventLog, LogRecord, OffsetLedger, RangeFenced

log = logging.getLogger(__name__)

REBUILD: Final = "clickhouse.rebuild"
"""The projection under which the ledger knows how far a rebuild is."""
HOLD_TRIES: Final = 100
HOLD_WAIT_S: Final = 0.1
_STORED: Final = """SELECT name FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations' ORDER BY name"""
_FIRST: Final = """SELECT (SELECT minOrNull(log_offset) FROM call_events WHERE log_partition = {partition:UInt32}),
(SELECT minOrNull(log_offset) FROM dead_letters WHERE log_partition = {partition:UInt32})"""
_MADE_FROM: Final = """SELECT greatest(
(SELECT count() FROM call_events) + (SELECT count() FROM dead_letters), (SELECT count() FROM calls))"""
"""Raw events may have their time and be gone before the calls that they tell of."""


class Rebuilt(msgspec.Struct, frozen=True):
    """What a rebuild did; `before` and `after` are equal when nothing was missing or doubled before."""

    records: int
    before: Fingerprint
    after: Fingerprint


class _Until:
    """The log up to the positions that were confirmed."""

    def __init__(self, event_log: EventLog, positions: dict[int, int]) -> None:
        self.topic = event_log.topic
        self._log = event_log
        self._positions = positions

    async def partitions(self) -> Sequence[int]:
        return sorted(self._positions)

    async def read(self, partition: int, *, after: int, limit: int, until: int | None = None) -> Sequence[LogRecord]:
        end = self._positions[partition]
        end = end if until is None else min(until, end)
        return await self._log.read(partition, after=after, limit=limit, until=end)

    async def extent(self, partition: int) -> tuple[int, int]:
        first, last = await self._log.extent(partition)
        return first, min(last, self._positions[partition])


async def rebuild(
    event_log: EventLog,
    ledger: OffsetLedger,
    analytics: Analytics,
    *,
    progress: Callable[[int], None] | None = None,
    batch_rows: int = BATCH_ROWS,
    anew: Callable[[], Awaitable[None]] | None = None,
    lose_older: bool = False,
) -> Rebuilt:
    """Project everything confirmed so far once more from the start; `progress` is told of records as they pass.

    `anew` says that the log is another one, and makes the ledger's positions its own: held at 0, so that the projector
    does it all. Raises DialerError, with nothing dropped or forgotten, when the log no longer begins where the
    analytics do, or another one holds less than they were made from and `lose_older` does not accept that;
    ResourceBusy when projectors leave no moment to hold the ledger.
    """
    partitions = list(await event_log.partitions())
    if not partitions:
        raise DialerError(f"{event_log.topic}: no partition of the event log can be read here; nothing was dropped")
    if anew is None:
        positions, before = await _begin(event_log, ledger, analytics, lose_older=lose_older)
    else:
        await _check_whole(event_log, analytics, lose_older=lose_older)
        before = await fingerprint(analytics)
        await anew()
        positions = dict.fromkeys(partitions, 0)
        for partition in partitions:
            await _hold(ledger, partition)
    log.info("the analytics are rebuilt", extra={"action": "rebuild.begun", "records": sum(positions.values())})
    await _drop(analytics)
    for partition in partitions:
        await ledger.restart(REBUILD, partition, position=0)
    until = _Until(event_log, positions)
    records = await _project(Projector(
        until, ledger, analytics, projection=REBUILD, batch_rows=batch_rows, dead_letters_max=sys.maxsize,
    ), progress)  # fmt: skip
    after = await fingerprint(analytics)
    await _release(ledger, positions)
    log.info("the analytics are rebuilt to the end", extra={"action": "rebuild.done", "records": records})
    return Rebuilt(records, before, after)


async def _begin(
    event_log: EventLog, ledger: OffsetLedger, analytics: Analytics, *, lose_older: bool
) -> tuple[dict[int, int], Fingerprint]:
    """Hold the ledger and return how far it is, with what the analytics hold; let it go when that must not be lost."""
    partitions = await event_log.partitions()
    await _finish(event_log, ledger, analytics)
    for partition in partitions:
        await _hold(ledger, partition)
    positions = {partition: await ledger.position(PROJECTION, partition) for partition in partitions}
    try:
        for partition, position in positions.items():
            await _check(event_log, analytics, partition, position)
        if not any(positions.values()):
            await _check_whole(event_log, analytics, lose_older=lose_older)
        return positions, await fingerprint(analytics)
    except BaseException:
        await _release(ledger, positions)
        raise


async def _finish(event_log: EventLog, ledger: OffsetLedger, analytics: Analytics) -> None:
    """Replay what a dead projector had begun; should it live, the token lets only one of both insert."""
    pending = [await ledger.pending(PROJECTION, partition) for partition in await event_log.partitions()]
    if any(span is not None for span in pending) and not any(span is not None and span.is_hold for span in pending):
        try:
            await Projector(event_log, ledger, analytics, dead_letters_max=sys.maxsize).run_once()
        except FatalProjection as error:
            raise DialerError(str(error)) from error


async def _hold(ledger: OffsetLedger, partition: int) -> None:
    """Wait for the moment at which no range of the partition is pending, and let none be begun from then on."""
    for _ in range(HOLD_TRIES):
        try:
            await ledger.hold(PROJECTION, partition)
        except RangeFenced:
            await asyncio.sleep(HOLD_WAIT_S)
        else:
            return
    raise ResourceBusy(
        f"partition {partition} of the log: projectors are busy without a pause; stop them, or rebuild when less comes "
        "in"
    )


async def _check(event_log: EventLog, analytics: Analytics, partition: int, position: int) -> None:
    """Refuse before anything is dropped that the log cannot give back."""
    (found,) = await analytics.query(_FIRST, {"partition": partition})
    first = min((int(offset) for offset in found if offset is not None), default=0)
    if not position or not first:
        return  # nothing is there that could be lost, or no position says how much (_check_whole)
    oldest = await event_log.read(partition, after=0, limit=1)
    newest = await event_log.read(partition, after=position - 1, limit=1, until=position)
    if not oldest or oldest[0].offset > first or not newest:
        begins = f"begins at {oldest[0].offset}" if oldest else "is empty"
        raise DialerError(
            f"{event_log.topic}:{partition}: the log {begins} and the analytics reach from {first} to {position}: a "
            "rebuild would lose what the log no longer holds; nothing was dropped"
        )


async def _check_whole(event_log: EventLog, analytics: Analytics, *, lose_older: bool) -> None:
    """Refuse that a log which does not say how far the analytics are takes the place of one that held more."""
    ((made_from,),) = await analytics.query(_MADE_FROM, {})
    extents = [await event_log.extent(partition) for partition in await event_log.partitions()]
    holds = sum(last - first + 1 for first, last in extents if last)
    begins = max(first for first, _ in extents)
    if lose_older or not made_from or (holds >= made_from and begins <= 1):
        return
    lacks = f" and begins at {begins}" if begins > 1 else ""
    raise DialerError(
        f"{event_log.topic}: the log holds {holds} records{lacks}, the analytics were made from {made_from}: a rebuild "
        "would lose what the log does not hold; nothing was dropped. Let the relay catch up (its lag is 0) and try "
        "again, set the log that they were made from, or accept it: `dialer cdr rebuild --yes --lose-older`"
    )


async def _drop(analytics: Analytics) -> None:
    # The tokens of a table go with its rows: the same ranges are taken again.
    for (name,) in await analytics.query(_STORED, {}):
        # A server keeps tables above 50 GB from being dropped by mistake: whoever rebuilds was asked.
        await analytics.change(f"TRUNCATE TABLE {str(name).removesuffix(LOCAL)}", {"max_table_size_to_drop": 0})


async def _project(projector: Projector, progress: Callable[[int], None] | None) -> int:
    total = 0
    while records := await projector.run_once():
        total += records
        if progress is not None:
            progress(records)
    return total


async def _release(ledger: OffsetLedger, positions: dict[int, int]) -> None:
    for partition, position in positions.items():
        await ledger.restart(PROJECTION, partition, position=position)
