"""The audit: who did what with which thing, when and from where; rows are only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import msgspec
from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from store.models import AuditEntry
from store.open import readers

AUDIT: Final = cast("Table", AuditEntry.__table__)


class Act(msgspec.Struct, frozen=True):
    """One thing that somebody did; `at` in UTC epoch seconds, `remote` the address that asked or "local"."""

    at: float
    actor: str
    action: str
    object: str
    remote: str


_COLUMNS: Final = [AUDIT.c[name] for name in Act.__struct_fields__]


async def note(engine: AsyncEngine, act: Act) -> None:
    """Write one act down; it is durable when this returns."""
    row = {"at": act.at, "action": act.action, "object": act.object[:128]}
    async with engine.begin() as connection:
        await connection.execute(insert(AUDIT).values(row | {"actor": act.actor[:128], "remote": act.remote[:64]}))


async def acts(engine: AsyncEngine, *, object_: str | None = None, limit: int = 100) -> Sequence[Act]:
    """List what was done, the latest first; `object_`: with this thing."""
    query = select(*_COLUMNS).order_by(AUDIT.c.id.desc()).limit(limit)
    if object_ is not None:
        query = query.where(AUDIT.c.object == object_)
    async with readers(engine).connect() as connection:
        return [Act(**row._asdict()) for row in await connection.execute(query)]
