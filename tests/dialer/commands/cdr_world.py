"""A home folder with a campaign and its calls, made through the real outbox, projector and databases."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.clickhouse import open_chdb
from cdr.projector import Projector
from store.ledger import SqlOffsetLedger
from store.models import Campaign
from store.open import open_database
from store.outbox import SqlOutboxLog, append
from store.upgrade import upgrade
from tests.cdr.samples import CAMPAIGN, START, life

CALLS = 6


async def make_world(home: Path) -> None:
    """Make the home folder: calls 1, 3, 5 were talks, 2, 4, 6 engaged."""
    engine = open_database(f"sqlite:///{home / 'dialer.db'}")
    try:
        await upgrade(engine)
        await _write(engine)
        await _project(engine, home / "analytics")
    finally:
        await engine.dispose()


async def _write(engine: AsyncEngine) -> None:
    campaign = {"name": CAMPAIGN.name, "state": "running", "state_since": START, "settings": "{}", "created_at": START}
    events = [event for number in range(1, CALLS + 1) for event in life(number)]
    async with engine.begin() as connection:
        await connection.execute(insert(Campaign).values(id=CAMPAIGN.campaign_id, **campaign))
        await connection.run_sync(lambda sync: append(sync, events, now=START))


async def _project(engine: AsyncEngine, folder: Path) -> None:
    analytics = await open_chdb(folder)
    try:
        projector = Projector(SqlOutboxLog(engine), SqlOffsetLedger(engine), analytics)
        while await projector.run_once():
            pass
    finally:
        await analytics.close()
