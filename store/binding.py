"""Bind a projection to the log it reads and the analytics it writes: a position means nothing anywhere else.

Without it, another event log's offsets, an analytics folder that was lost, or a second home folder's would be projected
on from a position that is not theirs: records would be missing, and nobody would say so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar, cast

from sqlalchemy import Connection, Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.errors import DialerError
from store.bulk import insert_missing
from store.models import BoundProjection, LedgerEntry

T = TypeVar("T")
_TABLE: Final = cast("Table", BoundProjection.__table__)
_LEDGER: Final = cast("Table", LedgerEntry.__table__)
REBUILD: Final = "or let `dialer cdr rebuild --yes` make these anew from the log that is set"


class Bound(NamedTuple):
    """A log, and the analytics database, named by the moment at which it was made."""

    log: str
    analytics: str


async def bind(engine: AsyncEngine, projection: str, to: Bound) -> None:
    """Bind the projection the first time; afterwards raise DialerError when either end is another one."""
    found = await _write(engine, lambda connection: _bound(connection, projection, to))
    if found.log != to.log:
        raise DialerError(
            f"the call records were projected from {found.log}, and the event log is {to.log} now: set what it was, "
            f"{REBUILD}"
        )
    if found.analytics != to.analytics:
        raise DialerError(
            f"the call records were projected into an analytics database made at {found.analytics}, and this one was "
            f"made at {to.analytics}: bring that one back (its folder, its server, its backup), {REBUILD}"
        )


async def is_elsewhere(engine: AsyncEngine, projection: str, to: Bound) -> bool:
    """Tell whether the projection's positions are another log's."""
    found = await _write(engine, lambda connection: _find(connection, projection))
    return found is not None and found.log != to.log


async def begin_anew(engine: AsyncEngine, projection: str, to: Bound) -> None:
    """Forget the positions if they are another log's, and hold them: nobody projects that log on from its start.

    The projection stays bound as it was until `rebind`.
    """
    await _write(engine, lambda connection: _forget(connection, projection, to))


async def rebind(engine: AsyncEngine, projection: str, to: Bound) -> None:
    """Bind the projection whatever it was bound to, once the analytics hold what its positions say.

    Partitions that are held by now are those of the log before, which this one has not.
    """
    await _write(engine, lambda connection: _rebound(connection, projection, to))


async def _write(engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
    async with engine.begin() as connection:
        return await connection.run_sync(work)


def _bound(connection: Connection, projection: str, to: Bound) -> Bound:
    found = _find(connection, projection)
    if found is None:
        missing = insert_missing(_TABLE, connection.dialect.name)  # two projectors may begin at once
        connection.execute(missing, {"projection": projection, **to._asdict()})
        found = _find(connection, projection)
    return found or to


def _forget(connection: Connection, projection: str, to: Bound) -> None:
    found = _find(connection, projection)
    if found is not None and found.log != to.log:
        held = {"position": 0, "pending_first": 0, "pending_last": 0}
        connection.execute(update(_LEDGER).where(_LEDGER.c.projection == projection).values(held))


def _rebound(connection: Connection, projection: str, to: Bound) -> None:
    _bound(connection, projection, to)
    connection.execute(update(_TABLE).where(_TABLE.c.projection == projection).values(**to._asdict()))
    connection.execute(delete(_LEDGER).where(_LEDGER.c.projection == projection, _LEDGER.c.pending_last == 0))


def _find(connection: Connection, projection: str) -> Bound | None:
    row = connection.execute(select(_TABLE.c.log, _TABLE.c.analytics).where(_TABLE.c.projection == projection)).first()
    return None if row is None else Bound(*row)
