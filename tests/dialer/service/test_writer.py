"""Group commit."""

from __future__ import annotations

import asyncio

import pytest

from dialer.core.effects import LeaseLeads
from dialer.core.events import Event
from dialer.core.types import Fence
from dialer.ports import Owned
from dialer.service import writer as module
from dialer.service.writer import Writer
from simulator.clock import VirtualClock
from store.memory import MemoryLeadStore
from tests.dialer.core.bench_engine import SETTINGS, START
from tests.dialer.service.stage import FlakyStore, Stage

LEASE = Owned(Fence(1, "one", 1, START + 60), LeaseLeads(5))


async def started(store: MemoryLeadStore) -> tuple[Writer, list[tuple[int, Event]], asyncio.Task[None]]:
    store.add_campaign(SETTINGS)
    await store.acquire(1, owner="one", now=START, ttl_s=60)
    heard: list[tuple[int, Event]] = []
    writer = Writer(store, VirtualClock(START), lambda campaign, event: heard.append((campaign, event)))
    return writer, heard, asyncio.create_task(writer.run())


async def test_what_waits_together_is_committed_together() -> None:
    store = FlakyStore(0)
    writer, heard, running = await started(store)
    for _ in range(50):
        writer.put(LEASE)
    await asyncio.wait_for(writer.flushed(), 5)
    assert len(heard) == 50
    assert store.commits == 1
    running.cancel()


async def test_a_commit_that_fails_is_tried_again_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", (0.0,))
    writer, heard, running = await started(FlakyStore(3))
    writer.put(LEASE)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    slow = writer.is_slow
    await asyncio.wait_for(writer.flushed(), 5)
    assert (slow, writer.is_slow) == (True, False)
    assert len(heard) == 1
    running.cancel()


async def test_it_gives_up_loudly_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", (0.0,))
    monkeypatch.setattr(module, "GIVE_UP", 2)
    writer, _, running = await started(FlakyStore(99))
    writer.put(LEASE)
    with pytest.raises(OSError, match="no space left"):
        await asyncio.wait_for(running, 5)


async def test_a_slow_store_brakes_dialing_and_lets_go() -> None:
    stage = Stage(store=FlakyStore(1_000))
    stage.campaign(leads=3)
    async with stage.running():
        await stage.clock.advance(10)
        assert stage.invites == []
        assert stage.driver.seats[1].engine.figures(stage.clock.now()).reason == "store_slow"
