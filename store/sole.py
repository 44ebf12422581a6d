"""Do something in one process at a time, however many share the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from store.locks import Lock

log = logging.getLogger(__name__)

STILL_S: Final = 5.0
AGAIN_S: Final = 2.0
"""How often one that stands by tries."""
_TRY: Final = text("SELECT pg_try_advisory_lock(:key)")


async def alone(engine: AsyncEngine, lock: Lock, what: str, work: Callable[[], Awaitable[None]]) -> None:
    """Wait until no other process holds the lock, then run work while this one does; `what` names it in the log.

    The lock lives as long as a connection of its own: when that is lost, work is cancelled and the loss is raised. On
    SQLite work simply runs: the home folder has one process.
    """
    if engine.dialect.name != "postgresql":
        await work()
        return
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        try:
            await _take(connection, lock, what)
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(_still_there(connection))
                await work()
                watch.cancel()
        finally:
            await connection.invalidate()  # a pooled connection would keep the lock


async def _take(connection: AsyncConnection, lock: Lock, what: str) -> None:
    waited = False
    while not (await connection.execute(_TRY, {"key": int(lock)})).scalar_one():
        if not waited:
            log.info("another process of this database does it; this one stands by", extra=_words("standby", what))
        waited = True
        await asyncio.sleep(AGAIN_S)
    if waited:
        log.info("the other process has ended; this one takes over", extra=_words("takeover", what))


def _words(action: str, what: str) -> dict[str, str]:
    return {"action": f"sole.{action}", "what": what}


async def _still_there(connection: AsyncConnection) -> None:
    while True:
        await asyncio.sleep(STILL_S)
        async with asyncio.timeout(STILL_S):  # a half-open connection answers nothing, and holds no lock any more
            await connection.execute(text("SELECT 1"))
