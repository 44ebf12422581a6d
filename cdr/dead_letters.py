"""Look at records that could not be projected, and project again those that an upgraded program can read (P10)."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from cdr.clickhouse import Analytics
from cdr.named import Reader, named
from cdr.project import project
from dialer.errors import ResourceBusy
from dialer.ports import EventLog, LogRecord, OffsetLedger, OffsetRange, RangeFenced

log = logging.getLogger(__name__)

REPLAY: Final = "clickhouse.replay"
"""The projection under which the ledger knows which dead letters are being replayed."""
BATCH: Final = 1_000
LAST: Final = (1 << 63) - 1
"""No offset is above it."""


class Letter(msgspec.Struct, frozen=True):
    """A record that could not be read; `value` is what it holds (a customer's number, perhaps), at most 1 MiB."""

    partition: int
    offset: int
    reason: str
    value: str


class Replayed(msgspec.Struct, frozen=True):
    """How many letters there were, and how many of them were projected now."""

    found: int
    projected: int

    @property
    def left(self) -> int:
        """Return how many still cannot be read."""
        return self.found - self.projected


async def letters(
    reader: Reader,
    *,
    partition: int | None = None,
    first: int = 0,
    last: int = LAST,
    limit: int = BATCH,
    discarded: bool | None = False,
) -> list[Letter]:
    """List dead letters in the order of the log: those that wait, or were `discarded`, or (None) both."""
    wanted = _span(partition, first, last) | {"limit": limit, "discarded": -1 if discarded is None else int(discarded)}
    return [Letter(*row) for row in await reader.query(named("dead_letters"), wanted)]


async def discard(
    ledger: OffsetLedger, analytics: Analytics, *, partition: int | None = None, offset: int | None = None
) -> int:
    """Give the letter at a place up, or all that wait, and return how many were: they keep their places in the log.

    They no longer count against the projector's bound and are not replayed. Raises ResourceBusy while a replay is at
    them.
    """
    span = _span(partition, offset or 0, LAST if offset is None else offset)
    waiting = {int(number): int(count) for number, count in await analytics.query(named("dead_letters_waiting"), span)}
    for number in waiting:
        if await ledger.pending(REPLAY, number) is not None:
            raise ResourceBusy(
                f"a replay of dead letters is at partition {number}, or was cut off there: wait for its end, or run "
                "`dialer cdr dead-letters replay`"
            )
    if waiting:
        numbers = ", ".join(map(str, waiting))
        await analytics.change(
            f"ALTER TABLE dead_letters UPDATE discarded = true WHERE log_partition IN ({numbers}) "
            f"AND log_offset BETWEEN {span['first']} AND {span['last']}",
            {"mutations_sync": 2},
        )
    count = sum(waiting.values())
    log.info("dead letters were discarded", extra={"action": "dead_letters.discarded", "count": count})
    return count


async def replay(event_log: EventLog, ledger: OffsetLedger, analytics: Analytics) -> Replayed:
    """Project what can be read now and take it off the dead letters, each record once, whatever dies meanwhile.

    Raises ResourceBusy while another replay is at a partition.
    """
    found = projected = 0
    for partition in await event_log.partitions():
        after = 0
        while span := await _begin(ledger, analytics, partition, after):
            held = await event_log.extent(partition)
            records = [
                await _record(event_log, letter, held)
                for letter in await letters(analytics, partition=partition, first=span.first, last=span.last)
            ]
            found += len(records)
            projected += await _project(event_log.topic, analytics, span, records)
            await ledger.confirm(REPLAY, span)
            after = span.last
    extra = {"action": "dead_letters.replayed", "found": found, "projected": projected}
    log.info("dead letters were replayed", extra=extra)
    return Replayed(found, projected)


def _span(partition: int | None, first: int, last: int) -> dict[str, int]:
    return {"partition": -1 if partition is None else partition, "first": first, "last": last}


async def _begin(ledger: OffsetLedger, analytics: Analytics, partition: int, after: int) -> OffsetRange | None:
    """Return the range that a replay before this one did not finish, or make the next one durable."""
    pending = await ledger.pending(REPLAY, partition)
    if pending is not None and pending.last > after:
        return pending
    waiting = await letters(analytics, partition=partition, first=after + 1)
    if not waiting:
        return None
    span = OffsetRange(partition, waiting[0].offset, waiting[-1].offset)
    try:
        await ledger.restart(REPLAY, partition, position=after)
        await ledger.begin(REPLAY, span)
    except RangeFenced:
        raise ResourceBusy(f"another replay of dead letters is at partition {partition}; wait for its end") from None
    return span


async def _record(event_log: EventLog, letter: Letter, held: tuple[int, int]) -> LogRecord:
    """Return the record from the log, or as it was kept when the log, which holds these offsets, has let it go."""
    first, last = held
    if first <= letter.offset <= last:  # Kafka refuses to be read where it holds nothing
        found = await event_log.read(letter.partition, after=letter.offset - 1, limit=1, until=letter.offset)
        if found and found[0].offset == letter.offset:
            return found[0]
    return LogRecord(letter.partition, letter.offset, "", letter.value.encode())


async def _project(topic: str, analytics: Analytics, span: OffsetRange, records: Sequence[LogRecord]) -> int:
    """Insert what can be read, then take off the dead letters what is really there; return how many that were."""
    offsets = [record.offset for record in records]
    there = await _there(analytics, span.partition, offsets)
    rejected = project(records).dead_letters
    dead = set(rejected.data[rejected.columns.index("log_offset")])
    fresh = [record for record in records if record.offset not in dead | there]
    named_by = hashlib.sha256(repr([record.offset for record in fresh]).encode()).hexdigest()[:16]
    token = f"{topic}:{span.partition}:{span.first}-{span.last}:replay:{named_by}"
    for block in project(fresh).blocks:  # call_events comes last: what is there is there whole
        await analytics.insert(block, token=token)
    there = await _there(analytics, span.partition, offsets)
    if there:
        places = ", ".join(map(str, sorted(there)))
        await analytics.change(
            f"ALTER TABLE dead_letters DELETE WHERE log_partition = {span.partition} AND log_offset IN ({places})",
            {"mutations_sync": 2},
        )
    return len(there)


async def _there(analytics: Analytics, partition: int, offsets: Sequence[int]) -> set[int]:
    rows = await analytics.query(named("events_at"), {"partition": partition, "offsets": list(offsets)})
    return {int(offset) for (offset,) in rows}
