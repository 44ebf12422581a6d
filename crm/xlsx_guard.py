"""Refuse dangerous workbooks before a reader unpacks them: zip bombs, lying directories, cells far apart.

A workbook is a zip file whose few kilobytes can unpack to terabytes, or can hold two cells a whole sheet apart, for
which a reader reserves every cell between. Everything here runs in constant memory.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Final

from crm.xlsx_extent import OddSheet, Suspicion, extent, plain_tags
from dialer.errors import BadInput

MAX_FILE_BYTES: Final = 200 << 20
MAX_UNPACKED_BYTES: Final = 1 << 30
MAX_ENTRIES: Final = 2_000
MAX_RATIO: Final = 200
MAX_CELLS: Final = 30_000_000
"""Cells of the rectangle around the data; a reader holds about 32 bytes for each."""

_RATIO_FREE_BYTES: Final = 4 << 20
"""Small parts may compress as well as they like."""
_CHUNK: Final = 1 << 18
_ADVICE: Final = "Open it in Excel, copy the rows to a new workbook (or save them as CSV UTF-8) and import that."


def check_workbook(path: Path) -> None:
    """Raise BadInput that says what, where and what to do unless the workbook is safe to unpack."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise BadInput(f"{path}: larger than {MAX_FILE_BYTES >> 20} MB. Split it, or save it as CSV UTF-8.")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_directory(path, archive.infolist())
            for entry in archive.infolist():
                _check_part(path, archive, entry)
    except OddSheet as error:
        raise BadInput(f"{path}: a worksheet {error}. {_ADVICE}") from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise BadInput(f"{path}: not a readable workbook ({error}). {_ADVICE}") from error


def _check_directory(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    names = {entry.filename for entry in entries}
    if len(entries) > MAX_ENTRIES:
        raise BadInput(f"{path}: {len(entries)} parts inside, at most {MAX_ENTRIES} are taken. {_ADVICE}")
    if (total := sum(entry.file_size for entry in entries)) > MAX_UNPACKED_BYTES:
        raise BadInput(f"{path}: unpacks to {total >> 20} MB, at most {MAX_UNPACKED_BYTES >> 20} are taken. {_ADVICE}")
    if len(names) < len(entries):
        raise BadInput(f"{path}: two parts inside have the same name. {_ADVICE}")
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise BadInput(f"{path}: a zip file, but no Excel workbook. Give the .xlsx file itself.")
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        _check_entry(path, entry, after=end)
        end = entry.header_offset + entry.compress_size


def _check_entry(path: Path, entry: zipfile.ZipInfo, *, after: int) -> None:
    name = entry.filename
    if name.startswith("/") or ".." in name.replace("\\", "/").split("/"):
        raise BadInput(f"{path}: holds a part named {name!r}, outside the workbook. {_ADVICE}")
    if entry.file_size > max(_RATIO_FREE_BYTES, MAX_RATIO * entry.compress_size):
        raise BadInput(f"{path}: {name} unpacks to more than {MAX_RATIO} times its size, as a zip bomb does. {_ADVICE}")
    if entry.header_offset < after:
        raise BadInput(f"{path}: {name} overlaps another part, as in a zip bomb. {_ADVICE}")


def _check_part(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Unpack one part in pieces; check that it is as long as the directory promises and how far apart its cells are."""
    sheet = entry.filename.startswith("xl/worksheets/") and entry.filename.endswith(".xml")
    suspicion = Suspicion()
    with closing(_unpack(path, archive, entry)) as pieces:
        for tags in plain_tags(pieces) if sheet else pieces:
            if sheet:
                suspicion.look(tags)
    if not sheet or not suspicion.exceeds(MAX_CELLS):
        return
    with closing(_unpack(path, archive, entry)) as pieces:
        rows, columns = extent(pieces)
    if rows * columns > MAX_CELLS:
        raise BadInput(
            f"{path}: {entry.filename} has cells as far as row {rows} and column {columns}; a rectangle of at most "
            f"{MAX_CELLS} cells is taken. Delete the stray cells around the data (Ctrl+End shows the last one)."
        )


def _unpack(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Generator[bytes]:
    """Yield the part's bytes; a reader may go on where the promised size ends, so look past it."""
    beyond = zipfile.ZipInfo.__new__(zipfile.ZipInfo)
    for slot in zipfile.ZipInfo.__slots__:
        if hasattr(entry, slot):
            setattr(beyond, slot, getattr(entry, slot))
    beyond.file_size = MAX_UNPACKED_BYTES + 1
    unpacked = 0
    with archive.open(beyond) as part:
        while piece := part.read(_CHUNK):
            unpacked += len(piece)
            if unpacked > entry.file_size:
                raise BadInput(f"{path}: {entry.filename} is longer than it says, as in a zip bomb. {_ADVICE}")
            yield piece
