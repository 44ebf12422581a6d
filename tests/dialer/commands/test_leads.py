"""`dialer leads` as a person and as a program use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from dialer.commands import campaign
from dialer.commands.leads import app
from dialer.errors import BadInput, DialerError, IllegalAction, NotFound
from simulator.sample import write_sample
from tests.crm.worlds import csv_file, e164, number

pytestmark = pytest.mark.component("sqlite")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIALER_HOME", str(tmp_path / "home"))
    assert CliRunner().invoke(campaign.app, ["create", "Tết"]).exit_code == 0
    return tmp_path / "home"


def _run(*args: str | Path) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def _said(*args: str | Path) -> str:
    result = _run(*args)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def _refused(kind: type[DialerError], *args: str | Path) -> str:
    result = _run(*args)
    assert isinstance(result.exception, kind), (result.output, result.exception)
    assert result.stdout == ""
    return str(result.exception)


def _import(folder: Path, *rows: list[str], **options: str) -> str:
    path = csv_file(folder / "khách.csv", [["Họ tên", "Số"], *rows])
    more = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
    return _said("import", path, "--campaign", "Tết", *more)


def _rows(*args: str) -> list[dict[str, Any]]:
    found = json.loads(_said("list", "--json", *args))
    assert found["total"] >= len(found["rows"])
    return list(found["rows"])


def test_import_says_what_came_of_it(home: Path, tmp_path: Path) -> None:
    said = _import(tmp_path, ["An", number(1)], ["Bình", "12"], ["An", number(1)], ["Cũ", "01990000001"])
    assert "4 rows: 1 added, 1 already there, 2 failed" in said
    assert "1 of the rows already there repeat a number of this file" in said
    assert "1 failed rows have old 11-digit numbers: import again with --migrate-2018" in said
    assert (home / "khách-failed.xlsx").exists()
    assert str(home / "khách-failed.xlsx") in said.replace("\n", "")
    path = tmp_path / "khách.csv"
    again = _said("import", path, "--campaign", "Tết", "--migrate-2018", "--result", tmp_path / "r.csv", "--json")
    told = json.loads(again)
    assert (told["added"], told["existing"], told["failed"], told["migrated"]) == (1, 2, 1, 1)
    assert told["result_path"] == str(tmp_path / "r.csv")


def test_the_sample_goes_in_with_the_seeds_options(home: Path, tmp_path: Path) -> None:
    write_sample(tmp_path / "sample.xlsx")
    said = _said(
        "import", tmp_path / "sample.xlsx", "--campaign", "Tết", "--map", "name=2,phone=3,email=4", "--start-row", "2"
    )
    assert said.startswith("5000 rows: ")
    sheet = openpyxl.load_workbook(home / "sample-failed.xlsx").active
    assert sheet is not None
    assert sheet.max_row == 1 + int(said.split(" failed")[0].rsplit(" ", 1)[1])


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        (["--campaign", "Tet"], NotFound, "there is no campaign 'Tet'. Did you mean 'Tết'?"),
        (["--campaign", "Tết", "--map", "zalo=1"], BadInput, "there is no field 'zalo'"),
        (["--campaign", "Tết", "--map", "phone=9"], BadInput, "but the file has only 2 columns"),
        (["--campaign", "Tết", "--map", "name"], BadInput, "is not FIELD=COLUMN NUMBER"),
        (["--campaign", "Tết", "--start-row", "0"], BadInput, "rows are counted from 1"),
        (["--campaign", "Tết", "--start-row", "9"], BadInput, "no rows from row 9"),
        (["--campaign", "Tết", "--result", "r.pdf"], BadInput, "an .xlsx or .csv file"),
    ],
)
def test_a_wrong_order_imports_nothing(
    home: Path, tmp_path: Path, options: list[str], kind: type[DialerError], words: str
) -> None:
    path = csv_file(tmp_path / "a.csv", [["Họ tên", "Số"], ["An", number(1)]])
    assert words in _refused(kind, "import", path, *options)
    assert _rows() == []


def test_list_filters_and_orders(home: Path, tmp_path: Path) -> None:
    _import(tmp_path, ["Đỗ Thị Ước", number(1)], ["An", number(2)], list="Hà Nội")
    assert [row["name"] for row in _rows("--order", "name")] == ["An", "Đỗ Thị Ước"]
    assert [row["phone"] for row in _rows("--text", "uoc")] == [e164(1)]
    assert [row["phone"] for row in _rows("--phone", f"84{number(2)[1:]}")] == [e164(2)]
    assert len(_rows("--campaign", "Tết", "--list", "Hà Nội", "--status", "new", "--state", "not_called")) == 2
    assert _rows("--status", "A1") == []
    assert len(_rows("--limit", "1", "--offset", "1")) == 1
    shown = _said("list")
    assert "1 to 2 of 2 leads" in shown
    assert e164(1) in shown
    assert "phone: there is no digit in 'abc'" in _refused(BadInput, "list", "--phone", "abc")
    assert "unknown call status" in _refused(BadInput, "list", "--status", "gone")
    assert "there is no 'gone'; use one of: not_called" in _refused(BadInput, "list", "--state", "gone")
    assert "name its campaign too" in _refused(BadInput, "list", "--list", "Hà Nội")
    refused = _refused(NotFound, "list", "--campaign", "Tết", "--list", "Ha Noi")
    assert "Did you mean 'Hà Nội'?" in refused


def test_export(home: Path, tmp_path: Path) -> None:
    _import(tmp_path, ["=An", number(1)], ["Bình", number(2)])
    assert _said("export", tmp_path / "o.xlsx", "--lang", "en").startswith("2 leads written to ")
    sheet = openpyxl.load_workbook(tmp_path / "o.xlsx").active
    assert sheet is not None
    assert [cell.value for cell in sheet[2]][:3] == ["KH000001", "=An", e164(1)]
    assert sheet["B2"].data_type == "s"
    assert json.loads(_said("export", tmp_path / "o.csv", "--text", "binh", "--json"))["leads"] == 1
    assert "name the file .xlsx or .csv" in _refused(BadInput, "export", tmp_path / "o.pdf")


def test_pause_start_remove(home: Path, tmp_path: Path) -> None:
    _import(tmp_path, ["An", number(1)])
    assert _said("pause", "1") == "lead 1 is paused\n"
    assert _said("start", "1") == "lead 1 is not_called\n"
    assert "allowed now: " in _refused(IllegalAction, "start", "1")
    assert _said("remove", "1") == "lead 1 is removed\n"
    assert "no lead 1" in _refused(NotFound, "remove", "1")


def test_suppress_and_back(home: Path, tmp_path: Path) -> None:
    _import(tmp_path, ["An", number(1)])
    said = _said("suppress", number(1), "--kind", "dnc", "--reason", "DK DNC")
    assert said == "the number is on the dnc list; 1 leads are held\n"
    assert _rows()[0]["state"] == "dnc"
    assert (
        _said("unsuppress", number(1), "--kind", "dnc")
        == "the number is off the dnc list; 1 leads changed their state\n"
    )
    assert _rows()[0]["state"] == "not_called"
    assert "is not a phone number" in _refused(BadInput, "suppress", "x", "--kind", "dnc")
    assert _run("suppress", number(1), "--kind", "spam").exit_code == 2
