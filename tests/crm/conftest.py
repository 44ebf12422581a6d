"""A database per test, copied from one that is made once; PostgreSQL too where a test asks for `engine`."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.open import open_database
from store.upgrade import upgrade

BACKENDS = [
    pytest.param("sqlite", marks=pytest.mark.component("sqlite")),
    pytest.param("postgres", marks=pytest.mark.component("postgresql")),
]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "dialer.db"

    async def make() -> None:
        engine = open_database(f"sqlite:///{path}")
        await upgrade(engine)
        await engine.dispose()

    asyncio.run(make())
    return path


@pytest.fixture(params=BACKENDS)
def engine_url(request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path) -> str:
    # An async fixture asked for by name must be made before the loop runs: hence no `async` here.
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{shutil.copy(empty_database, tmp_path)}"


@pytest.fixture
async def engine(engine_url: str) -> AsyncIterator[AsyncEngine]:
    opened = open_database(engine_url)
    await upgrade(opened)
    yield opened
    await opened.dispose()


@pytest.fixture
async def sqlite(tmp_path: Path, empty_database: Path) -> AsyncIterator[AsyncEngine]:
    opened = open_database(f"sqlite:///{shutil.copy(empty_database, tmp_path)}")
    yield opened
    await opened.dispose()
