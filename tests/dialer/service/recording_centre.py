"""A centre for the tests of recordings: settled talks, a switch that keeps real WAV files, a storage, a collector.

Nothing of pytest: the processes that are killed import it too, `python -m tests.dialer.service.recording_centre`.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.core.effects import SettleAttempt, SettleLead
from dialer.core.types import Fence, LeadResult
from dialer.errors import AdapterDown
from dialer.service.crash import crash_at
from dialer.service.recordings import Collector
from dialer.switch import Capabilities, Plain
from statuses.lead import Trigger
from store.models import OutboxRecord
from store.open import open_database
from store.recording_files import FsspecFiles
from store.recordings import SqlRecordings
from store.upgrade import upgrade
from tests.store.worlds import NOW, SqlWorld, begun, commit, standing, talk

DAY = 86_400.0


def tone(seconds: float, *, rate: int = 8_000, channels: int = 1, width: int = 2, hertz: float = 440.0) -> bytes:
    """Return a WAV file of a tone."""
    levels = np.sin(np.arange(int(seconds * rate)) * 2 * np.pi * hertz / rate)
    samples = (levels * 12_000).astype("<i2") if width == 2 else (levels * 100 + 128).astype("u1")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(np.repeat(samples, channels).tobytes())
    return file.getvalue()


class FolderSwitch(Plain):
    """Keeps FOLDER/CALL_ID.wav until it is told to drop it."""

    name = "folder"
    capabilities = Capabilities(record=True)

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.down = False
        self.given = 0

    def record_call(self, call_id: str, wav: bytes) -> None:
        (self.folder / f"{call_id}.wav").write_bytes(wav)

    async def recordings(self) -> Sequence[str]:
        if self.down:
            raise AdapterDown("the switch is away")
        return [file.stem for file in sorted(self.folder.iterdir())]

    async def recording(self, call_id: str) -> bytes:
        self.given += 1
        try:
            return await asyncio.to_thread((self.folder / f"{call_id}.wav").read_bytes)
        except FileNotFoundError:
            raise LookupError(call_id) from None

    async def drop_recording(self, call_id: str) -> None:
        (self.folder / f"{call_id}.wav").unlink(missing_ok=True)


class Centre:
    """A database with settled talks, a switch that recorded them, a storage, and a collector between."""

    def __init__(self, engine: AsyncEngine, home: Path, url: str = "", **more: Any) -> None:
        self.world = SqlWorld(engine)
        self.switch = FolderSwitch(home / "switch")
        self.home = home
        self.files = FsspecFiles(url, home=home / "recordings")
        self.store = SqlRecordings(engine)
        self.now = NOW + 100
        self.collector = Collector(self.switch, self.store, self.files, lambda: self.now, **more)  # type: ignore[arg-type]
        self.fence: Fence | None = None

    async def talk(self, *, wav: bytes | None = None, settled: bool = True) -> str:
        """Make one talk that the switch has recorded."""
        self.fence = self.fence or await standing(self.world, 12, record=True)
        call = await begun(self.world, self.fence)
        if settled:
            await commit(self.world, self.fence, SettleAttempt(talk(call, recorded=True)), now=NOW + 60)
            done = LeadResult(call.call_id, call.lead_id, Trigger.ANSWERED, "an", wrap_s=3.0)
            await commit(self.world, self.fence, SettleLead(done), now=NOW + 63)
        self.switch.record_call(call.call_id, tone(1.5) if wav is None else wav)
        return call.call_id

    async def told(self) -> list[str]:
        """List what was told of recordings, in order."""
        query = select(OutboxRecord.type, OutboxRecord.value)
        query = query.where(OutboxRecord.type.like("recording.%")).order_by(OutboxRecord.offset)
        async with self.world.engine.connect() as connection:
            return [f"{row[0]} {json.loads(row[1])['call_id']}" for row in await connection.execute(query)]


@asynccontextmanager
async def centre_at(home: Path, url: str = "", **more: Any) -> AsyncIterator[Centre]:
    engine = open_database(f"sqlite:///{home / 'dialer.db'}")
    await upgrade(engine)
    try:
        yield Centre(engine, home, url, **more)
    finally:
        await engine.dispose()


async def main(home: str, point: str) -> None:
    """Collect and prune until this process kills itself."""
    async with centre_at(Path(home), fault=crash_at(point), keep_days=1) as centre:
        centre.now += 10 * DAY if point.startswith("recording.removed") else 0
        await centre.collector.collect()
        await centre.collector.prune()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
