"""An event log and an offset ledger without a database, for the simulator and for tests; same rules as the SQL ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dialer.ports import LogRecord, OffsetRange, RangeFenced


class MemoryEventLog:
    """Records in lists, one per partition; offsets begin at 1 and have no gaps."""

    def __init__(self, topic: str = "cdr.events", *, partitions: int = 1) -> None:
        self.topic = topic
        self._records: list[list[LogRecord]] = [[] for _ in range(partitions)]

    def append(self, key: str, value: bytes, *, partition: int = 0) -> LogRecord:
        """Add one record and return it with its place."""
        records = self._records[partition]
        record = LogRecord(partition, len(records) + 1, key, value)
        records.append(record)
        return record

    def extend(self, records: Iterable[tuple[str, bytes]], *, partition: int = 0) -> None:
        """Add (key, value) records in order."""
        for key, value in records:
            self.append(key, value, partition=partition)

    async def partitions(self) -> Sequence[int]:
        """List the partitions to read."""
        return range(len(self._records))

    async def read(self, partition: int, *, after: int, limit: int, until: int | None = None) -> Sequence[LogRecord]:
        """Return records with `after` < offset (<= `until`), in order; empty when there are none yet."""
        records = self._records[partition]
        stop = len(records) if until is None else min(until, len(records))
        return records[max(0, after) : min(stop, max(0, after) + limit)]

    async def extent(self, partition: int) -> tuple[int, int]:
        """Return the first and the last offset that are there, (0, 0) when there is none."""
        last = len(self._records[partition])
        return min(1, last), last


class MemoryOffsetLedger:
    """Positions and pending ranges in dictionaries."""

    def __init__(self) -> None:
        self._positions: dict[tuple[str, int], int] = {}
        self._pending: dict[tuple[str, int], OffsetRange] = {}

    async def position(self, projection: str, partition: int) -> int:
        """Return the last confirmed offset, 0 at the start."""
        return self._positions.get((projection, partition), 0)

    async def pending(self, projection: str, partition: int) -> OffsetRange | None:
        """Return the range that was begun and never confirmed."""
        return self._pending.get((projection, partition))

    async def begin(self, projection: str, span: OffsetRange) -> None:
        """Remember the range before the insert."""
        key = projection, span.partition
        if self._positions.get(key, 0) >= span.first or self._pending.get(key, span) != span:
            raise RangeFenced(f"{projection}:{span.partition}")
        self._pending[key] = span

    async def confirm(self, projection: str, span: OffsetRange) -> None:
        """Make the range done and move the position to its last offset."""
        key = projection, span.partition
        if self._pending.get(key) == span:
            del self._pending[key]
            self._positions[key] = span.last
        elif self._positions.get(key, 0) < span.last:
            raise RangeFenced(f"{projection}:{span.partition}")

    async def hold(self, projection: str, partition: int) -> None:
        """Let nobody begin a range."""
        hold = OffsetRange(partition, 0, 0)
        if self._pending.setdefault((projection, partition), hold) != hold:
            raise RangeFenced(f"{projection}:{partition}")

    async def restart(self, projection: str, partition: int, *, position: int) -> None:
        """Set the position, whatever is pending or held."""
        self._pending.pop((projection, partition), None)
        self._positions[projection, partition] = position
