"""Open a workbook or CSV file as numbered rows, after checking that it is safe and what it says it is."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from crm.csv_sniff import Dialect, sniff
from crm.xlsx_guard import check_workbook
from dialer.errors import BadInput

Cell: TypeAlias = str | float | bool | date | datetime | time | timedelta
"""What a cell holds; the empty string for an empty one."""
Row: TypeAlias = Sequence[Cell]

MAX_CSV_BYTES: Final = 2 << 30
_MAX_CELL_CHARACTERS: Final = 131_072
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_ZIP: Final = b"PK\x03\x04"


class Sheet:
    """One sheet of rows; `total` is the number of its last row (None for CSV, which is read once, from the start)."""

    def __init__(self, path: Path, *, width: int, total: int | None, source: CalamineSheet | Dialect) -> None:
        self.path = path
        self.width = width
        self.total = total
        self._source = source

    def rows(self, start_row: int = 1) -> Iterator[tuple[int, Row]]:
        """Yield (row number as the sheet shows it, cells) from `start_row` on; raise BadInput at an unreadable one."""
        rows = self._xlsx(self._source) if isinstance(self._source, CalamineSheet) else self._csv(self._source)
        return islice(enumerate(rows, start=1), start_row - 1, None)

    def _xlsx(self, sheet: CalamineSheet) -> Iterator[Row]:
        left = sheet.start[1] if sheet.start else 0
        if not left:
            return iter(sheet.iter_rows())
        blank: list[Cell] = [""] * left  # the reader leaves out empty columns before the first, though not empty rows
        return (blank + row for row in sheet.iter_rows())

    def _csv(self, dialect: Dialect) -> Iterator[Row]:
        with self.path.open(encoding=dialect.encoding, newline="", errors="replace") as lines:
            reader = csv.reader(lines, delimiter=dialect.delimiter)
            number = 0
            try:
                for number, row in enumerate(reader, start=1):
                    yield [] if number <= dialect.skip else row
            except csv.Error as error:
                raise BadInput(
                    f"{self.path}: row {number + 1} cannot be read ({error}). Look for a quotation mark without its "
                    f"partner, or a cell longer than {_MAX_CELL_CHARACTERS} characters."
                ) from error


def open_rows(path: Path, *, start_row: int = 1) -> Sheet:
    """Open the first visible sheet of an .xlsx file, or a .csv file; nothing is unpacked before it is checked.

    Raises BadInput (what, where, what to do) for a missing, unreadable, encrypted, dangerous, empty or misnamed file,
    and for a start row outside 1..last row.
    """
    if start_row < 1:
        raise BadInput(f"start row {start_row}: rows are counted from 1, as the sheet shows them.")
    try:
        head = _head(path)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}). Check the name and the permissions.") from error
    suffix = path.suffix.lower()
    if not head:
        raise BadInput(f"{path}: the file is empty. Choose the file that holds the rows.")
    if suffix not in {".xlsx", ".xlsm", ".csv"}:
        raise BadInput(f"{path}: {suffix or 'no extension'} is not taken. Save the sheet as .xlsx or CSV UTF-8 (.csv).")
    sheet = _open_csv(path, head) if suffix == ".csv" else _open_xlsx(path, head)
    if sheet.total is not None and start_row > sheet.total:
        raise BadInput(f"{path}: start row {start_row} is behind the last row, {sheet.total}.")
    return sheet


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _open_csv(path: Path, head: bytes) -> Sheet:
    if head.startswith((_ZIP, _OLE)):
        raise BadInput(f"{path}: an Excel workbook with the name of a CSV file. Rename it to .xlsx.")
    if path.stat().st_size > MAX_CSV_BYTES:
        raise BadInput(f"{path}: larger than {MAX_CSV_BYTES >> 30} GB. Split it and import the parts.")
    dialect = sniff(path)
    return Sheet(path, width=dialect.width, total=None, source=dialect)


def _open_xlsx(path: Path, head: bytes) -> Sheet:
    if head.startswith(_OLE):
        raise BadInput(f"{path}: {_what_ole_holds(path)}")
    if not head.startswith(_ZIP):
        raise BadInput(f"{path}: not an Excel workbook, whatever its name says. Save the sheet as .xlsx or CSV UTF-8.")
    check_workbook(path)
    try:
        workbook = CalamineWorkbook.from_path(path)
        name = _first_visible(path, workbook)
        sheet = workbook.get_sheet_by_name(name)
    except (CalamineError, OSError) as error:
        raise BadInput(f"{path}: not a readable workbook ({error}). Open it in Excel and save it again.") from error
    if sheet.end is None:
        raise BadInput(f"{path}: sheet {name!r} is empty. Put the rows on the first visible sheet.")
    return Sheet(path, width=sheet.end[1] + 1, total=sheet.end[0] + 1, source=sheet)


def _what_ole_holds(path: Path) -> str:
    with path.open("rb") as file:
        encrypted = _ENCRYPTED in file.read(1 << 20)
    if encrypted:
        return "protected by a password. Open it in Excel, remove the password and save it again."
    return "an old .xls workbook. Open it in Excel and save it as .xlsx."


def _first_visible(path: Path, workbook: CalamineWorkbook) -> str:
    for sheet in workbook.sheets_metadata:
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible:
            return sheet.name
    raise BadInput(f"{path}: has no visible sheet. Show the sheet that holds the rows and save the file.")
