"""ClickHouse through clickhouse-connect; embedded it is chDB, one process per folder (architecture.md 5).

Calls block, so each runs on a thread of the connection (chDB has one); the event loop stays free.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error, ProgrammingError

from cdr.clickhouse_errors import explained, refused
from cdr.cluster import Layout
from cdr.folder_lock import FolderLock
from cdr.migrate import migrate
from cdr.project import Rows
from cdr.retention import KEEP, Retention, keep
from dialer.errors import DialerError, ResourceBusy

R = TypeVar("R")

SERVER_LIMITS: Final = {
    "max_server_memory_usage": 2_000_000_000,
    "mark_cache_size": 33_554_432,
    "index_mark_cache_size": 8_388_608,
    "uncompressed_cache_size": 0,
    "background_pool_size": 2,
    "background_schedule_pool_size": 2,
    "background_common_pool_size": 1,
    "background_fetches_pool_size": 1,
    "background_move_pool_size": 1,
    "max_thread_pool_free_size": 0,
}
"""The engine's own limits: a server's defaults (5 GB of mark cache, 90 % of the memory) want a machine of their own."""
SESSION: Final = {
    "max_threads": 2,
    "max_memory_usage": 1_000_000_000,
    "max_execution_time": 30,
    "use_skip_indexes_if_final": 1,  # exact here: what the indexes cover never changes between versions of a row
}
INSERT: Final = {
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
}
"""Explicit: these defaults differ between server versions (pipeline.md rule 4)."""
_MADE: Final = """SELECT formatDateTime(min(applied_at), '%Y-%m-%dT%H:%i:%S', 'UTC')
|| '.' || leftPad(toString(toUnixTimestamp64Milli(min(applied_at)) % 1000), 3, '0') || 'Z' FROM schema_migrations"""


class Analytics:
    """The open analytics database; its methods may be called from any task.

    They raise AnalyticsFailed (a DialerError) when the database cannot do its work. A query that is wrong in itself
    raises what clickhouse-connect says about it.
    """

    def __init__(
        self,
        client: Client | Callable[[], Client],
        threads: ThreadPoolExecutor,
        release: Callable[[], None],
        *,
        where: str,
        layout: Layout | None = None,
    ) -> None:
        """`client`: open, or what opens it (and raises DialerError), called at each use until it has once worked."""
        self.where = where
        self.layout = layout or Layout()
        self._client = client
        self._opening = threading.Lock()
        self._threads = threads
        self._release = release
        self._closed = False

    async def insert(self, rows: Rows, *, token: str) -> None:
        """Insert a block once: a token that the table has seen makes it do nothing (it wins over the content)."""
        if not rows.count:
            return
        settings = {**INSERT, **self.layout.insert_settings, "insert_deduplication_token": token}

        def send(client: Client) -> None:
            client.insert(
                rows.table, rows.data, rows.columns, column_type_names=rows.types, column_oriented=True,
                settings=settings,
            )  # fmt: skip

        try:
            await self._run(send)
        except Error as error:
            raise refused(self.where, error) from None  # the server's text, and the address asked, may hold a row

    async def query(self, sql: str, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Return the rows of a query with parameters bound by the engine."""
        result = await self._ask(lambda client: client.query(sql, parameters=dict(parameters)))
        return result.result_rows

    async def made_at(self) -> str:
        """Return when this database was made, ISO 8601 in UTC to the millisecond: what tells it from any other."""
        ((made,),) = await self.query(_MADE, {})
        return str(made)

    async def command(self, sql: str, settings: Mapping[str, Any] | None = None) -> None:
        """Perform a statement that returns nothing of interest."""
        await self._ask(lambda client: client.command(sql, settings=dict(settings or {})))

    async def change(self, sql: str, settings: Mapping[str, Any] | None = None) -> None:
        """Perform a statement that changes tables, on every server of the cluster when there is one."""
        for statement in self.layout.statements(sql):
            await self.command(statement, settings)

    async def aside(self, work: Callable[[Client], R]) -> R:
        """Run blocking work that takes long on a thread of its own, beside the queue of all others.

        It gets the connection only to open another one like it (`cdr.aside.beside`).
        """
        return await asyncio.to_thread(lambda: work(self._open()))

    async def close(self) -> None:
        """Let running calls finish, then give the folder back; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if isinstance(self._client, Client):
            await self._run(lambda client: client.close())
        self._threads.shutdown()
        self._release()

    async def _ask(self, work: Callable[[Client], R]) -> R:
        try:
            return await self._run(work)
        except Error as error:
            known = explained(self.where, error)
            if known is None:
                raise
            raise known from None  # the address asked may hold parameters

    async def _run(self, work: Callable[[Client], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(self._open()))

    def _open(self) -> Client:
        with self._opening:
            if not isinstance(self._client, Client):
                self._client = self._client()
            return self._client


async def open_chdb(path: Path | str, *, retention: Retention = KEEP) -> Analytics:
    """Open (make, upgrade) the embedded database in a folder.

    Raises ResourceBusy when another process has it, StoreTooNew when a newer program wrote it, DialerError otherwise.
    """
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chdb")
    try:
        client, lock = await asyncio.get_running_loop().run_in_executor(thread, _own_and_open, Path(path), retention)
    except BaseException:
        thread.shutdown(wait=False)
        raise
    return Analytics(client, thread, lock.release, where=str(lock.folder))


def _own_and_open(path: Path, retention: Retention) -> tuple[Client, FolderLock]:
    lock = FolderLock(path.resolve())
    lock.acquire()
    try:
        return _open(lock.folder, retention), lock
    except BaseException:
        lock.release()
        raise


def _open(folder: Path, retention: Retention) -> Client:
    try:
        client = clickhouse_connect.get_client(
            interface="chdb", path=str(folder), settings=SESSION, chdb_options=SERVER_LIMITS
        )
    except ProgrammingError as refused:
        raise _explain(folder, refused) from refused
    try:
        migrate(client)
        keep(client, retention)
    except BaseException:
        client.close()
        raise
    return client


def _explain(folder: Path, refused: ProgrammingError) -> DialerError:
    if "already initialized with path" in str(refused):
        return ResourceBusy(f"{folder}: this process already has another analytics folder open; close that one first")
    if not os.access(folder, os.W_OK):
        return DialerError(f"{folder}: the analytics folder cannot be written; mend its permissions")
    return DialerError(
        f"{folder}: the analytics folder cannot be opened ({refused}); if a ClickHouse tool has it, stop it"
    )
