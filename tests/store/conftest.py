"""Databases for the store's tests: made and migrated once, then copied (SQLite) or emptied (PostgreSQL)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.open import open_database
from store.upgrade import upgrade
from tests.store.worlds import MemoryWorld, SqlWorld, World

BACKENDS = [
    "memory",
    pytest.param("sqlite", marks=pytest.mark.component("sqlite")),
    pytest.param("postgres", marks=pytest.mark.component("postgresql")),
]
_EMPTY = (
    "TRUNCATE customers, campaigns, lists, leads, attempts, callbacks, suppressions, comments, requests, outbox, "
    "offset_ledger, bound_projections CASCADE"
)


async def _upgraded(url: str) -> None:
    engine = open_database(url)
    await upgrade(engine)
    await engine.dispose()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "migrated.db"
    asyncio.run(_upgraded(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'dialer.db')}"


async def _run(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def migrated_database(postgres_server: str) -> Iterator[str]:
    url = f"{postgres_server.rsplit('/', 1)[0]}/store_tests"
    asyncio.run(_run(postgres_server, "CREATE DATABASE store_tests"))
    asyncio.run(_upgraded(url))
    yield url
    asyncio.run(_run(postgres_server, "DROP DATABASE store_tests WITH (FORCE)"))


@pytest.fixture
def emptied_url(migrated_database: str) -> str:
    asyncio.run(_run(migrated_database, _EMPTY))
    return migrated_database


@pytest.fixture(params=BACKENDS)
def backend_url(request: pytest.FixtureRequest) -> str | None:
    if request.param == "memory":
        return None
    return str(request.getfixturevalue("emptied_url" if request.param == "postgres" else "sqlite_url"))


@pytest.fixture
async def world(backend_url: str | None) -> AsyncIterator[World]:
    if backend_url is None:
        yield MemoryWorld()
        return
    engine = open_database(backend_url)
    yield SqlWorld(engine)
    await engine.dispose()


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_database(sqlite_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def postgres(emptied_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_database(emptied_url)
    yield engine
    await engine.dispose()


@pytest.fixture(params=BACKENDS[1:])
def sql_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("emptied_url" if request.param == "postgres" else "sqlite_url"))


@pytest.fixture
async def engine(sql_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_database(sql_url)
    yield engine
    await engine.dispose()
