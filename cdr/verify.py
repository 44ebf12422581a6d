"""Prove that nothing of the log is missing or doubled in the analytics, or say exactly what is (promise P11)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cdr.named import Reader, named

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

    What was confirmed must be there: later records may still be on their way in and are not looked at.
    """
    return Report(tuple([await _verify(reader, partition, positions[partition]) for partition in sorted(positions)]))


async def _verify(reader: Reader, partition: int, position: int) -> PartitionReport:
    until = {"partition": partition, "upto": position}
    ((records, last, dead),) = await reader.query(named("verify_span"), until)
    ((begun, finals, calls),) = await reader.query(named("verify_totals"), until)
    places = await reader.query(named("verify_places"), until | {"limit": SHOWN})
    odd = await reader.query(named("verify_calls"), until | {"limit": SHOWN})
    gaps = [Gap(partition, before + 1, at - 1) for before, at in places if at > before]
    if last < position:
        gaps.append(Gap(partition, last + 1, position))
    return PartitionReport(
        partition=partition, position=position, records=records, dead_letters=dead, begun=begun, finals=finals,
        calls=calls, gaps=tuple(gaps), doubles=tuple(Double(partition, at) for before, at in places if at == before),
        odd_calls=tuple(OddCall(*row) for row in odd),
    )  # fmt: skip
