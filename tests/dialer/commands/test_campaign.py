"""`dialer campaign` as a person and as a program use it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dialer.cli import main
from dialer.commands import leads
from dialer.commands.campaign import app
from dialer.errors import BadInput, DialerError, IllegalAction, NotFound
from tests.crm.worlds import csv_file, number

pytestmark = pytest.mark.component("sqlite")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIALER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _run(*args: str) -> Result:
    return CliRunner().invoke(app, list(args))


def _said(*args: str) -> str:
    result = _run(*args)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def _refused(kind: type[DialerError], *args: str) -> str:
    result = _run(*args)
    assert isinstance(result.exception, kind), (result.output, result.exception)
    assert result.stdout == ""
    return str(result.exception)


def _only() -> dict[str, Any]:
    (found,) = json.loads(_said("list", "--json"))
    assert isinstance(found, dict)
    return found


def test_create_with_every_option(home: Path) -> None:
    said = _said(
        "create", "Tết", "--kind", "ratio", "--ratio", "2", "--ring-timeout", "20", "--wrap-up", "15", "--hotline",
        "02873001234", "--hotline", "19001234", "--hours", "08:00-12:00,13:00-17:30", "--days", "mon-fri", "--timezone",
        "Asia/Ho_Chi_Minh", "--holidays", "VN", "--purpose", "survey", "--max-attempts", "4", "--retry-gap", "900",
        "--pacer", "progressive", "end-when-done=yes", "per_24h=1",
    )  # fmt: skip
    assert said == "campaign 'Tết' is a draft; import leads, then: dialer campaign approve 'Tết'\n"
    settings = _only()["settings"]
    assert (settings["kind"], settings["pacer"], settings["ratio"]) == ("ratio", "progressive", 2.0)
    assert (settings["hotlines"], settings["purpose"]) == (["+842873001234", "19001234"], "survey")
    assert [len(day) for day in settings["window"]["weekdays"]] == [2, 2, 2, 2, 2, 0, 0]
    assert (settings["window"]["holiday_country"], settings["retry"]["max_attempts"]) == ("VN", 4)
    assert (settings["end_when_done"], settings["caps"]["per_24h"], settings["wrap_up_s"]) == (True, 1, 15.0)


def test_a_message_campaign_is_created_with_its_prompt_and_may_get_another(home: Path) -> None:
    _said("create", "Nhắc phí", "--kind", "autodialer", "--prompt", "reminder")
    _said("set", "Nhắc phí", "prompt=second-reminder")
    settings = _only()["settings"]
    assert (settings["kind"], settings["pacer"], settings["prompt"]) == ("autodialer", "agentless", "second-reminder")
    assert "prompt" in _refused(BadInput, "set", "Nhắc phí", "prompt=")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--ratio", "50"], "ratio: 50 is outside 1 to 20"),
        (["--kind", "magic"], "kind=magic: choose one of"),
        (["--kind", "autodialer"], "prompt: a campaign of kind autodialer needs something to play"),
        (["--hours", "17:00-08:00"], "closes before it opens"),
        (["--purpose", "advertising", "--hours", "18:00-20:00"], "lawful only 08:00-17:00"),
        (["speed=9"], "speed: there is no such setting"),
        (["speed"], "'speed' is not KEY=VALUE"),
    ],
)
def test_a_wrong_order_creates_nothing(home: Path, options: list[str], words: str) -> None:
    assert words in _refused(BadInput, "create", "Tết", *options)
    assert json.loads(_said("list", "--json")) == []


def test_the_life_of_a_campaign(home: Path) -> None:
    _said("create", "Tết")
    assert "dialer campaign set 'Tết' hotlines=NUMBER" in _refused(BadInput, "approve", "Tết")
    _said("set", "Tết", "hotlines=02873001234")
    assert "there is a campaign 'Tết' already" in _refused(BadInput, "create", "Tết")
    assert "allowed now: approve, end" in _refused(IllegalAction, "start", "Tết")
    assert _said("approve", "Tết") == "campaign 'Tết' is approved\n"
    assert json.loads(_said("start", "Tết", "--json")) == {
        "name": "Tết", "state": "running", "resumes_by_schedule": True,
    }  # fmt: skip
    assert _said("pause", "Tết") == "campaign 'Tết' is paused and resumes by its schedule\n"
    assert _said("stop", "Tết") == "campaign 'Tết' is paused\n"
    assert _said("end", "Tết") == "campaign 'Tết' is ended\n"
    assert "allowed now: nothing" in _refused(IllegalAction, "start", "Tết")
    assert "Did you mean 'Tết'?" in _refused(NotFound, "start", "Tet")


def test_set_changes_settings(home: Path) -> None:
    _said("create", "Tết")
    assert _said("set", "Tết", "ratio=2", "ring-timeout-s=20") == "campaign 'Tết': ratio=2, ring-timeout-s=20\n"
    assert (_only()["settings"]["ratio"], _only()["settings"]["ring_timeout_s"]) == (2.0, 20.0)
    assert "ratio: 0 is outside" in _refused(BadInput, "set", "Tết", "ratio=0")
    assert "say what to change" in _refused(BadInput, "set", "Tết")
    assert "retry_gap_s" in _said("keys")
    assert "hours" in json.loads(_said("keys", "--json"))


def test_status_and_why(home: Path, tmp_path: Path) -> None:
    _said("create", "Tết", "--hours", "00:00-24:00")
    path = csv_file(tmp_path / "a.csv", [["Họ tên", "Số"], ["An", number(1)], ["Bình", number(2)]])
    assert CliRunner().invoke(leads.app, ["import", str(path), "--campaign", "Tết"]).exit_code == 0
    assert CliRunner().invoke(leads.app, ["pause", "1"]).exit_code == 0
    shown = _said("status", "Tết")
    assert "draft" in shown
    assert "no service" in shown
    told = json.loads(_said("why", "Tết", "--json"))
    assert [hold["reason"] for hold in told["holds"]] == ["campaign_not_running", "no_service"]
    assert told["leads"] == {"paused_lead": 1, "ready": 1}
    assert told["examples"] == {"paused_lead": [1], "ready": [2]}
    words = _said("why", "Tết")
    assert "campaign_not_running: it is a draft; approve it, then start it" in words
    assert "nothing: ready to be dialed" in words
    assert "lead 1: paused_lead" in _said("why", "Tết", "--lead", "1")
    assert json.loads(_said("why", "Tết", "--lead", "2", "--json"))["lead"]["reason"] is None
    assert "has no lead 9" in _refused(NotFound, "why", "Tết", "--lead", "9")
    assert _said("release", "Tết") == "0 leads may be called again\n"


def test_forgetting_is_asked_for_by_name(home: Path) -> None:
    _said("create", "Tết")
    assert _said("forget", "Tết") == "campaign 'Tết' has forgotten what it learned; pacing starts cold\n"
    assert json.loads(_said("forget", "Tết", "--json")) == {"name": "Tết", "forgotten": True}
    assert "Did you mean 'Tết'?" in _refused(NotFound, "forget", "Tet")


def test_a_mistake_costs_one_line_and_exit_status_2(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["dialer", "campaign", "start", "Tết"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "there is no campaign 'Tết'. There is none yet." in capsys.readouterr().err.replace("\n", " ")
