"""Prove that nothing of the log is missing or doubled in the analytics, or say exactly what is (promise P11)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cdr.named import Reader, named
from cdr.retention import kept_days, whole_hours

SHOWN = 20
"""How many of each kind of problem a report lists."""


class Gap(msgspec.Struct, frozen=True):
    """Offsets that are missing, both included."""

    partition: int
    first: int
    last: int


class Double(msgspec.Struct, frozen=True):
    """An offset that is there more than once."""

    partition: int
    offset: int


class OddCall(msgspec.Struct, frozen=True):
    """A call whose events do not add up; counts of call.initiated, call.ended, cdr.finalized and of `calls` rows."""

    call_id: str
    begun: int
    ended: int
    finals: int
    rows: int


class PartitionReport(msgspec.Struct, frozen=True):
    """One partition up to its confirmed position."""

    partition: int
    position: int
    records: int
    dead_letters: int
    begun: int
    finals: int
    calls: int
    gaps: tuple[Gap, ...]
    doubles: tuple[Double, ...]
    odd_calls: tuple[OddCall, ...]
    after: int = 0
    """What lies at or before this offset may have been deleted by a retention and was not looked at."""

    @property
    def ok(self) -> bool:
        """Say whether everything is there exactly once."""
        return not (self.gaps or self.doubles or self.odd_calls)


class Report(msgspec.Struct, frozen=True):
    """What `verify` found; at most SHOWN problems of each kind and partition are listed."""

    partitions: tuple[PartitionReport, ...]

    @property
    def ok(self) -> bool:
        """Say whether everything is there exactly once."""
        return all(part.ok for part in self.partitions)


async def verify(reader: Reader, positions: Mapping[int, int]) -> Report:
    """Check every partition up to its confirmed position (the ledger's, read before this is called).

    What was confirmed must be there: later records may still be on their way in and are not looked at. Where a
    retention is set, what it may have deleted is not looked at either.
    """
    return Report(
        tuple([await verify_partition(reader, partition, positions[partition]) for partition in sorted(positions)])
    )


async def verify_partition(reader: Reader, partition: int, position: int) -> PartitionReport:
    """Check one partition up to its confirmed position."""
    after = await kept_after(reader, partition, position)
    span = {"partition": partition, "after": after, "upto": position}
    ((records, _, dead),) = await reader.query(named("verify_span"), span)
    ((begun, finals, calls),) = await reader.query(named("verify_totals"), span)
    odd = await reader.query(named("verify_calls"), span | {"limit": SHOWN})
    gaps, doubles = await verify_places(reader, partition, after, position)
    return PartitionReport(
        partition=partition, position=position, records=records, dead_letters=dead, begun=begun, finals=finals,
        calls=calls, gaps=gaps, doubles=doubles, odd_calls=tuple(OddCall(*row) for row in odd), after=after,
    )  # fmt: skip


async def verify_places(
    reader: Reader, partition: int, after: int, position: int
) -> tuple[tuple[Gap, ...], tuple[Double, ...]]:
    """Find the offsets between the two (the last included) that are missing or there more than once."""
    span = {"partition": partition, "after": after, "upto": position}
    ((_, last, _),) = await reader.query(named("verify_span"), span)
    places = await reader.query(named("verify_places"), span | {"limit": SHOWN})
    gaps = [Gap(partition, before + 1, at - 1) for before, at in places if at > before]
    if max(last, after) < position:
        gaps.append(Gap(partition, max(last, after) + 1, position))
    return tuple(gaps), tuple(Double(partition, at) for before, at in places if at == before)


async def kept_after(reader: Reader, partition: int, position: int) -> int:
    """Return the last offset of which a retention may have deleted something, 0 when everything is kept.

    It is the position when no event is young enough to be there for certain.
    """
    days = await kept_days(reader)
    if not days:
        return 0
    wanted = {"partition": partition, "upto": position, "hours": whole_hours(days)}
    ((after,),) = await reader.query(named("verify_floor"), wanted)
    return int(after)
