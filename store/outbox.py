"""The outbox: CDR events in the store's own transaction, read by the projector as an event log (architecture.md 6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.encode import OutboxEvent
from dialer.ports import LogRecord
from store.bulk import BulkInsert
from store.locks import Lock
from store.models import OutboxRecord
from store.open import readers

TOPIC: Final = "cdr.events"
PARTITION: Final = 0
_TABLE: Final = cast("Table", OutboxRecord.__table__)
_EXTENT: Final = select(func.coalesce(func.min(_TABLE.c.offset), 0), func.coalesce(func.max(_TABLE.c.offset), 0))
_LAST: Final = select(func.coalesce(func.max(_TABLE.c.offset), 0))
# Held to the end of the transaction: offsets become visible in their order, and a rollback leaves no gap.
_SERIALISE: Final = text(f"SELECT pg_advisory_xact_lock({Lock.OUTBOX:d})")


class _Record:
    __slots__ = ("created_at", "event_id", "key", "offset", "type", "value")

    def __init__(self, offset: int, event: OutboxEvent, now: float) -> None:
        self.offset, self.created_at = offset, now
        self.event_id, self.key, self.type, self.value = event.event_id, event.key, event.type, event.value


_INSERT: Final = BulkInsert(_TABLE, _Record.__slots__)


def append(connection: Connection, events: Sequence[OutboxEvent], *, now: float) -> None:
    """Append events in the caller's transaction, which must not write anything slow after this.

    Every writer of CDR events comes through here; from an AsyncSession: `await session.run_sync(lambda s:
    append(s.connection(), events, now=now))`.
    """
    if not events:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(_SERIALISE)
    last = connection.execute(_LAST).scalar_one()
    _INSERT.run(connection, (_Record(offset, event, now) for offset, event in enumerate(events, last + 1)))


class SqlOutboxLog:
    """The outbox as an EventLog of one partition, 0; offsets start at 1 and have no gaps."""

    topic = TOPIC

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = readers(engine)

    async def partitions(self) -> Sequence[int]:
        """List the partitions to read."""
        return (PARTITION,)

    async def read(self, partition: int, *, after: int, limit: int, until: int | None = None) -> Sequence[LogRecord]:
        """Return records with `after` < offset (<= `until`), in order; none from a partition that does not exist."""
        if partition != PARTITION:
            return ()
        columns = (_TABLE.c.offset, _TABLE.c.key, _TABLE.c.value)
        query = select(*columns).where(_TABLE.c.offset > after).order_by(_TABLE.c.offset).limit(limit)
        if until is not None:
            query = query.where(_TABLE.c.offset <= until)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [LogRecord(PARTITION, offset, key, value) for offset, key, value in rows]

    async def extent(self, partition: int) -> tuple[int, int]:
        """Return the first and the last offset that are there, (0, 0) when there is none."""
        if partition != PARTITION:
            return 0, 0
        async with self._engine.connect() as connection:
            first, last = (await connection.execute(_EXTENT)).one()
        return first, last
