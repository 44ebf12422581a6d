"""The demo stopped in two ways and started again: a restart is not a cold start."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dialer.core.pacing.estimators import Estimators
from tests.dialer.process import WAIT_S, run, started

DEMO = ("demo", "--headless", "--speed", "100", "--leads", "600", "--agents", "8")
pytestmark = [pytest.mark.component("sqlite"), pytest.mark.component("chdb"), pytest.mark.timeout(600)]


ENOUGH = """SELECT 1 FROM learned WHERE length(blob) > 0 AND 100 <=
    (SELECT count(*) FROM attempts WHERE settled AND ended_at < saved_at)"""
"""Many calls had ended before the last save."""


def asked(home: Path, query: str) -> Any:
    """Return the first row, None while there is none or no such table yet."""
    if not (home / "dialer.db").exists():
        return None
    with contextlib.closing(sqlite3.connect(home / "dialer.db")) as db, contextlib.suppress(sqlite3.OperationalError):
        return db.execute(query).fetchone()
    return None


def logged(home: Path) -> list[dict[str, Any]]:
    path = home / "dialer.log"
    whole = path.read_text().split("\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in whole]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 -- nothing here is told when a file changes
            await asyncio.sleep(0.2)


async def until_saved(home: Path) -> None:
    await until(lambda: asked(home, ENOUGH) is not None)


async def next_start(home: Path) -> list[dict[str, Any]]:
    """Start again until the campaign is taken; return the log's lines about it, in order."""
    before = len(logged(home))

    def heard() -> list[dict[str, Any]]:
        return [line for line in logged(home)[before:] if line["action"].startswith(("learned.", "campaign."))]

    async with started(home, *DEMO):
        await until(lambda: any(line["action"] == "campaign.taken" for line in heard()))
    return heard()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "drained"])
async def test_the_next_process_knows_the_answer_rate_before_its_first_call(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with started(tmp_path, *DEMO) as demo:
        await until_saved(tmp_path)
        code, out = await demo.stop(number)
        assert code == (-signal.SIGKILL if number is signal.SIGKILL else 0), out
    blob, saved_at = asked(tmp_path, "SELECT blob, saved_at FROM learned")
    if number is signal.SIGTERM:
        (last_end,) = asked(tmp_path, "SELECT max(ended_at) FROM attempts")
        assert saved_at >= last_end, "an orderly stop saves after the last call"
    known = Estimators()
    known.load(blob)
    lines = await next_start(tmp_path)
    assert [line["action"] for line in lines[:2]] == ["learned.recalled", "campaign.taken"]
    assert lines[0]["answer_rate"] == pytest.approx(known.estimates().p_answer, abs=0.01)
    assert lines[0]["answer_rate"] != pytest.approx(Estimators().estimates().p_answer, abs=0.05)


async def test_a_forgotten_campaign_starts_cold(tmp_path: Path) -> None:
    async with started(tmp_path, *DEMO) as demo:
        await until_saved(tmp_path)
        (name,) = asked(tmp_path, "SELECT name FROM campaigns")
        code, said, err = await run(tmp_path, "campaign", "forget", name)
        assert (code, err) == (0, "")
        assert said == f"campaign {name!r} has forgotten what it learned; pacing starts cold\n"
        await until(lambda: any(line["action"] == "learned.forgotten" for line in logged(tmp_path)))
        await demo.stop(signal.SIGKILL)
    assert asked(tmp_path, "SELECT forgets FROM learned") == (1,)
    code, _, err = await run(tmp_path, "campaign", "forget", name)  # what it learned between the two
    assert code == 0, err
    lines = await next_start(tmp_path)
    assert lines[0]["action"] == "campaign.taken"
