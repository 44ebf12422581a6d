"""Durable batch ranges of projections: what was begun and what was confirmed (architecture.md 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Row, Table, select, true, update
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.ports import OffsetRange, RangeFenced
from store.bulk import insert_missing
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

    async def positions(self, projection: str) -> dict[int, int]:
        """Return the last confirmed offset of each partition that was ever begun."""
        query = select(_TABLE.c.partition, _TABLE.c.position).where(_TABLE.c.projection == projection)
        async with self._readers.connect() as connection:
            return {row.partition: row.position for row in await connection.execute(query)}

    async def begin(self, projection: str, span: OffsetRange) -> None:
        """Make the range durable before the insert; RangeFenced when another projector was here."""
        free = _TABLE.c.pending_first.is_(None) | _is(span)
        pending = {"pending_first": span.first, "pending_last": span.last}
        await self._change(projection, span.partition, (_TABLE.c.position < span.first) & free, pending)

    async def confirm(self, projection: str, span: OffsetRange) -> None:
        """Make the range done and move the position to its last offset; RangeFenced when it is not pending."""
        done = {"position": span.last, "pending_first": None, "pending_last": None}
        try:
            await self._change(projection, span.partition, _is(span), done)
        except RangeFenced:
            if await self.position(projection, span.partition) < span.last:
                raise

    async def hold(self, projection: str, partition: int) -> None:
        """Let nobody begin a range until `restart`; RangeFenced while one is pending."""
        free = _TABLE.c.pending_first.is_(None) | (_TABLE.c.pending_last == 0)
        await self._change(projection, partition, free, {"pending_first": 0, "pending_last": 0})

    async def restart(self, projection: str, partition: int, *, position: int) -> None:
        """Set the position, whatever is pending or held."""
        fresh = {"position": position, "pending_first": None, "pending_last": None}
        await self._change(projection, partition, true(), fresh)

    async def _change(
        self, projection: str, partition: int, condition: ColumnElement[bool], values: Mapping[str, int | None]
    ) -> None:
        """Update the row in one statement if it still is as the condition says: this is the fence."""
        key = {"projection": projection, "partition": partition}
        matches = (_TABLE.c.projection == projection, _TABLE.c.partition == partition)
        async with self._engine.begin() as connection:
            await connection.execute(insert_missing(_TABLE, connection.dialect.name).values(position=0, **key))
            done = await connection.execute(update(_TABLE).where(*matches, condition).values(**values))
        if done.rowcount == 0:
            raise RangeFenced(f"{projection}:{partition}")

    async def _row(self, projection: str, partition: int) -> Row[Any] | None:
        query = select(_TABLE).where(_TABLE.c.projection == projection, _TABLE.c.partition == partition)
        async with self._readers.connect() as connection:
            return (await connection.execute(query)).one_or_none()


def _is(span: OffsetRange) -> ColumnElement[bool]:
    return (_TABLE.c.pending_first == span.first) & (_TABLE.c.pending_last == span.last)
