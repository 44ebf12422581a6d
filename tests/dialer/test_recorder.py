from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.clock import SystemClock
from dialer.config import Settings
from dialer.core.events import RecordingEnded
from dialer.errors import BadInput
from dialer.recorder import open_files, open_recorder
from dialer.recordings import RecordingFormat
from dialer.service.driver import Driver
from store.lead_store import SqlLeadStore
from store.open import open_database
from tests.dialer.service.recording_centre import FolderSwitch


async def test_the_collector_is_what_the_settings_say_and_hears_the_switch(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, recording_format=RecordingFormat.WAV, retention_recordings_days=30)
    engine: AsyncEngine = open_database(f"sqlite:///{tmp_path / 'dialer.db'}")
    switch = FolderSwitch(tmp_path / "switch")
    driver = Driver(SqlLeadStore(engine), switch, None, SystemClock())  # type: ignore[arg-type]
    part = open_recorder(settings, engine, driver, switch, None)  # type: ignore[arg-type]
    assert part.health() == {"recordings": "ok"}
    driver.on_recording(RecordingEnded("c1", None))
    assert part.collector.counts["missing"] == 1
    await engine.dispose()


def test_a_storage_that_is_none_is_refused_at_the_start(tmp_path: Path) -> None:
    assert open_files(Settings(home=tmp_path)).storage == ""
    assert open_files(Settings(home=tmp_path, recording_url="memory://x")).storage == "memory://x"
    with pytest.raises(BadInput, match="recording_url"):
        open_files(Settings(home=tmp_path, recording_url="nonsense://x"))
