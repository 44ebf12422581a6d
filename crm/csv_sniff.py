"""Tell how a CSV file is written: UTF-8, UTF-16 or the Vietnamese code page; comma, semicolon, tab or bar."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

from dialer.errors import BadInput

_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS: Final = ",;\t|"
_SAMPLE_ROWS: Final = 50
_HEAD_BYTES: Final = 4096
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to read one file; `skip` rows (an Excel `sep=` line) hold no data."""

    encoding: str
    delimiter: str
    skip: int
    width: int
    """Columns of the widest of the first rows."""


def sniff(path: Path) -> Dialect:
    """Tell how the file is written; raise BadInput for a binary or empty one."""
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="", errors="replace") as lines:
        first = lines.readline()
        if not first:
            raise BadInput(f"{path}: the file is empty. Choose the file that holds the rows.")
        declared = first.strip().strip('"')
        if declared.lower().startswith("sep=") and len(declared) == len("sep=,"):
            return Dialect(encoding, declared[-1], 1, _width(lines, declared[-1])[1])
        lines.seek(0)
        sample = "".join(islice(lines, _SAMPLE_ROWS))
    scored = [(*_width(sample.splitlines(keepends=True), delimiter), delimiter) for delimiter in _DELIMITERS]
    _, width, delimiter = max(scored, key=lambda score: score[:2])
    return Dialect(encoding, delimiter, 0, width)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        for bom, encoding in _BOMS:
            if head.startswith(bom):
                return encoding
        if b"\0" in head:
            return _without_bom(path, head)
        file.seek(0)
        return "utf-8" if _is_utf8(iter(lambda: file.read(_CHUNK), b"")) else "cp1258"


def _without_bom(path: Path, head: bytes) -> str:
    """Return the UTF-16 whose ASCII letters leave every other byte empty."""
    low, high = head[0::2].count(0), head[1::2].count(0)
    if max(low, high) * 4 > len(head) // 2 and b"\0\0" not in head:
        return "utf-16-le" if high > low else "utf-16-be"
    raise BadInput(f"{path}: binary data, not CSV text. Save the sheet as .xlsx or as CSV UTF-8.")


def _is_utf8(pieces: Iterator[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in pieces:
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _width(lines: TextIO | list[str], delimiter: str) -> tuple[int, int]:
    """Return (how many rows have the usual width, the greatest width); one column counts for nothing."""
    try:
        widths = [len(row) for row in islice(csv.reader(lines, delimiter=delimiter), _SAMPLE_ROWS) if row]
    except csv.Error:
        return 0, 1
    usual, count = Counter(widths).most_common(1)[0] if widths else (1, 0)
    return (count if usual > 1 else 0), max(widths, default=1)
