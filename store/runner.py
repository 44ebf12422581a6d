"""Run a whole transaction as one piece of synchronous work: one hand-over to a thread, not one for each statement."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from store.open import blocking_twin, readers

T = TypeVar("T")
_DEADLOCK: Final = "40P01"
_TRIES: Final = 5


class Runner(Protocol):
    """Runs transactions for a store."""

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run work in a transaction that commits when it returns."""
        ...

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run work that only reads."""
        ...


def runner_for(engine: AsyncEngine) -> Runner:
    """Return the runner that suits the database."""
    path = engine.url.database
    in_file = engine.dialect.name == "sqlite" and bool(path) and path != ":memory:"
    return SqliteRunner(engine) if in_file else AsyncRunner(engine)


class AsyncRunner:
    """Transactions over the asynchronous driver; those of one process come one after the other."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._readers = readers(engine)
        self._writing = asyncio.Lock()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run work in a transaction; one that lost a deadlock is run again."""
        tries = 1
        while True:
            try:
                async with self._writing, self._engine.begin() as connection:
                    return await connection.run_sync(work)
            except DBAPIError as error:
                # A person's bulk change may lock rows in another order; PostgreSQL then ends one of the two.
                if getattr(error.orig, "sqlstate", None) != _DEADLOCK or tries == _TRIES:
                    raise
                tries += 1

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run work that only reads."""
        async with self._readers.connect() as connection:
            return await connection.run_sync(work)


class SqliteRunner:
    """Writing transactions in a thread of their own with a connection of their own; closed with the engine.

    The asynchronous driver hands every single statement to a thread, which costs more than the statement.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._readers = readers(engine)
        self._blocking = blocking_twin(engine)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        event.listen(engine.sync_engine, "engine_disposed", self._close)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run work in a transaction; once begun it is finished, even if nobody waits for it any more."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _transact, self._blocking, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run work that only reads."""
        async with self._readers.connect() as connection:
            return await connection.run_sync(work)

    def _close(self, _engine: Engine) -> None:
        self._thread.submit(self._blocking.dispose)
        self._thread.shutdown()


def _transact(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return work(connection)
