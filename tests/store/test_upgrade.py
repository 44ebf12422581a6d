"""Upgrading a database: from nothing, twice, by two at once, and what is refused."""

from __future__ import annotations

import asyncio
import sqlite3
import warnings
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import CreateIndex

from dialer.errors import BadInput, DialerError, StoreTooNew
from store.models import Base
from store.open import open_database
from store.upgrade import head, upgrade


async def _upgrade_fails(path: Path, kind: type[DialerError], said: str) -> None:
    engine = open_database(f"sqlite:///{path}")
    try:
        with pytest.raises(kind, match=said):
            await upgrade(engine)
    finally:
        await engine.dispose()


async def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    path.write_bytes(b"SQLite format 3\x00" + b"rubbish" * 400)
    await _upgrade_fails(path, BadInput, "cannot be used")


async def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")
    connection.close()
    await _upgrade_fails(path, BadInput, "another program")


async def test_a_newer_database_is_refused_and_left_alone(sqlite: AsyncEngine, tmp_path: Path) -> None:
    async with sqlite.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreTooNew, match=f"9999.*{head()}"):
        await upgrade(sqlite)
    async with sqlite.connect() as connection:
        assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one() == "9999"


@pytest.mark.component("postgresql")
async def test_a_newer_postgresql_database_is_refused(postgres_url: str) -> None:
    engine = open_database(postgres_url)
    await upgrade(engine)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreTooNew, match="9999"):
        await upgrade(engine)
    await engine.dispose()


async def test_a_server_that_is_not_there_is_told() -> None:
    engine = open_database("postgresql://me:s3cret@127.0.0.1:1/none")
    with pytest.raises(BadInput, match="cannot reach the database") as caught:
        await upgrade(engine)
    assert "s3cret" not in str(caught.value)
    await engine.dispose()


def _differences(connection: Connection) -> list[object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # SQLite cannot reflect an index with a descending column
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    return [one for one in found if connection.dialect.name != "sqlite" or "ix_leads_dial" not in str(one)]


async def test_the_leasing_index_is_the_same_on_sqlite(sqlite: AsyncEngine) -> None:
    wanted = next(index for index in Base.metadata.tables["leads"].indexes if index.name == "ix_leads_dial")
    async with sqlite.connect() as connection:
        made = await connection.execute(text("SELECT sql FROM sqlite_master WHERE name = 'ix_leads_dial'"))
    assert made.scalar_one() == str(CreateIndex(wanted).compile(dialect=sqlite.dialect))


async def test_the_migrations_make_what_the_models_say(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []


async def test_upgrading_again_changes_nothing(engine: AsyncEngine) -> None:
    await upgrade(engine)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one() == head()


async def test_two_processes_upgrade_one_file_at_once(tmp_path: Path) -> None:
    engines = [open_database(f"sqlite:///{tmp_path / 'fresh.db'}") for _ in range(2)]
    await asyncio.gather(*(upgrade(engine) for engine in engines))
    for engine in engines:
        await engine.dispose()


@pytest.mark.component("postgresql")
async def test_two_processes_upgrade_one_postgresql_at_once(postgres_url: str) -> None:
    engines = [open_database(postgres_url) for _ in range(2)]
    await asyncio.gather(*(upgrade(engine) for engine in engines))
    for engine in engines:
        await engine.dispose()
