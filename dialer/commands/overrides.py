"""The per-trunk override table as a file that a person names."""

from __future__ import annotations

from pathlib import Path

from dialer.errors import BadInput
from statuses.classify import Override, load_overrides


def read_overrides(path: Path | None) -> tuple[Override, ...]:
    """Read the table, none without a path; raise BadInput that names the file, the entry and the key."""
    if path is None:
        return ()
    try:
        return load_overrides(read_text(path))
    except ValueError as error:
        raise BadInput(f"{path}: {error}") from error


def read_text(path: Path) -> str:
    """Read a whole text file, line ends as they are; raise BadInput when it cannot be read or is not UTF-8."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: is not UTF-8 text; save it as 'CSV UTF-8' and try again") from error
