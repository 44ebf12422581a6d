"""A whole campaign over the simulated switch that records: every talk has its recording, and nothing else has one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.queries import CdrFilter
from dialer.app import Dialer, Role, open_dialer, run_dialer
from dialer.commands import demo_setup
from dialer.config import Settings
from dialer.ports import Clock
from dialer.recordings import url_of
from dialer.wiring import World
from simulator.chance import Duration
from simulator.live import SimulatorTelephony
from simulator.live_agents import SimulatedDesks
from simulator.profile import Fate
from statuses.retry import RetryPolicy
from store.models import Attempt
from store.open import open_database
from store.recordings import SqlRecordings
from store.upgrade import upgrade
from tests.simulator.worlds import only

pytestmark = [pytest.mark.component("sqlite"), pytest.mark.component("chdb")]
LEADS, SPEED = 6, 300.0
RECORDS = msgspec.structs.replace(
    demo_setup.demo_settings(until_done=True),
    record=True,
    retry=RetryPolicy(max_attempts=1),
    overflow_prompt=None,
)


async def prepared(engine: AsyncEngine, home: Path) -> int:
    """Make the demo's campaign, but one that records and calls everybody once."""
    await upgrade(engine)
    return await demo_setup.prepare(engine, RECORDS, now=1_800_000_000.0, home=home, leads=LEADS)


@asynccontextmanager
async def dialed(settings: Settings, campaign_id: int) -> AsyncIterator[Dialer]:
    """Dial the campaign to its end, drain, and give the process while it is still open."""
    _, desk = demo_setup.demo_people(5)
    carrier = only(Fate.ANSWER, talk=Duration(60.0, 0.3, min_s=30.0))

    async def make_world(clock: Clock) -> World:
        trunk = SimulatorTelephony(carrier, clock=clock, seed=7)
        desks = SimulatedDesks(clock=clock, seed=7, trunk=trunk)
        desks.man(campaign_id, desk)
        return World(trunk, desks)

    stop = asyncio.Event()
    async with open_dialer(settings, make_world, role=Role.UP, speed=SPEED) as dialer:
        running = asyncio.create_task(run_dialer(dialer, stop))
        while not running.done() and not (await demo_setup.progress_of(dialer, campaign_id)).ended:  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.2)
        stop.set()
        await running
        yield dialer


@pytest.mark.req("S0-24", "S0-25", "S0-26")
async def test_every_talk_of_a_campaign_has_its_recording(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    engine = open_database(settings.database)
    recordings = SqlRecordings(engine)
    async with dialed(settings, await prepared(engine, tmp_path)) as dialer:
        async with engine.connect() as connection:
            columns = (Attempt.call_id, Attempt.bridged_at, Attempt.ended_at)
            calls = (await connection.execute(select(*columns).where(Attempt.bridged_at.is_not(None)))).all()
        kept = {row.call_id: row for row in await recordings.newest(campaign_id=None, deleted=True, limit=1000)}
        assert len(calls) > LEADS / 3, "everybody answers; some hang up before an agent is free"
        assert kept.keys() == {call.call_id for call in calls}
        for call in calls:
            row = kept[call.call_id]
            assert 0 < row.seconds <= call.ended_at - call.bridged_at + 0.1, "a hurried clock may begin it late"
            data = await asyncio.to_thread((tmp_path / "recordings" / row.path).read_bytes)
            assert sha256(data).hexdigest() == row.sha256
            assert len(data) * 8 / 24_000 == pytest.approx(row.seconds, rel=0.05, abs=0.3), "whole, at 24 kbit/s"
        found = await dialer.cdr.search(CdrFilter(recorded=True, limit=1000))
        assert {row.call_id: row.recording_url for row in found} == {call_id: url_of(call_id) for call_id in kept}
        assert all(row.disposition or row.lead_trigger for row in found), "the agent's word is still there"
        assert (await dialer.verify()).ok
    await engine.dispose()
