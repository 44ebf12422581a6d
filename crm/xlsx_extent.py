"""How far apart a worksheet's cells are, told from its XML as a stream: a reader reserves every cell between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

NEAR_COLUMNS: Final = 26
NEAR_ROWS: Final = 99_999
"""References up to Z99999 are not looked at one by one: that rectangle is always affordable."""

_CARRY_LIMIT: Final = 1 << 20
_PLAIN: Final = bytes.maketrans(b"\t\r\n'", b'   "')
_FAR: Final = re.compile(rb' r="(?:([A-Za-z]{2,3})(\d+)|([A-Za-z]?)(\d{6,}))')
_ODD: Final = (b" r =", b' r= "')
_TAG: Final = re.compile(rb'<(?:[\w.-]+:)?(row|c)(?=[ />])(?:[^<>]*? r="([A-Za-z]*)(\d+)")?[^<>]*?(/?)>')


class OddSheet(ValueError):
    """The XML places cells as no spreadsheet program does."""


def plain_tags(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Cut a stream of XML before tags, with plain blanks and double quotes; raise OddSheet without tags for long."""
    carry = b""
    for piece in pieces:
        window = carry + piece.translate(_PLAIN)
        cut = max(window.rfind(b"<"), 0)
        carry = window[cut:]
        if len(carry) > _CARRY_LIMIT:
            raise OddSheet("has text without end")
        yield window[:cut]
    yield carry


class Suspicion:
    """An upper bound of the cells in the rectangle around the data, from a look at far references only."""

    def __init__(self) -> None:
        self._rows, self._columns, self._unplaced = NEAR_ROWS, NEAR_COLUMNS, False

    def look(self, tags: bytes) -> None:
        """Take in a piece of `plain_tags`."""
        for wide, deep, letter, deeper in _FAR.findall(tags):
            self._rows = max(self._rows, int(deep or deeper))
            self._columns = max(self._columns, column_number(wide or letter))
        placed, places = tags.count(b' r="'), tags.count(b"<c") + tags.count(b"<row")
        if tags.count(b" r") != placed and any(odd in tags for odd in _ODD):
            raise OddSheet("places cells as no spreadsheet program does")
        if places != placed:
            self._unplaced = self._unplaced or places - tags.count(b"<col") != placed

    def exceeds(self, cells: int) -> bool:
        """Tell whether the rectangle might hold more than `cells`."""
        return self._unplaced or self._rows * self._columns > cells


def extent(pieces: Iterable[bytes]) -> tuple[int, int]:
    """Return the last row and the last column (1-based) that hold something, reading every tag."""
    rows = columns = row = column = 0
    for tags in plain_tags(pieces):
        for kind, letters, digits, empty in _TAG.findall(tags):
            if kind == b"row":
                row, column = int(digits) if digits else row + 1, 0
                continue
            column = column_number(letters) if letters else column + 1
            row = int(digits) if digits else row
            if not empty:
                rows, columns = max(rows, row), max(columns, column)
    return rows, columns


def column_number(letters: bytes) -> int:
    """Return 1 for A, 27 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
