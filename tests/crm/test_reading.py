from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter

from crm.numbers import PhoneFault
from crm.reading import Batch, Reader, count_old_numbers, open_source
from dialer.errors import BadInput
from tests.crm.worlds import csv_file, e164, number

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
OLD = "01990000001"


def read(path: Path, mapping: dict[str, int], *, start_row: int = 1, migrate_2018: bool = False) -> Batch:
    reader = Reader(open_source(path, mapping, start_row), zone=ZONE, migrate_2018=migrate_2018)
    batch = reader.next_batch()
    assert batch is not None
    assert reader.next_batch() is None
    return batch


def test_a_row_is_read_by_its_columns(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", [["x", "An", "", number(1), "2026-02-28 09:30", "gọi lại"]])
    batch = read(path, {"name": 2, "phone": 4, "call_at": 5, "comment": 6, "email": 3})
    (person,) = batch.people
    assert (person.row, person.phone, person.values) == (1, e164(1), {"name": "An"})
    assert (person.call_at, person.comment) == (1_772_245_800.0, "gọi lại")


@pytest.mark.req("S3-22")
def test_a_wrong_row_names_its_cell(tmp_path: Path) -> None:
    rows = [["An", number(1), "a@example.com"], ["Bình", number(2), "b@"], ["Chi", "12", ""], ["Dũng", "", ""]]
    batch = read(csv_file(tmp_path / "a.csv", rows), {"name": 1, "phone": 2, "email": 3})
    assert [person.row for person in batch.people] == [1]
    told = [(bad.row, bad.field, bad.column, bad.value) for bad in batch.failures]
    assert told == [(2, "email", 3, "b@"), (3, "phone", 2, "12"), (4, "phone", 2, "")]


def test_empty_rows_are_no_data(tmp_path: Path) -> None:
    batch = read(csv_file(tmp_path / "a.csv", [["An", number(1)], ["", " "], [], ["Chi", number(2)]]), {"phone": 2})
    assert (len(batch.people), len(batch.failures), batch.blank, batch.last_row) == (2, 0, 2, 4)


def test_numbers_that_excel_made_floats(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write(1, 1, 950_000_001.0)
        sheet.write(2, 1, 84_950_000_002.0)
    batch = read(tmp_path / "a.xlsx", {"phone": 2}, start_row=2)
    assert [(person.row, person.phone) for person in batch.people] == [(2, e164(1)), (3, e164(2))]


def test_old_numbers_are_counted_and_converted_on_request(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", [["An", OLD], ["Bình", number(1)]])
    assert count_old_numbers(open_source(path, {"phone": 2}, 1)) == 1
    (bad,) = read(path, {"phone": 2}).failures
    assert bad.fault is PhoneFault.OLD_11_DIGITS
    converted = read(path, {"phone": 2}, migrate_2018=True).people[0]
    assert (converted.phone, converted.migrated) == ("+84590000001", True)


@pytest.mark.req("S3-16", "S3-18")
def test_a_column_that_the_file_does_not_have(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", [["An", number(1)]])
    with pytest.raises(BadInput, match=r"a\.csv: phone is to be column 7, but the file has only 2 columns"):
        open_source(path, {"phone": 7}, 1)
