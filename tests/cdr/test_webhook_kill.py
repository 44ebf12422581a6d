"""`kill -9` at named points: every event arrives at least once, first arrivals in order, few repeats."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cdr.webhook import BATCH, POINTS
from dialer.service.crash import crash_at
from tests.cdr.receiver import receiving
from tests.cdr.webhook_world import webhook_world

pytestmark = pytest.mark.component("sqlite")

ROOT = Path(__file__).resolve().parents[2]
PASSINGS = {"webhook.read": (1,), "webhook.queued": (1,), "webhook.posted": (1, 2, 5), "webhook.confirmed": (1, 2)}
"""At which passings of a point the process dies, one life after the other."""


async def deliver_until(database: Path, spec: str) -> None:
    """Deliver until the crash; nothing else ends it."""
    async with webhook_world(database) as world, asyncio.timeout(60):
        await world.webhooks(fault=crash_at(spec)).run()


def run_child(database: Path, spec: str) -> int:
    code = "import asyncio, sys\nfrom pathlib import Path\nfrom tests.cdr.test_webhook_kill import deliver_until\n"
    code += "asyncio.run(deliver_until(Path(sys.argv[1]), sys.argv[2]))"
    arguments = [sys.executable, "-c", code, str(database), spec]
    return subprocess.run(arguments, cwd=ROOT, check=False, timeout=90).returncode


@pytest.mark.parametrize("point", POINTS)
async def test_killed_between_delivery_and_confirmation_it_repeats_in_order(point: str, tmp_path: Path) -> None:
    database = tmp_path / "dialer.db"
    passings = PASSINGS[point]
    with receiving() as receiver:
        async with webhook_world(database) as world:
            await world.campaign(3, receiver.url)
            expected: list[str] = []
            for passing in passings:
                first = len(expected) + 1
                expected += await world.calls(3, range(2 * first, 2 * first + 2 * (BATCH + 5), 2))
                assert await asyncio.to_thread(run_child, database, f"{point}:{passing}") == -signal.SIGKILL
            async with world.delivering():
                await world.settled()
    got = receiver.event_ids
    assert list(dict.fromkeys(got)) == expected, "nothing is missing, and first arrivals are in order"
    assert len(got) - len(expected) <= BATCH * len(passings), "what a crash repeats is bounded"
    if point == "webhook.posted":
        assert len(got) > len(expected), "the kill hit the moment between delivery and confirmation"


async def test_killed_before_the_position_is_written_the_log_is_read_again_and_nothing_is_queued_twice(
    tmp_path: Path,
) -> None:
    database = tmp_path / "dialer.db"
    with receiving() as receiver:
        async with webhook_world(database) as world:
            await world.campaign(3, receiver.url)
            expected = await world.calls(3, range(2, 20, 2))
            assert await asyncio.to_thread(run_child, database, "webhook.read:1") == -signal.SIGKILL
            assert (await world.queued(), await world.store.position(0)) == (0, 0)
            assert await asyncio.to_thread(run_child, database, "webhook.queued:1") == -signal.SIGKILL
            assert await world.moved()
            async with world.delivering():
                await world.settled()
    assert receiver.event_ids == expected
