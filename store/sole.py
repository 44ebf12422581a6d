"""Do something in one process at a time, however many share the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dialer.errors import ResourceBusy

PROJECTOR: Final = 7305842
"""The PostgreSQL advisory lock of whoever projects the outbox."""
WEBHOOKS: Final = 7305843
"""The same of whoever posts finished calls."""
STILL_S: Final = 5.0
_TRY: Final = text("SELECT pg_try_advisory_lock(:key)")


async def alone(engine: AsyncEngine, key: int, what: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run work while this process holds the lock; raise ResourceBusy when another one has it.

    The lock lives as long as a connection of its own: when that is lost, work is cancelled and the loss is raised. On
    SQLite work simply runs: the home folder has one process.
    """
    if engine.dialect.name != "postgresql":
        await work()
        return
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        try:
            if not (await connection.execute(_TRY, {"key": key})).scalar_one():
                raise ResourceBusy(f"another process {what} of this database; this one waits for its end")
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(_still_there(connection))
                await work()
                watch.cancel()
        finally:
            await connection.invalidate()  # a pooled connection would keep the lock


async def _still_there(connection: AsyncConnection) -> None:
    while True:
        await asyncio.sleep(STILL_S)
        await connection.execute(text("SELECT 1"))
