from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
from python_calamine import CalamineWorkbook

from simulator.sample import BLANK_AFTER, HEADER, ROWS, sample_rows, write_sample

SHIPPED = Path(__file__).parents[2] / "simulator" / "data" / "sample_leads.xlsx"
ISSUED_0199 = ("01992", "01993", "01998", "01999")


def cells(path: Path) -> list[list[Any]]:
    return list(CalamineWorkbook.from_path(path).get_sheet_by_index(0).iter_rows())


def test_the_script_makes_the_shipped_workbook_again(tmp_path: Path) -> None:
    write_sample(tmp_path / "again.xlsx")
    again = cells(tmp_path / "again.xlsx")
    assert again == cells(SHIPPED)
    assert again[0] == list(HEADER)
    assert len(again) == 1 + ROWS + len(BLANK_AFTER)
    assert SHIPPED.stat().st_size < 500_000


def test_another_seed_makes_other_people() -> None:
    assert list(sample_rows(1)) == list(sample_rows(1)) != list(sample_rows(2))


def test_no_cell_is_a_formula() -> None:
    sheet = openpyxl.load_workbook(SHIPPED).active
    assert sheet is not None
    texts = [cell for row in sheet.iter_rows() for cell in row if str(cell.value).startswith("=")]
    assert [(cell.value, cell.data_type) for cell in texts] == [
        ('=HYPERLINK("https://example.com","bấm vào đây")', "s")
    ]


def test_every_number_is_of_a_range_that_reaches_nobody() -> None:
    for row in list(sample_rows())[1:]:
        shown = str(int(row[2])) if isinstance(row[2], float) else str(row[2] or "")
        digits = "".join(c for c in shown if c in "0123456789")
        if len(digits) < 9 or not isinstance(row[2], str | float) or " / " in shown:
            continue
        national = digits.removeprefix("84").removeprefix("0")
        assert national.startswith(("95", "1990", "1991")) or digits == "0611234567"
        assert not digits.startswith(ISSUED_0199)


def test_it_is_as_untidy_as_a_real_export() -> None:
    rows = list(sample_rows())[1:]
    filled = [row for row in rows if any(cell is not None for cell in row)]
    numbers = [row[2] for row in filled]
    assert len(filled) == ROWS
    assert any(isinstance(value, float) for value in numbers)
    for start in ("0", "84", "+84 ", "+84", "0199"):
        assert any(isinstance(value, str) and value.startswith(start) for value in numbers)
    assert any(row[1] is None for row in filled)
    assert all(isinstance(row[4], date | None) and not isinstance(row[4], datetime) for row in filled)
    emails = [str(row[3]) for row in filled if row[3] is not None]
    assert sum(not email.endswith("@example.com") for email in emails) == 3
