"""`dialer leads list-on`, `list-off` and `schedule`."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dialer.commands import campaign
from dialer.commands.leads import app
from dialer.errors import BadInput, DialerError, IllegalAction, NotFound
from tests.crm.worlds import csv_file, number

pytestmark = pytest.mark.component("sqlite")


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


@pytest.fixture(autouse=True)
def _one_lead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_HOME", str(tmp_path / "home"))
    made = CliRunner().invoke(campaign.app, ["create", "Tết", "--hours", "00:00-24:00", "timezone=Asia/Tokyo"])
    assert made.exit_code == 0
    path = csv_file(tmp_path / "khách.csv", [["Họ tên", "Số"], ["An", number(1)]])
    _said("import", str(path), "--campaign", "Tết")


def _why() -> dict[str, Any]:
    told = json.loads(CliRunner().invoke(campaign.app, ["why", "Tết", "--json"]).stdout)
    return dict(told["leads"])


def _call_at() -> float | None:
    (row,) = json.loads(_said("list", "--json"))["rows"]
    at = row["call_at"]
    assert at is None or isinstance(at, float)
    return at


@pytest.mark.req("S0-5")
def test_a_list_is_switched_off_and_on() -> None:
    assert _said("list-off", "khách", "--campaign", "Tết") == "list 'khách' is off\n"
    assert _why() == {"list_off": 1}
    assert _said("list-off", "khách", "--campaign", "Tết") == "list 'khách' is already off\n"
    assert _said("list-on", "khách", "--campaign", "Tết") == "list 'khách' is on\n"
    assert _why() == {"ready": 1}
    assert "Did you mean 'khách'?" in _refused(NotFound, "list-off", "khach", "--campaign", "Tết")
    assert _run("list-off", "khách").exit_code == 2


@pytest.mark.req("S4-15")
def test_a_lead_is_appointed_in_its_campaigns_zone_and_freed() -> None:
    assert _said("schedule", "1", "2099-02-28T09:30") == "lead 1 is called at 2099-02-28 09:30 JST\n"
    assert _call_at() == datetime.fromisoformat("2099-02-28T09:30+09:00").timestamp()
    assert _said("schedule", "1", "2099-02-28T09:30+07:00") == "lead 1 is called at 2099-02-28 11:30 JST\n"
    assert _call_at() == datetime.fromisoformat("2099-02-28T09:30+07:00").timestamp()
    assert _said("schedule", "1", "--clear") == "lead 1 is called as soon as its campaign allows\n"
    assert _call_at() is None


@pytest.mark.parametrize(
    ("args", "kind", "words"),
    [
        (["1"], BadInput, "say either when"),
        (["1", "2099-02-28", "--clear"], BadInput, "say either when"),
        (["1", "soon"], BadInput, "'soon': a time is written"),
        (["1", " "], BadInput, "the time is empty"),
        (["1", "2001-02-28"], BadInput, "more than a year ago"),
        (["9", "2099-02-28"], NotFound, "there is no lead 9"),
        (["9", "--clear"], NotFound, "there is no lead 9"),
    ],
)
def test_a_wrong_time_changes_nothing(args: list[str], kind: type[DialerError], words: str) -> None:
    assert words in _refused(kind, "schedule", *args)
    assert _call_at() is None


def test_a_lead_that_is_out_of_the_race_gets_no_time() -> None:
    _said("suppress", number(1), "--kind", "dnc")
    assert "only a lead not called yet" in _refused(IllegalAction, "schedule", "1", "2099-02-28")
