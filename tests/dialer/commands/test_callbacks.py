"""`dialer callbacks` as a person and as a program use it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dialer.commands import campaign
from dialer.commands.callbacks import app
from dialer.commands.context import open_store
from dialer.errors import BadInput, NotFound
from tests.crm.test_callbacks import appointed, missed
from tests.crm.worlds import NOW, people

pytestmark = pytest.mark.component("sqlite")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIALER_HOME", str(tmp_path / "home"))
    assert CliRunner().invoke(campaign.app, ["create", "Tết"]).exit_code == 0

    async def work() -> None:
        async with open_store() as store:
            first, second = await people(store.engine, tmp_path, 2)
            await appointed(store.engine, first, NOW)
            await missed(store.engine, second, due_at=NOW + 60)

    asyncio.run(work())
    return tmp_path / "home"


def _run(*args: str) -> Result:
    return CliRunner().invoke(app, list(args))


@pytest.mark.req("S2-17", "S2-18", "S2-19")
def test_the_list_says_when_whom_why_and_who_calls_and_a_done_one_leaves_it(home: Path) -> None:
    assert home.is_dir()
    first, second, count = _run("list", "--campaign", "Tết").stdout.splitlines()
    assert first.split()[1:3] == ["2027-01-15", "15:00"]
    assert "appointment  dialer  an  Tết  Khách 1" in first
    assert "missed  people  -  Tết  Khách 2" in second
    assert count == "2 callbacks"
    key = json.loads(_run("list", "--json").stdout)["callbacks"][1]["key"]
    assert _run("done", key, "--by", "Lan").stdout == f"callback {key} is done\n"
    assert _run("list", "--day", "2027-01-15").stdout.splitlines()[-1] == "1 callback"
    assert json.loads(_run("list", "--done", "--json").stdout)["callbacks"][0]["done_by"] == "Lan"


def test_what_is_wrong_is_said(home: Path) -> None:
    assert home.is_dir()
    assert isinstance(_run("list", "--day", "soon").exception, BadInput)
    assert isinstance(_run("list", "--campaign", "Hè").exception, NotFound)
    assert isinstance(_run("done", "task-99").exception, NotFound)
