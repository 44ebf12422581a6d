"""Transactions as one piece of work."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from store.models import AppSetting
from store.open import open_database
from store.runner import AsyncRunner, SqliteRunner, runner_for


def put(key: str) -> Any:
    return lambda connection: connection.execute(insert(AppSetting).values(key=key, value="1")).rowcount


def keys(connection: Connection) -> list[str]:
    return sorted(connection.execute(select(AppSetting.key)).scalars())


@pytest.fixture
async def runner(engine: AsyncEngine) -> AsyncRunner | SqliteRunner:
    async with engine.begin() as connection:
        await connection.execute(AppSetting.__table__.delete())  # type: ignore[attr-defined]
    made = runner_for(engine)
    assert isinstance(made, AsyncRunner | SqliteRunner)
    return made


async def test_work_is_committed_or_undone_as_a_whole(runner: AsyncRunner | SqliteRunner) -> None:
    assert await runner.write(put("a")) == 1

    def half(connection: Connection) -> None:
        put("b")(connection)
        put("a")(connection)

    with pytest.raises(IntegrityError):
        await runner.write(half)
    assert await runner.read(keys) == ["a"]


async def test_writes_of_one_process_do_not_disturb_each_other(runner: AsyncRunner | SqliteRunner) -> None:
    await asyncio.gather(*(runner.write(put(str(number))) for number in range(20)))
    assert len(await runner.read(keys)) == 20


async def test_sqlite_writes_leave_the_event_loop_alone(sqlite: AsyncEngine) -> None:
    runner = runner_for(sqlite)
    assert await runner.write(lambda _: threading.current_thread().name) != threading.current_thread().name


async def test_sqlite_work_that_began_is_finished_though_nobody_waits(sqlite: AsyncEngine) -> None:
    runner = runner_for(sqlite)
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        begun.set()
        assert go_on.wait(10)
        put("kept")(connection)

    writing = asyncio.create_task(runner.write(slow))
    assert await asyncio.to_thread(begun.wait, 10)
    writing.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await runner.write(lambda _: None)
    assert await runner.read(keys) == ["kept"]


async def test_disposing_of_the_engine_ends_the_thread(sqlite_url: str) -> None:
    engine = open_database(sqlite_url)
    runner = runner_for(engine)
    name = await runner.write(lambda _: threading.current_thread())
    await engine.dispose()
    assert not name.is_alive()
    with pytest.raises(RuntimeError):
        await runner.write(put("late"))


async def test_errors_do_not_tell_phone_numbers(sqlite: AsyncEngine) -> None:
    runner = runner_for(sqlite)
    await runner.write(put("+84000000001"))
    with pytest.raises(IntegrityError) as caught:
        await runner.write(put("+84000000001"))
    assert "0000001" not in str(caught.value)
    with pytest.raises(IntegrityError) as again:
        async with sqlite.begin() as connection:
            await connection.execute(insert(AppSetting).values(key="+84000000001", value="1"))
    assert "0000001" not in str(again.value)
