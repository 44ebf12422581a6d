"""Which trunks an operator drains: one name a line in a file, so that every engine sees it and a restart remembers."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from dialer.errors import BadInput


def drained(path: Path) -> frozenset[str]:
    """Return the names; none without the file. Raises BadInput when it cannot be read."""
    try:
        return frozenset(path.read_text(encoding="utf-8").split())
    except FileNotFoundError:
        return frozenset()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the list of drained trunks {path} cannot be read: {error}; mend or delete it") from error


def write(path: Path, names: Collection[str]) -> None:
    """Drain these trunks and no others, in one step; raises BadInput when it cannot be written."""
    fresh = path.with_suffix(".new")
    try:
        fresh.write_text("".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise BadInput(f"the list of drained trunks {path} cannot be written: {error.strerror}") from error
