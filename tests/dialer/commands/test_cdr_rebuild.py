"""`dialer cdr rebuild` on a real home folder."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from cdr.clickhouse import open_chdb
from cdr.projector import PROJECTION
from dialer.commands.cdr import app
from dialer.errors import BadInput, DialerError, ResourceBusy
from store.binding import Bound, rebind
from store.open import open_database
from tests.dialer.commands.cdr_world import CALLS, make_world

pytestmark = pytest.mark.component("chdb", "sqlite")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIALER_HOME", str(tmp_path))
    asyncio.run(make_world(tmp_path))
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(app, list(args))


def test_it_asks_for_yes(home: Path) -> None:
    assert isinstance(run("rebuild").exception, BadInput)


def test_p8_the_hash_is_the_same_before_and_after(home: Path) -> None:
    result = run("rebuild", "--yes")
    assert result.exit_code == 0, result.output
    before, after, last = result.stdout.splitlines()
    assert before.split()[1:] == after.split()[1:]
    assert f"{CALLS} calls" in after
    assert "the same hash before and after" in last
    assert run("verify").exit_code == 0


def test_damaged_analytics_are_made_whole(home: Path) -> None:
    async def damage() -> None:
        analytics = await open_chdb(home / "analytics")
        await analytics.command("TRUNCATE TABLE calls")
        await analytics.close()

    whole = json.loads(run("rebuild", "--yes", "--json").stdout)["after"]
    asyncio.run(damage())
    assert run("verify").exit_code == 1
    done = json.loads(run("rebuild", "--yes", "--json").stdout)
    assert done["before"] != done["after"] == whole
    assert run("verify").exit_code == 0


def test_while_a_service_runs_it_is_refused(home: Path) -> None:
    parent = psutil.Process().parent()
    assert parent is not None
    note = {"pid": parent.pid, "created": parent.create_time(), "url": "http://127.0.0.1:1"}
    (home / "service.json").write_text(json.dumps(note))
    result = run("rebuild", "--yes")
    assert isinstance(result.exception, ResourceBusy)
    assert f"is served by process {parent.pid}" in str(result.exception)


def test_another_log_that_holds_less_is_refused_until_that_is_accepted(home: Path) -> None:
    async def move() -> None:
        engine = open_database(f"sqlite:///{home / 'dialer.db'}")
        analytics = await open_chdb(home / "analytics")
        await rebind(engine, PROJECTION, Bound("Kafka's topic cdr.events", await analytics.made_at()))
        async with engine.begin() as connection:
            await connection.execute(text('DELETE FROM outbox WHERE "offset" <= 10'))
        await analytics.close()
        await engine.dispose()

    asyncio.run(move())
    refused = run("rebuild", "--yes")
    assert isinstance(refused.exception, DialerError)
    assert "and begins at 11, the analytics were made from" in str(refused.exception)
    assert run("verify").exit_code == 0, "nothing was dropped or forgotten"
    accepted = run("rebuild", "--yes", "--lose-older")
    assert accepted.exit_code == 0, accepted.output
    assert run("rebuild", "--yes").exit_code == 0, "it is bound to this log now"
