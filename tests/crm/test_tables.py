from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.tables import new_table, safe_text
from dialer.errors import BadInput

nasty = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=30) | st.sampled_from(
    ['=HYPERLINK("http://example.com")', "+1", "-1", "@SUM(A1)", "\t=1", "{=1}", "==", "＝1"]
)


def written(path: Path, rows: list[list[str]]) -> Path:
    with new_table(path, ["a", "b"]) as add:
        for row in rows:
            add(row)
    return path


@given(st.lists(st.lists(nasty, min_size=2, max_size=2), max_size=5))
def test_no_csv_cell_begins_like_a_formula(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    path = written(tmp_path_factory.mktemp("t") / "t.csv", rows)
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "-", "@", "\t", "\r", "＝"}]


@settings(max_examples=30)
@given(st.lists(st.text("=+-@ab1{}\"'()", max_size=12), min_size=1, max_size=8))
def test_no_workbook_cell_is_a_formula_or_a_link(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = written(tmp_path_factory.mktemp("t") / "t.xlsx", [[text, "https://example.com"] for text in texts])
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    for row in sheet.iter_rows():
        for cell in row:
            assert cell.data_type != "f"
            assert cell.hyperlink is None
    assert [row[0] or "" for row in sheet.iter_rows(min_row=2, values_only=True)] == texts


def test_harmless_text_stays_as_it_is() -> None:
    assert safe_text("Nguyễn Văn A") == "Nguyễn Văn A"


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_file_appears_whole_or_not_at_all(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.{suffix}"
    path.write_text("before", encoding="utf-8")

    def fail() -> None:
        with new_table(path, ["a"]) as add:
            add(["x"])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_text(encoding="utf-8") == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(("name", "words"), [("a.pdf", "name the file .xlsx or .csv"), ("no/a.csv", "does not exist")])
def test_a_place_that_cannot_be_written(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        written(tmp_path / name, [])
