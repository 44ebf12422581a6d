"""`dialer cdr dead-letters` on a real home folder."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from cdr import events
from cdr.clickhouse import open_chdb
from cdr.encode import OutboxEvent
from cdr.events import SCHEMA_VERSION
from cdr.projector import Projector
from dialer.commands.cdr import app
from dialer.errors import BadInput, NotFound
from store.ledger import SqlOffsetLedger
from store.open import open_database
from store.outbox import SqlOutboxLog, append
from tests.cdr.samples import life, phone
from tests.dialer.commands.cdr_world import make_world

pytestmark = pytest.mark.component("chdb", "sqlite")

NUMBER = 77


async def poison(home: Path) -> None:
    """Let a newer program have written a call, and something else a record of two bytes."""
    newer = [
        OutboxEvent(event.event_id, event.key, event.type, event.value.replace(SCHEMA_VERSION.encode(), b"2.0", 1))
        for event in life(NUMBER)
    ]
    engine = open_database(f"sqlite:///{home / 'dialer.db'}")
    async with engine.begin() as connection:
        await connection.run_sync(append, [*newer, OutboxEvent("x", "x", "x", b"{}")], now=1.0)
    analytics = await open_chdb(home / "analytics")
    projector = Projector(SqlOutboxLog(engine), SqlOffsetLedger(engine), analytics)
    while await projector.run_once():
        pass
    await analytics.close()
    await engine.dispose()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    asyncio.run(make_world(home))
    asyncio.run(poison(home))
    return home


@pytest.fixture(autouse=True)
def home(world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIALER_HOME", str(world))
    return world


def run(*args: str) -> Result:
    return CliRunner().invoke(app, ["dead-letters", *args])


def test_the_list_has_places_and_reasons_and_no_content() -> None:
    result = run("list")
    *lines, last = result.stdout.splitlines()
    assert last == f"{len(lines)} dead letters"
    assert len(lines) == len(list(life(NUMBER))) + 1
    assert all("another major schema version" in line for line in lines[:-1])
    assert "missing required field" in lines[-1]
    assert phone(NUMBER)[1:] not in result.stdout
    assert len(json.loads(run("list", "--json", "--limit", "3").stdout)) == 3


def test_one_is_shown_as_it_is() -> None:
    first = json.loads(run("list", "--json").stdout)[0]
    shown = run("show", str(first["partition"]), str(first["offset"])).stdout.splitlines()
    assert shown[0] == "reason: another major schema version"
    assert json.loads(shown[1])["phone_e164"] == phone(NUMBER)
    missing = run("show", "0", "1")
    assert isinstance(missing.exception, NotFound)
    assert "0:1 is not among the dead letters" in str(missing.exception)


def test_after_an_upgrade_a_replay_projects_what_it_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    count = len(list(life(NUMBER)))
    assert run("replay").stdout == f"0 of {count + 1} dead letters were projected, {count + 1} cannot be read yet\n"

    def lenient(event: events.Envelope[msgspec.Raw]) -> None:
        """Read what was the next version."""

    monkeypatch.setattr(events, "_check", lenient)
    assert json.loads(run("replay", "--json").stdout) == {"found": count + 1, "projected": count, "left": 1}
    found = CliRunner().invoke(app, ["show", f"call-{NUMBER:06}", "--json"])
    assert json.loads(found.stdout)["status"] == "answered"
    assert CliRunner().invoke(app, ["verify"]).exit_code == 0


def test_what_nobody_can_read_is_given_up() -> None:
    (left,) = json.loads(run("list", "--json").stdout)
    place = [str(left["partition"]), str(left["offset"])]
    for wrong, why in (
        (["--yes"], "which dead letters?"),
        ([place[0], "--yes"], "which dead letters?"),
        ([*place, "--all", "--yes"], "which dead letters?"),
        (place, "say --yes"),
    ):
        refused = run("discard", *wrong)
        assert isinstance(refused.exception, BadInput)
        assert why in str(refused.exception)
    missing = run("discard", "0", "1", "--yes")
    assert isinstance(missing.exception, NotFound)
    assert run("discard", *place, "--yes").stdout == "1 dead letters were discarded\n"
    assert json.loads(run("discard", "--all", "--yes", "--json").stdout) == {"discarded": 0}
    assert run("list").stdout == "there are no dead letters\n"
    assert json.loads(run("list", "--discarded", "--json").stdout) == [left]
    assert run("show", *place).stdout == f"reason: {left['reason']}\n{{}}\n"
    assert json.loads(run("replay", "--json").stdout) == {"found": 0, "projected": 0, "left": 0}
    assert CliRunner().invoke(app, ["verify"]).exit_code == 0
