"""Import beside calamine alone: rows a second, and the memory that grows with the file."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from crm.campaigns import create
from crm.importing import import_leads
from dialer.bench.figures import Pair, Result, Step, at_least, at_most, best, plain, ratio, timed
from dialer.bench.memory import MEGABYTE, read_alone
from dialer.bench.workbook import MAPPING, START_ROW, write_workbook
from dialer.core.types import CampaignSettings
from store.open import open_database
from store.upgrade import upgrade

RATIO_GOAL: Final = 0.3
GROWTH_GOAL_MB: Final = 8.0
"""What counts as flat: allocators round."""
LONGER: Final = 4
_CAMPAIGN: Final = "bench"


def bench_import(*, rows: int, repeats: int, step: Step) -> Result:
    """Import `rows` rows into fresh SQLite files; memory in processes of their own, also for 4 times as many."""
    with TemporaryDirectory(prefix="dialer-bench-") as folder:
        short, long = Path(folder) / "short.xlsx", Path(folder) / "long.xlsx"
        step("writing workbooks")
        write_workbook(short, rows)
        write_workbook(long, LONGER * rows)
        pairs = [_pair(short, Path(folder) / f"{number}.db", number, step) for number in range(1, repeats + 1)]
        growth = []
        for number in range(1, repeats + 1):
            step(f"memory, {number} of {repeats}")
            growth.append(_beyond_calamine(long) - _beyond_calamine(short))
        own = _beyond_calamine(short)
    return Result(
        "import",
        {"rows": rows, "repeats": repeats},
        [
            at_least("rows a second / calamine alone", ratio(pairs), RATIO_GOAL),
            at_most(
                f"peak memory from {rows:,} to {LONGER * rows:,} rows, beyond calamine's own",
                median(growth),
                GROWTH_GOAL_MB,
                "MB",
            ),
            plain(f"peak memory for {rows:,} rows, beyond calamine's own", own, "MB"),
            plain("rows a second", rows / best([imported for imported, _ in pairs])),
            plain("rows a second of calamine alone", rows / best([read for _, read in pairs])),
        ],
    )


def _pair(book: Path, database: Path, number: int, step: Step) -> Pair:
    step(f"import beside calamine, {number}")
    imported = asyncio.run(import_once(book, database))
    return imported, timed(lambda: read_alone(book))


async def import_once(book: Path, database: Path) -> float:
    """Import a whole workbook into a fresh database; return the seconds that the import itself took."""
    engine = open_database(f"sqlite:///{database}")
    try:
        await upgrade(engine)
        now = time.time()
        await create(engine, CampaignSettings(campaign_id=0, name=_CAMPAIGN, hotlines=("19000000",)), now=now)
        began = time.perf_counter()
        result = await import_leads(engine, book, _CAMPAIGN, MAPPING, START_ROW, now=now)
        took = time.perf_counter() - began
    finally:
        await engine.dispose()
    if result.failed or result.added != result.rows:
        raise RuntimeError(f"{result.added} of {result.rows} rows were imported, {result.failed} failed")
    return took


def _beyond_calamine(book: Path) -> float:
    """Return the megabytes that an import of the file takes at its peak, less those of calamine alone."""
    return _peak_mb("import", book) - _peak_mb("read", book)


def _peak_mb(what: str, book: Path) -> float:
    command = [sys.executable, "-m", "dialer.bench.memory", what, str(book)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own module
    if done.returncode:
        raise RuntimeError(f"measuring the memory of an import failed: {done.stderr[-2000:]}")
    return int(done.stdout) / MEGABYTE
