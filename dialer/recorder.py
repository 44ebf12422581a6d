"""Put the collector of recordings together: the part of `dialer.app` that knows switch, rows and files."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.config import Settings
from dialer.ports import Telephony
from dialer.service.crash import Fault
from dialer.service.driver import Driver
from dialer.service.recordings import Collector, RecordingsPart
from store.recording_files import FsspecFiles
from store.recordings import SqlRecordings


def open_files(settings: Settings) -> FsspecFiles:
    """Return the storage that the settings name; raise BadInput when it is none."""
    return FsspecFiles(settings.recording_url, home=settings.recordings_path)


def open_recorder(
    settings: Settings, engine: AsyncEngine, driver: Driver, telephony: Telephony, fault: Fault | None
) -> RecordingsPart:
    """Wire what the switch records to the storage; it drains after the engine, when the calls are over."""
    collector = Collector(
        telephony,
        SqlRecordings(engine),
        open_files(settings),
        driver.clock.now,
        kind=settings.recording_format,
        keep_days=settings.retention_recordings_days,
        fault=fault,
    )
    driver.on_recording = collector.ended
    return RecordingsPart(collector, records=telephony.capabilities.record)
