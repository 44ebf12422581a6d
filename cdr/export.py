"""Write calls to a file: CSV or XLSX row by row, with no cell that a spreadsheet would compute; whole or not at all."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import msgspec
import xlsxwriter

from cdr.queries import LIMIT_MAX, CallRow, CdrFilter
from dialer.errors import BadInput, DialerError

FORMATS: Final = ("csv", "xlsx", "parquet")
PAGE: Final = 2_000
SHEET_ROWS: Final = 1_000_000
CELL_MAX: Final = 32_767
"""The longest text that a cell of a workbook takes."""
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_PHONE_FIELDS: Final = frozenset({"phone_e164"})

Cell: TypeAlias = str | int | float | bool | datetime | None


class Calls(Protocol):
    """What can list calls page by page: `CdrQueries`, or a running service."""

    async def search(self, wanted: CdrFilter) -> Sequence[CallRow]:
        """List the calls that match, newest first."""
        ...


class CallWriter(Protocol):
    """An open file."""

    def write(self, rows: Sequence[CallRow]) -> None:
        """Add calls."""
        ...


async def pages(calls: Calls, wanted: CdrFilter, *, limit: int | None = None) -> AsyncIterator[Sequence[CallRow]]:
    """Yield all calls that match (at most `limit`), newest first; calls that come in meanwhile do not disturb."""
    left = limit if limit is not None else -1
    while left:
        size = PAGE if left < 0 else min(PAGE, left)
        page = await calls.search(msgspec.structs.replace(wanted, limit=min(size, LIMIT_MAX), offset=0))
        if not page:
            return
        yield page
        left = left if left < 0 else left - len(page)
        wanted = msgspec.structs.replace(wanted, before_at=page[-1].started_at, before_id=page[-1].call_id)


def format_of(path: Path, named: str | None = None) -> str:
    """Return the format that is named, else the one that the file's name ends with; BadInput for another."""
    kind = path.suffix.lower().removeprefix(".") if named is None else named.lower()
    if kind in FORMATS:
        return kind
    if named is not None:
        raise BadInput(f"--format {named!r}: write csv, xlsx or parquet")
    raise BadInput(f"{path}: write to a file that ends with .csv, .xlsx or .parquet, or give --format")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a draft beside `path`, which takes its place at the end, or is gone when something fails."""
    draft = _draft(path)
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def open_export(
    path: Path, zone: tzinfo, *, kind: str | None = None, mask: Callable[[str], str] | None = None
) -> Iterator[CallWriter]:
    """Open `path` for calls as CSV or XLSX (`kind`, else by its name).

    Times are written in `zone`; `mask` hides customers' numbers. Raises BadInput for another format; Parquet is the
    engine's work (`cdr.parquet`).
    """
    writers = {"csv": _csv_file, "xlsx": _xlsx_file}
    make = writers.get(format_of(path, kind))
    if make is None:
        raise BadInput(f"{path}: rows are written to .csv or .xlsx")
    with whole_file(path) as draft, make(draft, _Shape(zone, mask)) as writer:
        yield writer


def _draft(path: Path) -> Path:
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".cdr-", suffix=path.suffix.lower())
    except OSError as error:
        raise DialerError(f"{path}: cannot write there: {error.strerror}") from error
    os.close(descriptor)
    return Path(name)


class _Shape:
    """How a call becomes cells."""

    headings = CallRow.__struct_fields__

    def __init__(self, zone: tzinfo, mask: Callable[[str], str] | None) -> None:
        self._zone = zone
        self._mask = mask

    def cells(self, row: CallRow) -> list[Cell]:
        return [self._cell(field, getattr(row, field)) for field in self.headings]

    def _cell(self, field: str, value: Any) -> Cell:
        if self._mask is not None and field in _PHONE_FIELDS:
            return self._mask(value)
        if field.endswith("_at") and value is not None:
            return datetime.fromtimestamp(value, self._zone)
        cell: Cell = value
        return cell


def defused(text: str) -> str:
    """Return the text so that a spreadsheet that opens a CSV takes it for text."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


class _Csv:
    def __init__(self, write_row: Callable[[list[Any]], object], shape: _Shape) -> None:
        self._write_row = write_row
        self._shape = shape
        write_row(list(shape.headings))

    def write(self, rows: Sequence[CallRow]) -> None:
        for row in rows:
            self._write_row([_csv_cell(cell) for cell in self._shape.cells(row)])


def _csv_cell(cell: Cell) -> str | int | float:
    match cell:
        case None:
            return ""
        case bool():
            return int(cell)
        case datetime():
            return cell.isoformat(sep=" ", timespec="milliseconds")
        case str():
            return defused(cell)
        case _:
            return cell


@contextmanager
def _csv_file(path: Path, shape: _Shape) -> Iterator[CallWriter]:
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # the mark makes Excel read it as UTF-8
        yield _Csv(csv.writer(file).writerow, shape)


class _Xlsx:
    def __init__(self, book: Any, shape: _Shape) -> None:
        self._book = book
        self._shape = shape
        self._time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._bold = book.add_format({"bold": True})
        self._next_sheet()

    def write(self, rows: Sequence[CallRow]) -> None:
        for row in rows:
            if self._line > SHEET_ROWS:
                self._next_sheet()
            for column, cell in enumerate(self._shape.cells(row)):
                self._write_cell(column, cell)
            self._line += 1

    def _next_sheet(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 1)
        for column, heading in enumerate(self._shape.headings):
            self._sheet.set_column(column, column, 20)
            self._sheet.write_string(0, column, heading, self._bold)
        self._line = 1

    def _write_cell(self, column: int, cell: Cell) -> None:
        match cell:
            case None | "":
                return
            case bool():
                self._sheet.write_boolean(self._line, column, cell)
            case datetime():
                self._sheet.write_datetime(self._line, column, cell.replace(tzinfo=None), self._time)
            case str():
                self._sheet.write_string(self._line, column, cell[:CELL_MAX])
            case _:
                self._sheet.write_number(self._line, column, cell)


@contextmanager
def _xlsx_file(path: Path, shape: _Shape) -> Iterator[CallWriter]:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        yield _Xlsx(book, shape)
