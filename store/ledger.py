"""Durable batch ranges of projections: what was begun and what was confirmed (architecture.md 6)."""

from __future__ import annotations

from typing import Any, Final, cast

from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dialer.ports import OffsetRange
from store.models import LedgerEntry
from store.open import readers

_TABLE: Final = cast("Table", LedgerEntry.__table__)


class SqlOffsetLedger:
    """OffsetLedger in the table offset_ledger."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._readers = readers(engine)

    async def position(self, projection: str, partition: int) -> int:
        """Return the last confirmed offset, 0 at the start."""
        row = await self._row(projection, partition)
        return 0 if row is None else int(row.position)

    async def pending(self, projection: str, partition: int) -> OffsetRange | None:
        """Return the range that was begun and never confirmed."""
        row = await self._row(projection, partition)
        if row is None or row.pending_first is None:
            return None
        return OffsetRange(partition, row.pending_first, row.pending_last)

    async def begin(self, projection: str, span: OffsetRange) -> None:
        """Make the range durable before the insert."""
        async with self._engine.begin() as connection:
            await _write(connection, projection, span, {"pending_first": span.first, "pending_last": span.last})

    async def confirm(self, projection: str, span: OffsetRange) -> None:
        """Make the range done and move the position to its last offset."""
        done = {"position": span.last, "pending_first": None, "pending_last": None}
        async with self._engine.begin() as connection:
            await _write(connection, projection, span, done)

    async def _row(self, projection: str, partition: int) -> Row[Any] | None:
        query = select(_TABLE).where(_TABLE.c.projection == projection, _TABLE.c.partition == partition)
        async with self._readers.connect() as connection:
            return (await connection.execute(query)).one_or_none()


async def _write(connection: AsyncConnection, projection: str, span: OffsetRange, values: dict[str, Any]) -> None:
    key = {"projection": projection, "partition": span.partition}
    matches = (_TABLE.c.projection == projection, _TABLE.c.partition == span.partition)
    done = await connection.execute(update(_TABLE).where(*matches).values(**values))
    if done.rowcount == 0:
        await connection.execute(insert(_TABLE).values(**{"position": 0, **key, **values}))
