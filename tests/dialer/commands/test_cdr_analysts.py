"""`dialer cdr report` and `dialer cdr sql` as a person and as a program use them; the service's way is in test_cdr."""

from __future__ import annotations

import asyncio
import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cdr.reports import GROUPS, REPORTS
from dialer.commands.cdr import app
from dialer.errors import BadInput
from statuses.outcomes import STATUS_COUNTERS
from tests.cdr.samples import CAMPAIGN, phone
from tests.dialer.commands.cdr_world import CALLS, make_world

pytestmark = pytest.mark.component("chdb", "sqlite")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    asyncio.run(make_world(home))
    return home


@pytest.fixture(autouse=True)
def home(world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIALER_HOME", str(world))
    return world


def run(*args: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, list(args), input=given)


def printed(*args: str) -> str:
    done = run(*args)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def refused(*args: str) -> str:
    done = run(*args)
    assert isinstance(done.exception, BadInput), (done.output, done.exception)
    assert done.stdout == ""
    return str(done.exception)


def test_a_report_for_people_has_a_line_for_each_group_and_a_total() -> None:
    heading, line, last = printed("report", "calls").splitlines()
    assert heading.split() == [
        "campaign", "calls", "answered", "asr", "connected", "abandoned", "abandonment", "aht_s", "talk_s", "billsec_s",
    ]  # fmt: skip
    figures = ["6", "3", "50.0%", "3", "0", "0.0%", "41.0", "87.0", "90.0"]
    assert line.split() == [*CAMPAIGN.name.split(), *figures]
    assert last.split() == ["total", *figures]


def test_a_report_for_programs_has_plain_numbers() -> None:
    told = json.loads(printed("report", "times", "--by", "status", "--json"))
    assert [row["status"] for row in told["rows"]] == ["answered", "busy"]
    assert told["total"]["calls"] == CALLS
    assert told["total"]["waitsec_s"] == told["total"]["duration_s"] - told["total"]["billsec_s"] == 37.5


def test_a_report_for_spreadsheets() -> None:
    (row,) = csv.DictReader(printed("report", "statuses", "--csv").splitlines())
    assert row["campaign"] == CAMPAIGN.name
    assert sum(int(row[name]) for name in STATUS_COUNTERS.values()) == int(row["calls"]) == CALLS


@pytest.mark.parametrize("by", GROUPS)
@pytest.mark.parametrize("name", REPORTS)
def test_every_report_by_everything_is_of_the_same_calls(name: str, by: str) -> None:
    told = json.loads(printed("report", name, "--by", by, "--json"))
    column = "connected" if name == "agents" else "calls"
    assert sum(row[column] for row in told["rows"]) == told["total"][column] == (3 if name == "agents" else CALLS)


def test_a_report_is_filtered_like_a_search() -> None:
    told = json.loads(printed("report", "calls", "--sip-status", "486", "--from", "2026-09-21", "--json"))
    assert told["total"]["calls"] == 3
    assert printed("report", "calls", "--to", "2020-01-01") == "no calls\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["report", "profits"], "no report 'profits'; there are: calls (counts, ASR"),
        (["report", "calls", "--by", "moon"], "grouped by one of campaign, hour"),
        (["report", "calls", "--json", "--csv"], "give the one or the other"),
        (["report", "calls", "--campaign", "Nope"], "no such campaign"),
        (["report", "calls", "--timezone", "Mars"], "no such zone"),
        (["sql", "DROP TABLE calls"], "only questions"),
        (["sql", "SELECT 1", "--format", "xml"], "write table, csv or json"),
    ],
)
def test_what_cannot_be_is_said(words: list[str], says: str) -> None:
    assert says in refused(*words)


def test_an_answer_for_people() -> None:
    sql = (
        "SELECT status, count() AS calls, NULL AS nothing, [1, 2] AS some FROM v_calls GROUP BY status ORDER BY status"
    )
    heading, first, second, last = printed("sql", sql).splitlines()
    assert heading.split() == ["status", "calls", "nothing", "some"]
    assert first.split() == ["answered", "3", "NULL", "[", "1,", "2", "]"]
    assert (second.split()[0], last) == ("busy", "2 rows")


def test_an_answer_for_programs_shows_whole_numbers() -> None:
    told = json.loads(
        printed("sql", "SELECT phone_e164, duration_s FROM v_calls ORDER BY started_at", "--format", "json")
    )
    assert told[0] == {"phone_e164": phone(1), "duration_s": 40.0}


def test_an_answer_for_spreadsheets_has_no_formula() -> None:
    lines = printed(
        "sql", "SELECT note, 1 AS `=x` FROM v_calls WHERE note != '' LIMIT 1", "--format", "csv"
    ).splitlines()
    assert lines == ["note,'=x", "'=1+1,1"]


def test_a_question_may_come_by_the_pipe() -> None:
    done = run("sql", "-", "--format", "json", given="SELECT 1 AS one\n;\n")
    assert json.loads(done.stdout) == [{"one": 1}]


def test_more_rows_than_asked_for_are_told_of_beside_the_answer() -> None:
    done = run("sql", "SELECT number FROM numbers(5)", "--limit", "2", "--format", "csv")
    assert done.stdout.splitlines() == ["number", "0", "1"]
    assert "more than 2 rows" in done.stderr


@pytest.mark.parametrize("words", [["--limit", "0"], ["--limit", "100001"], ["--seconds", "0"], ["--seconds", "301"]])
def test_limits_are_checked_by_the_command_line(words: list[str]) -> None:
    assert run("sql", "SELECT 1", *words).exit_code == 2


def test_text_of_the_records_is_not_read_as_markup() -> None:
    assert "[red]x[/red]" in printed("sql", "SELECT '[red]x[/red]' AS `[b]`")
    assert any(isinstance(part, str) for part in _any(json.loads(printed("report", "lines", "--json"))))


def _any(told: dict[str, Any]) -> list[Any]:
    return [value for row in told["rows"] for value in row.values()]
