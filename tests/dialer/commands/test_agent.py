"""`dialer agent` as a person uses it, beside a running dialer: people, one-shot commands, simulated agents."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialer.cli import app
from dialer.commands import context
from dialer.errors import BadInput, IllegalAction, NotFound
from tests.dialer.process import run, started

pytestmark = pytest.mark.component("sqlite")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(context, "_chosen", {})
    monkeypatch.setenv("DIALER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_people_are_added_changed_and_listed() -> None:
    runner = CliRunner()
    said = runner.invoke(app, ["agent", "add", "an", "--name", "Nguyễn An", "--supervisor"])
    password = said.stdout.split()[-1]
    assert len(password) >= 22
    assert isinstance(runner.invoke(app, ["agent", "add", "an"]).exception, IllegalAction)
    for wrong in ("dialer", "a/b", "+"):
        assert isinstance(runner.invoke(app, ["agent", "add", wrong]).exception, BadInput)
    assert runner.invoke(app, ["agent", "change", "an", "--no-active"]).exit_code == 0
    assert isinstance(runner.invoke(app, ["agent", "change", "an"]).exception, BadInput)
    assert isinstance(runner.invoke(app, ["agent", "password", "ba"]).exception, NotFound)
    assert runner.invoke(app, ["agent", "password", "an"]).stdout.split()[-1] != password
    assert json.loads(runner.invoke(app, ["agent", "list", "--json"]).stdout) == [
        {
            "agent": "an",
            "name": "Nguyễn An",
            "supervisor": True,
            "active": False,
            "state": "offline",
        }
    ]
    assert "not active" in runner.invoke(app, ["agent", "list"]).stdout


def test_without_a_running_dialer_there_is_no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_AGENT_PASSWORD", "x")
    refused = CliRunner().invoke(app, ["agent", "ready", "an"])
    assert isinstance(refused.exception, BadInput)
    assert "start `dialer up`" in str(refused.exception)


@pytest.mark.slow
def test_agents_sign_in_beside_a_running_dialer_and_simulated_ones_take_its_calls(home: Path) -> None:
    leads, runner = home.parent / "leads.csv", CliRunner()
    leads.write_text("".join(f"Person {n},09{50_000_000 + n}\n" for n in range(60)))
    for words in (
        ["campaign", "create", "spring", "--hotline", "0900000001", "--hours", "00:00-24:00"],
        ["leads", "import", str(leads), "--campaign", "spring", "--start-row", "1"],
        ["campaign", "approve", "spring"],
        ["campaign", "start", "spring"],
    ):
        assert runner.invoke(app, words).exit_code == 0, words
    password = runner.invoke(app, ["agent", "add", "an"]).stdout.split()[-1]
    asyncio.run(_a_day(home, password))


async def _a_day(home: Path, password: str) -> None:
    async with started(home, "up", "--port", "0", DIALER_DRAIN_S="0") as dialer:
        await dialer.line_with("stop: Ctrl-C")
        code, said, err = await run(
            home, "agent", "sign-in", "an", "--campaign", "spring", DIALER_AGENT_PASSWORD=password
        )
        assert (code, said) == (0, "an is signed in to spring, not ready yet\n"), err
        code, _, err = await run(home, "agent", "pause", "an", "--code", "lunch", DIALER_AGENT_PASSWORD=password)
        assert code == 0, err
        words = ("agent", "simulate", "3", "--campaign", "spring", "--seconds", "10", "--json", "--talk-s", "0.5")
        people, listed = await asyncio.gather(run(home, *words), run(home, "agent", "list", "--json"))
        shown = {row["agent"]: row for row in json.loads(listed[1])}["an"]
        assert (shown["state"], shown["code"], shown["campaign_id"]) == ("not_ready", "lunch", 1)
        counts = json.loads(people[1])
        assert counts["reserved"] > 0, people
        assert (counts["doubled"], counts["refused"]) == ([], 0)
