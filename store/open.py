"""Open the database: SQLite by default, PostgreSQL by URL (architecture.md 5)."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from dialer.errors import BadInput

BUSY_TIMEOUT_S: Final = 15.0
_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # WAL alone would lose the last commits with the power: an intent must survive it
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -16384",
)
_READS_ONLY: Final = "store_reads_only"
_MAGIC: Final = b"SQLite format 3\x00"


def _dumps(value: object) -> str:
    return msgspec.json.encode(value).decode()


_OPTIONS: Final[dict[str, Any]] = {
    "json_serializer": _dumps,
    "json_deserializer": msgspec.json.decode,
    "hide_parameters": True,  # errors are logged, and parameters are phone numbers
}


def open_database(url: str) -> AsyncEngine:
    """Open `sqlite:///PATH` or `postgresql://USER@HOST/NAME`; connections are made when they are first needed.

    Raises BadInput for another kind of URL, a folder that does not exist, or a file that is not an SQLite database.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "postgresql":
        return create_async_engine(parsed, pool_pre_ping=True, **_OPTIONS)
    if parsed.database and parsed.database != ":memory:":
        _check_file(Path(parsed.database))
    engine = create_async_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_S}, **_OPTIONS)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def readers(engine: AsyncEngine) -> AsyncEngine:
    """Return the same engine for transactions that only read: on SQLite they never wait for a writer."""
    return engine.execution_options(**{_READS_ONLY: True})


def blocking_twin(engine: AsyncEngine) -> Engine:
    """Open the same SQLite file with the blocking driver, for a thread of its own; the caller disposes of it."""
    url = engine.url.set(drivername="sqlite+pysqlite")
    connect_args = {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}
    twin = create_engine(url, connect_args=connect_args, **_OPTIONS)
    event.listen(twin, "connect", _prepare_sqlite)
    event.listen(twin, "begin", _begin_sqlite)
    return twin


def sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Make sessions whose objects stay readable after the commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadInput(f"{url!r} is not a database URL; use sqlite:///PATH or postgresql://USER@HOST/NAME") from error
    driver = _DRIVERS.get(parsed.get_backend_name())
    if driver is None:
        shown = parsed.render_as_string(hide_password=True)
        raise BadInput(f"{shown}: the database must be sqlite:///PATH or postgresql://USER@HOST/NAME")
    return parsed.set(drivername=driver)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise BadInput(f"{path} is a folder; name a database file inside it")
    if not path.parent.is_dir():
        raise BadInput(f"the folder {path.parent} does not exist; make it, or name another database file")
    try:
        head = _head(path)
    except OSError as error:
        raise BadInput(f"cannot read the database file {path}: {error.strerror}; check its permissions") from error
    if head and head != _MAGIC:
        raise BadInput(f"{path} is not an SQLite database; move it away, or name another database file")


def _head(path: Path) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        return file.read(len(_MAGIC))


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself: see `_begin_sqlite`.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    try:
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
    except sqlite3.DatabaseError as error:
        raise BadInput(f"the database file cannot be used: {error}; restore it, or name another one") from error
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later may fail at the write (SQLITE_BUSY_SNAPSHOT): writers queue here.
    deferred = connection.get_execution_options().get(_READS_ONLY, False)
    connection.exec_driver_sql("BEGIN" if deferred else "BEGIN IMMEDIATE")
