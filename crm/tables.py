"""Write tables for people, .xlsx or .csv, row by row, with no cell that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeAlias

import xlsxwriter

from dialer.errors import BadInput

Value: TypeAlias = str | float | date | None
AddRow: TypeAlias = Callable[[Sequence[Any]], None]

LAST_ROW: Final = 1_048_576
"""What a sheet holds."""
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_LONGEST: Final = 32_767
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


@contextmanager
def new_table(path: Path, headings: Sequence[str]) -> Iterator[AddRow]:
    """Give a function that adds a row; the file appears, whole, when the block ends well, and not at all otherwise.

    Raises BadInput for a name that is neither .xlsx nor .csv, a folder that is not there, or a sheet that is full.
    """
    writer = {".xlsx": _xlsx, ".csv": _csv}.get(path.suffix.lower())
    if writer is None:
        raise BadInput(f"{path}: name the file .xlsx or .csv.")
    if not path.parent.is_dir():
        raise BadInput(f"{path}: the folder {path.parent} does not exist; make it, or choose another one.")
    part = path.with_name(f".{path.name}.part")
    try:
        with writer(part) as add:
            add(headings)
            yield add
        os.replace(part, path)  # noqa: PTH105 - said as what it is: atomic
    except OSError as error:
        raise BadInput(f"{path}: cannot be written ({error.strerror}). Check the permissions and the space.") from error
    finally:
        part.unlink(missing_ok=True)


def safe_text(text: str) -> str:
    """Return text that stays text when a spreadsheet opens the CSV file: an apostrophe before what looks like more."""
    return "'" + text if text.startswith(_RISKY) else text


@contextmanager
def _csv(path: Path) -> Iterator[AddRow]:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)

        def add(row: Sequence[Any]) -> None:
            writer.writerow([safe_text(value) if isinstance(value, str) else value for value in row])

        yield add


@contextmanager
def _xlsx(path: Path) -> Iterator[AddRow]:
    # The writer closes before the file is moved; a failure inside the block must not write a half-made workbook.
    book = xlsxwriter.Workbook(str(path), _OPTIONS)
    sheet = book.add_worksheet()
    number = 0

    def add(row: Sequence[Any]) -> None:
        nonlocal number
        if number >= LAST_ROW:
            raise BadInput(f"{path.name[1:]}: more rows than a sheet holds, {LAST_ROW}; name the file .csv.")
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(number, column, value[:_LONGEST])
            elif value is not None:
                sheet.write(number, column, value if not isinstance(value, date) else value.isoformat())
        number += 1

    try:
        yield add
    finally:
        book.close()
