from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdr import export
from cdr.export import CELL_MAX, defused, format_of, open_export, pages, whole_file
from cdr.queries import CallRow, CdrFilter
from dialer.errors import BadInput, DialerError

HANOI = timezone(timedelta(hours=7))
COLUMNS = CallRow.__struct_fields__
_SAMPLES: dict[str, Any] = {"int": 1, "float": 1_790_000_000.25, "str": "text", "bool": True}
_TEXT_FIELDS = [name for name, kind in CallRow.__annotations__.items() if kind == "str"]


def row(**changes: Any) -> CallRow:
    plain = {name: _SAMPLES[kind.split(" ")[0]] for name, kind in CallRow.__annotations__.items()}
    return CallRow(**plain | {"phone_e164": "+84500000001"} | changes)


def write(path: Path, *rows: CallRow, **options: Any) -> None:
    with open_export(path, HANOI, **options) as writer:
        writer.write(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def read_xlsx(path: Path) -> list[dict[str, Any]]:
    book = openpyxl.load_workbook(path)
    heading, *lines = (line for sheet in book.worksheets for line in sheet.iter_rows(values_only=True))
    return [dict(zip(map(str, heading), line, strict=True)) for line in lines]


def test_a_csv_has_every_column_in_order_and_opens_as_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    write(path, row(campaign_name="Chăm sóc mùa thu", ringing_at=None))
    assert path.read_bytes().startswith(b"\xef\xbb\xbfcall_id,version,")
    (line,) = read_csv(path)
    assert tuple(line) == COLUMNS
    assert line["campaign_name"] == "Chăm sóc mùa thu"
    assert (line["ringing_at"], line["counts"], line["sip_status"]) == ("", "1", "1")
    assert line["started_at"] == "2026-09-21 21:13:20.250+07:00"


def test_a_workbook_has_numbers_times_and_texts(tmp_path: Path) -> None:
    path = tmp_path / "calls.xlsx"
    write(path, row(campaign_name="Chăm sóc", ringing_at=None, note="=1+1"), row())
    first, second = read_xlsx(path)
    assert tuple(first) == COLUMNS
    assert first["campaign_name"] == "Chăm sóc"
    assert (first["phone_e164"], first["note"], first["ringing_at"]) == ("+84500000001", "=1+1", None)
    assert (first["attempt_no"], first["counts"]) == (1, True)
    assert abs(first["started_at"] - datetime(2026, 9, 21, 21, 13, 20, 250_000)) < timedelta(seconds=1)  # noqa: DTZ001 -- a sheet has no zone
    assert second["note"] == "text"


@pytest.mark.parametrize("text", ["=1+1", "+84", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_compute_is_defused(text: str) -> None:
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "text", "1=1", "'=1"])
def test_other_text_is_left_alone(text: str) -> None:
    assert defused(text) == text


_NASTY = st.text(st.sampled_from("=+-@\t\r\n'\",;|a1(){}"), max_size=12) | st.text(max_size=12)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(_TEXT_FIELDS, _NASTY)), max_size=3))
def test_no_cell_of_a_csv_begins_like_a_formula(tmp_path: Path, lines: list[dict[str, str]]) -> None:
    path = tmp_path / "calls.csv"
    write(path, *(row(**line) for line in lines))
    for kept, given_line in zip(read_csv(path), lines, strict=True):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in kept.values())
        assert all(kept[name] in {text, f"'{text}"} for name, text in given_line.items())


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(_TEXT_FIELDS, _NASTY)), max_size=3))
def test_no_cell_of_a_workbook_is_a_formula_or_a_link(tmp_path: Path, lines: list[dict[str, str]]) -> None:
    path = tmp_path / "calls.xlsx"
    write(path, *(row(**line) for line in lines))
    with zipfile.ZipFile(path) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert not re.search(r"<f[ >]|<hyperlink", sheet)
    assert sheet.count("<row ") == len(lines) + 1


def test_a_text_too_long_for_a_cell_is_cut(tmp_path: Path) -> None:
    write(tmp_path / "calls.xlsx", row(note="x" * 40_000))
    assert len(read_xlsx(tmp_path / "calls.xlsx")[0]["note"]) == CELL_MAX


def test_a_full_sheet_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "SHEET_ROWS", 2)
    write(tmp_path / "calls.xlsx", *(row(call_id=f"c{number}") for number in range(5)))
    sheets = openpyxl.load_workbook(tmp_path / "calls.xlsx").worksheets
    assert [[str(cell.value) for cell in sheet["A"]] for sheet in sheets] == [
        ["call_id", "c0", "c1"], ["call_id", "c2", "c3"], ["call_id", "c4"],
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["calls.csv", "calls.xlsx"])
def test_numbers_can_be_hidden(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write(path, row(), mask=lambda number: f"***{number[-3:]}")
    (line,) = read_csv(path) if name.endswith("csv") else read_xlsx(path)
    assert line["phone_e164"] == "***001"


@pytest.mark.parametrize("name", ["calls.csv", "calls.xlsx"])
def test_a_file_that_failed_half_way_leaves_the_old_one_and_no_rest(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("the old file")
    with pytest.raises(AttributeError):
        write(path, row(), msgspec.UNSET)  # type: ignore[arg-type]  # what no call looks like
    assert path.read_text() == "the old file"
    assert list(tmp_path.iterdir()) == [path]


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"calls\.pdf: write to a file that ends with \.csv, \.xlsx or \.parquet"):
        write(tmp_path / "calls.pdf")


@pytest.mark.parametrize(
    ("name", "named", "kind"),
    [("a.CSV", None, "csv"), ("a.parquet", None, "parquet"), ("a.csv", "XLSX", "xlsx"), ("a", "parquet", "parquet")],
)
def test_the_format_is_the_one_that_is_named_or_that_the_name_ends_with(
    name: str, named: str | None, kind: str
) -> None:
    assert format_of(Path(name), named) == kind


def test_a_format_that_is_not_known_is_named() -> None:
    with pytest.raises(BadInput, match="--format 'pdf': write csv, xlsx or parquet"):
        format_of(Path("calls.csv"), "pdf")


def test_rows_can_be_written_to_any_name(tmp_path: Path) -> None:
    write(tmp_path / "calls.txt", row(), kind="csv")
    assert len(read_csv(tmp_path / "calls.txt")) == 1
    with pytest.raises(BadInput, match=r"rows are written to \.csv or \.xlsx"):
        write(tmp_path / "calls.parquet", row())


def test_a_draft_takes_the_place_at_the_end_or_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "calls.parquet"
    with whole_file(path) as draft:
        draft.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    with pytest.raises(ZeroDivisionError), whole_file(path) as draft:
        draft.write_text(str(1 / 0))
    assert [file.name for file in tmp_path.iterdir()] == ["calls.parquet"]
    assert path.read_text() == "new"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DialerError, match=r"no/calls\.csv: cannot write there: No such file or directory"):
        write(tmp_path / "no" / "calls.csv")


class _Calls:
    """Calls from a list, newest first."""

    def __init__(self, count: int) -> None:
        self.asked: list[int] = []
        self._rows = [row(call_id=f"c{number:05}", started_at=float(number)) for number in range(count, 0, -1)]

    async def search(self, wanted: CdrFilter) -> Sequence[CallRow]:
        self.asked.append(wanted.limit)
        before = (wanted.before_at if wanted.before_at is not None else 1e12, wanted.before_id or "")
        return [found for found in self._rows if (found.started_at, found.call_id) < before][: wanted.limit]


@pytest.mark.parametrize(
    ("count", "limit", "sizes"),
    [(0, None, []), (5, None, [5]), (4500, None, [2000, 2000, 500]), (4500, 2100, [2000, 100]), (10, 3, [3])],
)
async def test_pages_cover_everything_once(count: int, limit: int | None, sizes: list[int]) -> None:
    calls = _Calls(count)
    seen = [page async for page in pages(calls, CdrFilter(), limit=limit)]
    assert [len(page) for page in seen] == sizes
    assert [one.call_id for page in seen for one in page] == [f"c{n:05}" for n in range(count, count - sum(sizes), -1)]


async def test_paging_keeps_the_filter() -> None:
    asked: list[CdrFilter] = []

    class Spy(_Calls):
        async def search(self, wanted: CdrFilter) -> Sequence[CallRow]:
            asked.append(wanted)
            return await super().search(wanted)

    wanted = CdrFilter(campaign="x", status=("busy",))
    assert [page async for page in pages(Spy(3), wanted)]
    assert {msgspec.structs.replace(one, limit=50, before_at=None, before_id=None) for one in asked} == {wanted}
