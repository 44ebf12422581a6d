"""The peak memory of one import, or of calamine alone, in a process of its own: `python -m dialer.bench.memory`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from python_calamine import CalamineWorkbook

MEGABYTE: Final = 1_000_000
_STATUS: Final = Path("/proc/self/status")


def read_alone(book: Path) -> int:
    """Read every row with calamine and do nothing with it; return how many there were."""
    sheet = CalamineWorkbook.from_path(book).get_sheet_by_index(0)
    return sum(1 for _ in sheet.iter_rows())


def peak_bytes() -> int:
    """Return the most memory that this process has had (VmHWM: unlike ru_maxrss, not inherited from the parent)."""
    if _STATUS.exists():
        (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    import resource  # noqa: PLC0415 -- there is none on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def rss_bytes() -> int:
    """Return the memory that this process has now; its peak where the system does not say."""
    if _STATUS.exists():
        (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024
    return peak_bytes()


def main(what: str, book: Path) -> None:
    """Do one of the two and print the peak in bytes."""
    if what == "import":
        from dialer.bench.importing import import_once  # noqa: PLC0415 -- its memory is not calamine's

        with TemporaryDirectory(prefix="dialer-bench-") as folder:
            asyncio.run(import_once(book, Path(folder) / "dialer.db"))
    else:
        read_alone(book)
    sys.stdout.write(f"{peak_bytes()}\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
