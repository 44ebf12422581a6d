"""`kill -9` at named points: the process that comes after loses and doubles nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from cdr.clickhouse import open_chdb
from cdr.memory import MemoryOffsetLedger
from cdr.projector import POINTS, PROJECTION, Projector
from cdr.verify import verify
from dialer.ports import OffsetRange
from tests.cdr.samples import log_of

pytestmark = pytest.mark.component("chdb")

ROOT = Path(__file__).resolve().parents[2]
CALLS = 30
BATCH = 40


class _Book(msgspec.Struct):
    position: int = 0
    pending: OffsetRange | None = None


class FileLedger(MemoryOffsetLedger):
    """A ledger of one partition that outlives its process."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        book = msgspec.json.decode(path.read_bytes(), type=_Book) if path.exists() else _Book()
        self._positions[PROJECTION, 0] = book.position
        if book.pending is not None:
            self._pending[PROJECTION, 0] = book.pending

    async def begin(self, projection: str, span: OffsetRange) -> None:
        await super().begin(projection, span)
        self._save()

    async def confirm(self, projection: str, span: OffsetRange) -> None:
        await super().confirm(projection, span)
        self._save()

    def _save(self) -> None:
        book = _Book(self._positions.get((PROJECTION, 0), 0), self._pending.get((PROJECTION, 0)))
        draft = self._path.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(book))
        draft.replace(self._path)


async def project_until(folder: Path, point: str, occurrence: int) -> None:
    """Project until `point` was passed `occurrence` times, then die; at the end of the log, return."""
    left = occurrence

    def fault(name: str) -> None:
        nonlocal left
        left -= name == point
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    analytics = await open_chdb(folder / "analytics")
    ledger = FileLedger(folder / "ledger.json")
    projector = Projector(log_of(CALLS), ledger, analytics, batch_rows=BATCH, fault=fault)
    while await projector.run_once():
        pass
    await analytics.close()


def run_child(folder: Path, point: str, occurrence: int) -> int:
    code = "import asyncio, sys\nfrom pathlib import Path\nfrom tests.cdr.test_kill import project_until\n"
    code += "asyncio.run(project_until(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))"
    arguments = [sys.executable, "-c", code, str(folder), point, str(occurrence)]
    return subprocess.run(arguments, cwd=ROOT, check=False, timeout=60).returncode


@pytest.mark.parametrize("point", POINTS)
async def test_a_killed_projector_is_followed_by_one_that_goes_on(point: str, tmp_path: Path) -> None:
    assert await asyncio.to_thread(run_child, tmp_path, point, 2) == -signal.SIGKILL
    await project_until(tmp_path, "none", 1)
    ledger = FileLedger(tmp_path / "ledger.json")
    analytics = await open_chdb(tmp_path / "analytics")
    last = len(await log_of(CALLS).read(0, after=0, limit=10_000))
    assert await ledger.position(PROJECTION, 0) == last
    report = await verify(analytics, {0: last})
    await analytics.close()
    (part,) = report.partitions
    assert report.ok, part
    assert (part.records, part.calls, part.finals) == (last, CALLS, CALLS)
