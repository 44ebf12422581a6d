"""One process at a time."""

from __future__ import annotations

import asyncio
import logging

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from store.locks import Lock
from store.open import open_database
from store.sole import alone

WHAT = "projects the call records"


async def test_the_second_one_stands_by_until_the_first_has_ended(
    postgres: AsyncEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("store.sole.AGAIN_S", 0.05)
    begun, let_go = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await let_go.wait()

    async def quick() -> None:
        quick_ones.append(1)

    quick_ones: list[int] = []
    first = asyncio.create_task(alone(postgres, Lock.PROJECTOR, WHAT, work))
    await asyncio.wait_for(begun.wait(), 20)
    second = open_database(postgres.url.render_as_string(hide_password=False))
    try:
        with caplog.at_level(logging.INFO, logger="store.sole"):
            standing_by = asyncio.create_task(alone(second, Lock.PROJECTOR, WHAT, quick))
            await asyncio.sleep(0.5)
            assert not quick_ones
            let_go.set()
            await asyncio.wait_for(first, 20)
            await asyncio.wait_for(standing_by, 20)
        assert quick_ones == [1]
        said = [record.__dict__["action"] for record in caplog.records if record.name == "store.sole"]
        assert said == ["sole.standby", "sole.takeover"], "once, however often it tries"
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

    running = asyncio.create_task(alone(postgres, Lock.PROJECTOR, WHAT, work))
    await asyncio.wait_for(begun.wait(), 20)
    async with postgres.connect() as connection:
        kill = text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = :key")
        await connection.execute(kill, {"key": int(Lock.PROJECTOR)})
    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(running, 20)


async def test_on_sqlite_it_simply_runs(sqlite: AsyncEngine) -> None:
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    await alone(sqlite, Lock.PROJECTOR, WHAT, work)
    assert done == [1]
