from __future__ import annotations

import csv
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from crm.csv_sniff import sniff
from crm.workbook import open_rows
from dialer.errors import BadInput
from tests.crm.bombs import workbook

HEADER = ["Họ tên", "Địa chỉ", "Điện thoại"]
PERSON = ["Nguyễn Thị Ước", "số 1, ngõ 2", "0951234567"]


def write_xlsx(path: Path, rows: list[list[object]], *, at: tuple[int, int] = (0, 0)) -> Path:
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for index, row in enumerate(rows):
            sheet.write_row(at[0] + index, at[1], row)
    return path


def test_rows_carry_the_numbers_that_the_sheet_shows(tmp_path: Path) -> None:
    sheet = open_rows(write_xlsx(tmp_path / "a.xlsx", [["x"], ["y", 951234567.0]], at=(3, 1)), start_row=4)
    assert (sheet.width, sheet.total) == (3, 5)
    assert list(sheet.rows(4)) == [(4, ["", "x", ""]), (5, ["", "y", 951234567.0])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1258"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_is_read_however_it_was_saved(encoding: str, delimiter: str, tmp_path: Path) -> None:
    person = PERSON if encoding != "cp1258" else ["Nguye\u0302\u0303n", *PERSON[1:]]
    path = tmp_path / "a.csv"
    with path.open("w", encoding=encoding, newline="", errors="replace") as file:
        csv.writer(file, delimiter=delimiter).writerows([HEADER, person, [], person])
    sheet = open_rows(path)
    rows = list(sheet.rows(2))
    assert sheet.width == 3
    assert [number for number, _ in rows] == [2, 3, 4]
    assert rows[0][1][2] == "0951234567"
    if encoding != "cp1258":
        assert rows[2][1] == PERSON


def test_bytes_of_another_code_page_cost_their_letters_not_the_import(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"name,phone\n\xff\xfe\x81,0951234567\n")  # 0x81 means nothing in cp1258
    sheet = open_rows(path, start_row=2)
    assert [row[1] for _, row in sheet.rows(2)] == ["0951234567"]


def test_excel_says_its_separator(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sep=;\nhọ tên;số\nAn, con ông Bình;0951234567\n", encoding="utf-8")
    assert list(open_rows(path).rows(3)) == [(3, ["An, con ông Bình", "0951234567"])]


@given(st.lists(st.lists(st.text("abcĐđế0123456789 -.'", max_size=9), min_size=2, max_size=5), min_size=1, max_size=20))
def test_the_sniffer_agrees_with_the_writer(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    assert sniff(path).delimiter == ";"
    assert [row for _, row in open_rows(path).rows()] == rows


def misnamed(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000)
BAD: list[tuple[str, bytes, str]] = [
    ("empty.csv", b"", "the file is empty"),
    ("empty.xlsx", b"", "the file is empty"),
    ("old.xlsx", OLE, "an old .xls workbook"),
    ("locked.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
    ("text.xlsx", b"a,b,c\n", "not an Excel workbook, whatever its name says"),
    ("book.csv", b"PK\x03\x04" + bytes(50), "Rename it to .xlsx"),
    ("picture.csv", b"\x89PNG" + bytes(range(256)) + bytes(99), "binary data, not CSV"),
    ("cut.xlsx", b"PK\x03\x04" + bytes(50), "not a readable workbook"),
    ("letter.pdf", b"%PDF-1.7", ".pdf is not taken"),
    ("noname", b"a,b", "no extension is not taken"),
    ("quote.csv", b'a,b\n"' + b"x" * 140_000 + b"\n", "row 2 cannot be read"),
]


@pytest.mark.parametrize(("name", "data", "words"), BAD, ids=[name for name, _, _ in BAD])
def test_bad_files_say_what_where_and_what_to_do(name: str, data: bytes, words: str, tmp_path: Path) -> None:
    path = misnamed(tmp_path / name, data)
    with pytest.raises(BadInput, match=words) as caught:
        list(open_rows(path).rows())
    assert str(path) in str(caught.value)


def test_missing_empty_and_hidden(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        open_rows(tmp_path / "nothing.xlsx")
    with pytest.raises(BadInput, match="is empty"):
        open_rows(workbook(tmp_path / "blank.xlsx", ""))
    hidden = tmp_path / "hidden.xlsx"
    with xlsxwriter.Workbook(str(hidden)) as book:
        book.add_worksheet("shown")
        secret = book.add_worksheet("secret")
        secret.write(0, 0, "x")
        secret.hide()
    with pytest.raises(BadInput, match="'shown' is empty"):
        open_rows(hidden)


@pytest.mark.parametrize(
    ("start", "words"), [(0, "counted from 1"), (-3, "counted from 1"), (9, "behind the last row, 1")]
)
def test_a_start_row_that_is_not_there(start: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=words):
        open_rows(write_xlsx(tmp_path / "a.xlsx", [["x"]]), start_row=start)
