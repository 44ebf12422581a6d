"""Classify a carrier's whole table of codes: CSV text in, CSV text out, nothing half done."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dialer.errors import BadInput
from statuses.classify import AttemptFacts, Override, Verdict, classify

READ_COLUMNS: Final = ("sip", "q850", "rang")
ADDED_COLUMNS: Final = ("status", "rule", "attribution")
SIP_CODES: Final = (100, 699)
Q850_CAUSES: Final = (1, 127)

_YES: Final = frozenset({"1", "yes", "y", "true", "t", "x", "có"})
_NO: Final = frozenset({"", "0", "no", "n", "false", "f", "không"})
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Classified:
    """The table that was read, with one verdict a row; `delimiter` is the one that the table used."""

    header: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], Verdict], ...]
    delimiter: str

    def records(self) -> Iterator[dict[str, str]]:
        """Yield each row as a mapping of column name to text, the added columns last."""
        for cells, verdict in self.rows:
            yield dict(zip((*self.header, *ADDED_COLUMNS), (*cells, *_added(verdict)), strict=True))

    def to_csv(self) -> str:
        """Return the table as CSV; a cell that a spreadsheet would run as a formula gets a leading apostrophe."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.delimiter, lineterminator="\n")
        writer.writerow([_inert(name) for name in (*self.header, *ADDED_COLUMNS)])
        writer.writerows([_inert(cell) for cell in (*cells, *_added(verdict))] for cells, verdict in self.rows)
        return text.getvalue()


def connected(facts: AttemptFacts) -> AttemptFacts:
    """Say that a 2xx was a talk with an agent, for a table of codes tells nothing about queues."""
    answered = facts.answered or (facts.sip_status or 0) // 100 == 2  # noqa: PLR2004 - the 2xx class
    return replace(facts, answered=True, agent_bridged=True) if answered else facts


def classify_table(text: str, overrides: Sequence[Override] = (), trunk: str | None = None) -> Classified:
    """Classify every row of a CSV with the columns sip, q850, rang (any order, any others; blank cells are fine).

    Comma, semicolon and tab are understood; rows that are blank altogether are left out. Raises BadInput naming row
    (the header is row 1) and column.
    """
    delimiter = max(",;\t", key=text.split("\n", 1)[0].count)
    try:
        lines = [(number, cells) for number, cells in enumerate(_read(text, delimiter), start=1) if any(cells)]
    except csv.Error as error:
        raise BadInput(f"the table cannot be read as CSV: {error}") from error
    if not lines:
        raise BadInput(f"the table is empty; its first row must name the columns {', '.join(READ_COLUMNS)}")
    header = tuple(lines[0][1])
    places = _places(header)
    rows = []
    for number, short in lines[1:]:
        cells = _padded(number, short, len(header))
        rows.append((cells, classify(_facts(number, cells, places, trunk), overrides)))
    return Classified(header, tuple(rows), delimiter)


def _read(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _places(header: Sequence[str]) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    for name in READ_COLUMNS:
        if names.count(name) != 1:
            problem = "no column" if name not in names else "more than one column"
            raise BadInput(
                f"row 1: {problem} {name!r}; the table needs the columns {', '.join(READ_COLUMNS)}, once each"
            )
    taken = [name for name in ADDED_COLUMNS if name in names]
    if taken:
        raise BadInput(
            f"row 1: the table already has a column {taken[0]!r}; rename it, for the result is written there"
        )
    return {name: names.index(name) for name in READ_COLUMNS}


def _padded(number: int, cells: Sequence[str], width: int) -> tuple[str, ...]:
    if len(cells) > width:
        raise BadInput(f"row {number}: {len(cells)} cells, but the header has {width}; quote cells that hold commas")
    return (*cells, *("" for _ in range(width - len(cells))))


def _facts(number: int, cells: Sequence[str], places: dict[str, int], trunk: str | None) -> AttemptFacts:
    where = {name: f"row {number}, column {name!r}" for name in READ_COLUMNS}
    facts = AttemptFacts(
        sip_status=parse_number(cells[places["sip"]], where["sip"], SIP_CODES),
        q850=parse_number(cells[places["q850"]], where["q850"], Q850_CAUSES),
        rang=_parse_yes(cells[places["rang"]], where["rang"]),
        trunk=trunk,
    )
    return connected(facts)


def parse_number(text: str, where: str, span: tuple[int, int]) -> int | None:
    """Read a code within `span`, None from a blank; raise BadInput that says `where` and what is accepted."""
    stripped = text.strip()
    if not stripped:
        return None
    low, high = span
    # A code has three digits at most; a longer run of digits is not worth converting.
    plain = stripped.isascii() and stripped.isdigit() and len(stripped) <= len(str(high))
    if not plain or not low <= int(stripped) <= high:
        raise BadInput(f"{where}: {stripped[:40]!r} is not a code; give a whole number from {low} to {high}")
    return int(stripped)


def _parse_yes(text: str, where: str) -> bool:
    word = text.strip().casefold()
    if word not in _YES | _NO:
        raise BadInput(f"{where}: {text.strip()[:40]!r} is neither yes nor no; give yes, no or nothing")
    return word in _YES


def _added(verdict: Verdict) -> tuple[str, str, str]:
    return verdict.status.value, verdict.rule, verdict.attribution.value


def _inert(cell: str) -> str:
    if not cell.startswith(_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
