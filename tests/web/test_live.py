from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import event, insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.core.campaign import CampaignState
from dialer.core.types import CampaignSettings
from store.models import Base, Campaign, Webhook
from store.open import open_database
from web.live import STALE_S, LiveBoard, read_snapshot

NOW = 1_800_000_000.0


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = open_database(f"sqlite:///{tmp_path / 'live.db'}")
    async with opened.begin() as db:
        await db.run_sync(Base.metadata.create_all)
        settings = msgspec.json.encode(CampaignSettings(0, "")).decode()
        values = {"state": "running", "state_since": NOW, "settings": settings, "created_at": NOW}
        served = {"owner": "engine", "lease_expires_at": NOW + 30, "runtime_at": NOW}
        nobody = {"owner": None, "lease_expires_at": None, "runtime_at": None}
        await db.execute(insert(Campaign), [{"name": "A", **values, **served}, {"name": "B", **values, **nobody}])
    yield opened
    await opened.dispose()


async def until(true: Callable[[], bool]) -> None:
    """Wait for a background task's work, at most 10 s."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 (the board signals nobody: its readers look every second)
            await asyncio.sleep(0.01)


async def test_a_snapshot_says_who_is_served(engine: AsyncEngine) -> None:
    snapshot = await read_snapshot(engine, now=NOW)
    assert [(view.name, view.state, view.served) for view in snapshot.campaigns] == [
        ("A", CampaignState.RUNNING, True),
        ("B", CampaignState.RUNNING, False),
    ]
    later = await read_snapshot(engine, now=NOW + 31)
    assert not later.campaigns[0].served


async def test_a_snapshot_says_whose_webhook_is_disabled(engine: AsyncEngine) -> None:
    posts = msgspec.json.encode(CampaignSettings(0, "", callback_url="https://crm.example.com/")).decode()
    async with engine.begin() as db:
        ill = {"since": NOW, "disabled_at": NOW, "disabled_reason": "410 Gone"}
        await db.execute(insert(Webhook), [{"campaign_id": 1, **ill}, {"campaign_id": 2, **ill}])
        await db.execute(update(Campaign).where(Campaign.id == 1).values(settings=posts))
    snapshot = await read_snapshot(engine, now=NOW)
    assert [view.webhook_disabled for view in snapshot.campaigns] == ["410 Gone", ""], "the second one posts nowhere"


async def test_the_pulse_changes_with_a_revision(engine: AsyncEngine) -> None:
    before = (await read_snapshot(engine, now=NOW)).pulse
    assert (await read_snapshot(engine, now=NOW)).pulse == before
    async with engine.begin() as db:
        await db.execute(update(Campaign).values(revision=Campaign.revision + 1))
    assert (await read_snapshot(engine, now=NOW)).pulse != before


async def test_silence_is_judged_by_the_wall_not_by_the_services_clock(engine: AsyncEngine) -> None:
    wall = [0.0]
    board = LiveBoard(engine, lambda: NOW + 29, lambda: wall[0])
    assert not (await board.refresh()).campaigns[0].stale
    wall[0] = STALE_S - 1
    assert not (await board.refresh()).campaigns[0].stale
    wall[0] = STALE_S + 1
    assert (await board.refresh()).campaigns[0].stale
    async with engine.begin() as db:
        await db.execute(update(Campaign).where(Campaign.name == "A").values(runtime_at=NOW + 1))
    assert not (await board.refresh()).campaigns[0].stale


async def test_many_watchers_cost_one_reading_and_none_cost_nothing(engine: AsyncEngine) -> None:
    asked: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    board = LiveBoard(engine, lambda: NOW)
    for _ in range(50):
        board.watch()
    await until(lambda: board.snapshot is not None)
    assert sum("FROM campaigns" in statement for statement in asked) == 1
    for _ in range(50):
        board.leave()
    await asyncio.sleep(0.05)
    asked.clear()
    await asyncio.sleep(1.2)
    assert asked == []


async def test_a_broken_store_is_told_and_tried_again(engine: AsyncEngine, tmp_path: Path) -> None:
    board = LiveBoard(open_database(f"sqlite:///{tmp_path / 'empty.db'}"), lambda: NOW)
    board.watch()
    await until(lambda: board.failed)
    broken, board.engine = board.engine, engine
    await until(lambda: not board.failed)
    await board.close()
    await broken.dispose()


async def test_current_is_read_again_after_a_second_at_the_latest(engine: AsyncEngine) -> None:
    wall = [100.0]
    board = LiveBoard(engine, lambda: NOW, lambda: wall[0])
    first = await board.current()
    assert await board.current() is first
    wall[0] += 1.5
    assert await board.current() is not first
