"""Project the event log into ClickHouse exactly once, by durable offset ranges (architecture.md 6, pipeline.md)."""

from __future__ import annotations

import asyncio
import itertools
import logging
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol, TypeVar

import msgspec

from cdr.events import MICROS, RejectRecord, decode
from cdr.project import Rows, project
from dialer.errors import DialerError, PartitionGone, ResourceBusy
from dialer.ports import EventLog, LogRecord, OffsetLedger, OffsetRange, RangeFenced

log = logging.getLogger(__name__)
_N = TypeVar("_N", int, float)

PROJECTION: Final = "clickhouse"
_OTHER_DEAD: Final = """SELECT count() FROM dead_letters WHERE NOT discarded AND NOT (log_partition = {partition:UInt32}
AND log_offset BETWEEN {first:UInt64} AND {last:UInt64})"""
BATCH_ROWS: Final = 10_000
RANGE_BYTES: Final = 16 << 20
"""A range ends before its values are more than that; one record may be."""
AT_ONCE: Final = 3
"""Ranges in memory at a time, each of another partition."""
FLUSH_S: Final = 1.0
"""About one insert a second per table in the steady state."""
DEAD_LETTERS_MAX: Final = 1_000
POINTS: Final = (
    "range.begun",
    "insert.done:dead_letters",
    "insert.done:calls",
    "insert.done:lead_status",
    "insert.done:call_events",
    "range.confirmed",
)
"""Where a crash can be injected; see `Projector`."""


class FatalProjection(Exception):
    """The line has stopped: projecting on would lose records; a person must look."""


class Sink(Protocol):
    """Where blocks go; a block whose token was seen before is dropped whole."""

    async def insert(self, rows: Rows, *, token: str) -> None:
        """Insert one block."""
        ...

    async def query(self, sql: str, parameters: dict[str, object]) -> Sequence[Sequence[object]]:
        """Return the rows of a query."""
        ...


def _no_fault(_point: str) -> None:
    """Go on: nobody injects faults."""


class Projector:
    """Read ranges of the log and insert them: a range is durable before its first insert and replayed until confirmed.

    `failure` says what went wrong last, None when the last round was good. `fault` is called at each of `POINTS`; a
    test crashes there.
    """

    def __init__(
        self,
        event_log: EventLog,
        ledger: OffsetLedger,
        analytics: Sink,
        *,
        fault: Callable[[str], None] | None = None,
        batch_rows: int = BATCH_ROWS,
        flush_s: float = FLUSH_S,
        dead_letters_max: int = DEAD_LETTERS_MAX,
        projection: str = PROJECTION,
        at_once: int = AT_ONCE,
        range_bytes: int = RANGE_BYTES,
    ) -> None:
        self.failure: str | None = None
        self._projection = projection
        self._log = event_log
        self._ledger = ledger
        self._sink = analytics
        self._fault = fault or _no_fault
        self._batch_rows = batch_rows
        self._flush_s = flush_s
        self._dead_letters_max = dead_letters_max
        self._at_once = at_once
        self._range_bytes = range_bytes
        self._is_cut = False
        self._turn = asyncio.Lock()  # `run` and a drain's `run_once` must not work on one range at a time

    async def run(self, stop: asyncio.Event | None = None) -> None:
        """Project until `stop`, then what is left; without `stop`, for ever. Raises what `run_once` raises."""
        stop = stop or asyncio.Event()
        while not stop.is_set():
            rows = await self.run_once()
            if rows < self._batch_rows and not self._is_cut:
                await _wait(stop, self._flush_s)
        while await self.run_once():
            pass

    async def run_once(self) -> int:
        """Project one range of each partition, a pending one first; return how many records they held."""
        async with self._turn:
            try:
                rows = await self._round(await self._log.partitions())
            except Exception as error:
                # What is for people quotes no record; other errors may.
                words = f": {error}" if isinstance(error, FatalProjection | DialerError) else ""
                self.failure = f"call records are not up to date: {type(error).__name__}{words}"
                raise
            self.failure = None
            return rows

    async def _round(self, partitions: Sequence[int]) -> int:
        """Project a range of each partition, some at a time: one is read and decoded while another is inserted.

        A partition that fails keeps none of the others from its turn. All end before the first failure is raised: an
        insert goes on in its thread whether somebody waits for it or not, and must not meet its own replay.
        """
        places, failures = asyncio.Semaphore(self._at_once), list[Exception]()
        self._is_cut = False

        async def one(partition: int) -> int:
            async with places:
                try:
                    return await _unless_gone(self._project_next(partition), 0)
                except Exception as error:  # noqa: BLE001 -- raised below
                    failures.append(error)
                    return 0

        rows = sum(await asyncio.gather(*map(one, partitions)))
        if failures:
            raise failures[0]
        return rows

    async def drain(self) -> None:
        """Wait for the round in progress: a log calls this before it gives a partition away."""
        async with self._turn:
            return

    async def lag_s(self, now: float) -> float:
        """Return the age in seconds of the oldest record not yet projected, 0 when there is none."""
        return max(
            [await _unless_gone(self._lag_of(one, now), 0.0) for one in await self._log.partitions()], default=0.0
        )

    async def _lag_of(self, partition: int, now: float) -> float:
        position = await self._ledger.position(self._projection, partition)
        waiting = await self._log.read(partition, after=position, limit=1)
        try:
            return max(0.0, now - decode(waiting[0].value).event.occurred_at / MICROS) if waiting else 0.0
        except RejectRecord:
            return 0.0  # it has no time; it becomes a dead letter in the next round

    async def _project_next(self, partition: int) -> int:
        try:
            return await self._project_range(partition)
        except RangeFenced:
            # Whatever was inserted has the other one's boundaries and token; the next round begins where it stands.
            extra = {"action": "projector.fenced", "partition": partition}
            log.warning("another projector is at this partition", extra=extra)
            return 0

    async def _project_range(self, partition: int) -> int:
        span, records = await self._next(partition)
        if span is None:
            return 0
        projection = project(records)
        await self._check_dead_letters(projection.dead_letters, span)
        token = f"{self._log.topic}:{partition}:{span.first}-{span.last}"
        for block in projection.blocks:
            await self._sink.insert(block, token=token)
            self._fault(f"insert.done:{block.table}")
        await self._ledger.confirm(self._projection, span)
        self._fault("range.confirmed")
        return len(records)

    async def _next(self, partition: int) -> tuple[OffsetRange | None, Sequence[LogRecord]]:
        """Return the pending range, or begin the next one; its boundaries never move once they are durable."""
        pending = await self._ledger.pending(self._projection, partition)
        if pending is not None and pending.is_hold:
            raise ResourceBusy("they are being rebuilt; if nobody does so, run `dialer cdr rebuild` again to its end")
        if pending is not None:
            return pending, await self._replay(pending)
        position = await self._ledger.position(self._projection, partition)
        found = await self._log.read(partition, after=position, limit=self._batch_rows)
        if not found:
            return None, ()
        records = _within(found, self._range_bytes)
        self._is_cut |= len(records) < len(found)
        span = OffsetRange(partition, records[0].offset, records[-1].offset)
        await self._ledger.begin(self._projection, span)
        self._fault("range.begun")
        return span, records

    async def _replay(self, span: OffsetRange) -> Sequence[LogRecord]:
        limit = span.last - span.first + 1
        records = await self._log.read(span.partition, after=span.first - 1, limit=limit, until=span.last)
        if not records or (records[0].offset, records[-1].offset) != (span.first, span.last):
            raise FatalProjection(
                f"{self._log.topic}:{span.partition}: the log no longer holds the pending range {span.first} to "
                f"{span.last}; restore the log"
            )
        extra = {"action": "projector.replay", "partition": span.partition, "first": span.first, "last": span.last}
        log.info("a range that was begun before is replayed", extra=extra)
        return records

    async def _check_dead_letters(self, fresh: Rows, span: OffsetRange) -> None:
        """Stop the line before anything of the range is inserted when the dead letters that wait are too many.

        Those of the range itself are left out of the count: a replay finds them there. Where none waits a range may
        hold more than the bound, or nobody could look at them, nor discard them for the line to go on.
        """
        if not fresh.count:
            return
        log.warning("records that cannot be read", extra={"action": "projector.dead_letters", "count": fresh.count})
        found = await self._sink.query(_OTHER_DEAD, msgspec.structs.asdict(span))
        waiting = int(str(found[0][0]))
        if waiting and waiting + fresh.count > self._dead_letters_max:
            raise FatalProjection(
                f"{self._log.topic}: {waiting} dead letters wait and {fresh.count} more have come, over the bound of "
                f"{self._dead_letters_max}: `dialer cdr dead-letters list` says why; mend what writes them, then "
                "upgrade this program and run `dialer cdr dead-letters replay`, or give them up for good with "
                "`dialer cdr dead-letters discard --all --yes`"
            )


def _within(records: Sequence[LogRecord], most: int) -> Sequence[LogRecord]:
    """Return the first records whose values are `most` bytes together, at least one record."""
    sums = list(itertools.accumulate(len(record.value) for record in records))
    return records[: max(1, bisect_right(sums, most))]


async def _unless_gone(work: Awaitable[_N], gone: _N) -> _N:
    """Await work on a partition; `gone` for one that another reader has by now."""
    try:
        return await work
    except PartitionGone:
        return gone


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
