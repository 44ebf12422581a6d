"""One process at a time."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.errors import ResourceBusy
from store.open import open_database
from store.sole import PROJECTOR, alone

WHAT = "projects the call records"


async def test_the_second_one_is_refused_until_the_first_has_ended(postgres: AsyncEngine) -> None:
    begun, let_go = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await let_go.wait()

    async def quick() -> None:
        quick_ones.append(1)

    quick_ones: list[int] = []
    first = asyncio.create_task(alone(postgres, PROJECTOR, WHAT, work))
    await asyncio.wait_for(begun.wait(), 20)
    second = open_database(postgres.url.render_as_string(hide_password=False))
    try:
        with pytest.raises(ResourceBusy, match="another process projects the call records"):
            await alone(second, PROJECTOR, WHAT, quick)
        assert not quick_ones
        let_go.set()
        await asyncio.wait_for(first, 20)
        await alone(second, PROJECTOR, WHAT, quick)
        assert quick_ones == [1]
    finally:
        await second.dispose()


async def test_work_ends_with_the_connection_that_holds_the_lock(
    postgres: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.sole.STILL_S", 0.1)
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(alone(postgres, PROJECTOR, WHAT, work))
    await asyncio.wait_for(begun.wait(), 20)
    async with postgres.connect() as connection:
        kill = text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = :key")
        await connection.execute(kill, {"key": PROJECTOR})
    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(running, 20)


async def test_on_sqlite_it_simply_runs(sqlite: AsyncEngine) -> None:
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    await alone(sqlite, PROJECTOR, WHAT, work)
    assert done == [1]
