"""Turn a sheet's rows into people to call, or into what is wrong with which cell; one pass, nothing kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm.fields import CUSTOMER_FIELDS, Parser, WrongValue, parse_moment, plain, text_of
from crm.mapping import check_mapping
from crm.numbers import BadPhone, Phone, PhoneFault, parse_phone
from crm.workbook import Cell, Row, Sheet, open_rows

BATCH_ROWS: Final = 1_000


@dataclass(slots=True)
class Person:
    """A row that can be imported; `values` are the customer fields that the row fills."""

    row: int
    phone: str
    values: dict[str, str]
    call_at: float | None
    comment: str | None
    cells: Row
    migrated: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """A row that cannot: the field, its column (1-based), what stands there and why that is wrong."""

    row: int
    field: str
    column: int
    value: str
    vi: str
    en: str
    cells: Row
    fault: PhoneFault | None = None


@dataclass(slots=True)
class Batch:
    """Some rows of a sheet; `last_row` is where it ends. Rows without any content count as nothing but `blank`."""

    people: list[Person] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    blank: int = 0
    last_row: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """A checked file with a checked mapping."""

    path: Path
    sheet: Sheet
    mapping: Mapping[str, int]
    start_row: int


def open_source(path: Path, mapping: Mapping[str, int], start_row: int) -> Source:
    """Open and check; raise BadInput (what, where, what to do). Blocks: run it in a thread."""
    sheet = open_rows(path, start_row=start_row)
    check_mapping(mapping, width=sheet.width, where=str(path))
    return Source(path, sheet, mapping, start_row)


def count_old_numbers(source: Source) -> int:
    """Count the rows whose number only the 2018 migration can save. Blocks for as long as reading the file."""
    at = source.mapping["phone"] - 1
    found = 0
    for _, cells in source.sheet.rows(source.start_row):
        text = plain(cells[at]) if at < len(cells) else ""
        if len(text) >= 10:  # noqa: PLR2004 - no old number is shorter
            phone = parse_phone(text, migrate_2018=False)
            found += isinstance(phone, BadPhone) and phone.fault is PhoneFault.OLD_11_DIGITS
    return found


class Reader:
    """Parse the rows of a source in batches."""

    def __init__(self, source: Source, *, zone: ZoneInfo, migrate_2018: bool, limit: int | None = None) -> None:
        self._rows = islice(source.sheet.rows(source.start_row), limit)
        self._phone_at = source.mapping["phone"] - 1
        self._call_at = source.mapping.get("call_at", 0) - 1
        self._comment_at = source.mapping.get("comment", 0) - 1
        self._comment = text_of(4000)
        self._zone = zone
        self._fields: list[tuple[str, int, Parser]] = [
            (name, column - 1, CUSTOMER_FIELDS[name])
            for name, column in source.mapping.items()
            if name in CUSTOMER_FIELDS
        ]
        self._parse: Callable[[str], Phone | BadPhone] = lru_cache(4096)(
            lambda text: parse_phone(text, migrate_2018=migrate_2018)
        )

    def next_batch(self) -> Batch | None:
        """Return the next rows, None at the end. Blocks for milliseconds: run it in a thread."""
        batch = Batch()
        for number, cells in islice(self._rows, BATCH_ROWS):
            batch.last_row = number
            self._take(batch, number, cells)
        return batch if batch.last_row else None

    def _take(self, batch: Batch, number: int, cells: Row) -> None:
        cell: Cell = ""
        name, at = "phone", self._phone_at
        try:
            cell = cells[at] if at < len(cells) else ""
            phone = self._parse(cell if isinstance(cell, str) else plain(cell))
            if isinstance(phone, BadPhone):
                self._refuse_phone(batch, number, cells, phone)
                return
            values: dict[str, str] = {}
            for name, at, parser in self._fields:
                cell = cells[at] if at < len(cells) else ""
                if cell != "" and (value := parser(cell)) is not None:
                    values[name] = value
            call_at: float | None = None
            comment: str | None = None
            if 0 <= self._call_at < len(cells):
                name, at, cell = "call_at", self._call_at, cells[self._call_at]
                call_at = parse_moment(cell, self._zone)
            if 0 <= self._comment_at < len(cells):
                name, at, cell = "comment", self._comment_at, cells[self._comment_at]
                comment = self._comment(cell)
        except WrongValue as error:
            batch.failures.append(Failure(number, name, at + 1, plain(cell), error.vi, error.en, cells))
            return
        batch.people.append(Person(number, phone.e164, values, call_at, comment, cells, phone.migrated))

    def _refuse_phone(self, batch: Batch, number: int, cells: Row, bad: BadPhone) -> None:
        if bad.fault is PhoneFault.EMPTY and all(_is_blank(cell) for cell in cells):
            batch.blank += 1
            return
        at = self._phone_at
        value = plain(cells[at]) if at < len(cells) else ""
        batch.failures.append(Failure(number, "phone", at + 1, value, bad.vi, bad.en, cells, bad.fault))


def _is_blank(cell: Any) -> bool:
    return isinstance(cell, str) and not cell.strip()
