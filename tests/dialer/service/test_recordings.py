from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import func, select

from dialer import metrics
from dialer.core.events import RecordingEnded
from dialer.errors import AdapterDown
from dialer.metrics import Sample
from dialer.recordings import RecordingFormat
from dialer.service import recordings
from dialer.service.encoding import encode
from dialer.service.recordings import AT_ONCE, POINTS, Collector, RecordingsPart
from store.recordings import RECORDINGS
from tests.dialer.service import recording_centre
from tests.dialer.service.recording_centre import DAY, Centre, centre_at, tone
from tests.store.s3 import BUCKET, s3_server
from tests.store.worlds import NOW


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Centre]:
    async with centre_at(tmp_path) as made:
        yield made


def actions(caplog: pytest.LogCaptureFixture) -> list[str]:
    """List what the collector logged."""
    return [vars(record)["action"] for record in caplog.records if record.name == "dialer.service.recordings"]


def figures(part: RecordingsPart) -> dict[metrics.Metric, float]:
    samples: Iterator[Sample] = iter(part.samples())
    return {sample.metric: sample.value for sample in samples}


@pytest.mark.parametrize("kind", RecordingFormat)
async def test_a_recording_is_stored_told_and_dropped(tmp_path: Path, kind: RecordingFormat) -> None:
    async with centre_at(tmp_path, kind=kind) as centre:
        calls = [await centre.talk() for _ in range(6)]
        await centre.collector.collect()
        wanted = encode(tone(1.5), kind).data
        for call_id in calls:
            row = await centre.store.find(call_id)
            assert row is not None
            assert (row.seconds, row.bytes, row.stored_at) == (1.5, len(wanted), NOW + 100)
            assert row.path == f"2027/01/15/{call_id}.{kind.value}"
            data = await centre.files.read(row.storage, row.path)
            assert data == wanted
            assert row.sha256 == sha256(data).hexdigest()
        assert await centre.switch.recordings() == []
        assert sorted(await centre.told()) == sorted(f"recording.ready {call_id}" for call_id in calls)


async def test_what_is_not_settled_or_not_ours_waits_at_the_switch(centre: Centre) -> None:
    open_call, done = await centre.talk(settled=False), await centre.talk()
    centre.switch.record_call("a-stranger", tone(1.0))
    await centre.collector.collect()
    assert set(await centre.switch.recordings()) == {open_call, "a-stranger"}
    assert await centre.store.having([open_call, done]) == {done}
    assert centre.switch.given == 1, "nothing is fetched in vain"


async def test_what_cannot_be_read_is_said_kept_and_stops_nobody(
    centre: Centre, caplog: pytest.LogCaptureFixture
) -> None:
    spoilt, good = await centre.talk(wav=b"noise"), await centre.talk()
    with caplog.at_level(logging.ERROR):
        await centre.collector.collect()
        await centre.collector.collect()
    assert await centre.store.having([spoilt, good]) == {good}
    assert await centre.switch.recordings() == [spoilt]
    assert actions(caplog) == ["recording.unreadable"]
    part = RecordingsPart(centre.collector, records=True)
    assert part.health() == {"recordings": "1 at the switch cannot be read"}
    assert figures(part)[metrics.RECORDINGS_SPOILT] == 1


class Crash(BaseException):
    """The process is gone: nothing after it runs."""


@pytest.mark.parametrize("point", POINTS[:-1])
async def test_after_an_end_at_any_point_nothing_is_lost_or_doubled(tmp_path: Path, point: str) -> None:
    def crash(passed: str) -> None:
        if passed == point:
            raise Crash

    async with centre_at(tmp_path, fault=crash) as before:
        calls = [await before.talk() for _ in range(3)]
        with pytest.raises(Crash):
            await before.collector.collect()
        if point != "recording.dropped":
            assert len(await before.switch.recordings()) == 3, "nothing is dropped before its row is there"
        after = Collector(before.switch, before.store, before.files, lambda: NOW + 200)  # type: ignore[arg-type]
        await after.collect()
        assert await before.switch.recordings() == []
        assert sorted(await before.told()) == sorted(f"recording.ready {call_id}" for call_id in calls)
        files = [file for file in (tmp_path / "recordings").rglob("*") if file.is_file()]
        assert sorted(file.name for file in files) == sorted(f"{call_id}.mp3" for call_id in calls)


async def test_killed_at_every_point_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """SIGKILL of a real process, one after the other over the same folder, at each point."""
    async with centre_at(tmp_path) as centre:
        calls = [await centre.talk() for _ in range(len(POINTS) + 1)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONASYNCIODEBUG"}
    for point in POINTS:
        command = [sys.executable, "-m", recording_centre.__name__, str(tmp_path), f"{point}:1"]
        killed = await asyncio.to_thread(
            subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert killed.returncode == -signal.SIGKILL, f"{point}: {killed.stderr}"
    async with centre_at(tmp_path, keep_days=1) as centre:
        await centre.collector.collect()
        ready = [one for one in await centre.told() if one.startswith("recording.ready")]
        assert sorted(ready) == sorted(f"recording.ready {call_id}" for call_id in calls)
        assert await centre.switch.recordings() == []
        centre.now += 10 * DAY
        await centre.collector.prune()
        deleted = [one for one in await centre.told() if one.startswith("recording.deleted")]
        assert sorted(deleted) == sorted(f"recording.deleted {call_id}" for call_id in calls)
        assert [file for file in (tmp_path / "recordings").rglob("*") if file.is_file()] == []


async def test_while_s3_is_away_everything_waits_and_then_goes_on_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recordings, "PAUSE_S", (0.05, 0.1))
    caplog.set_level(logging.WARNING)
    with s3_server() as s3:
        async with centre_at(tmp_path, f"s3://{BUCKET}/calls") as centre:
            calls = [await centre.talk() for _ in range(3)]
            part = RecordingsPart(centre.collector, records=True)
            s3.away = True
            running = asyncio.create_task(centre.collector.run())
            while not centre.collector.failures:  # noqa: ASYNC110 -- the collector tells nobody
                await asyncio.sleep(0.05)
            assert "3 wait at the switch: the storage of recordings" in part.health()["recordings"]
            assert figures(part)[metrics.RECORDINGS_WAITING] == 3
            assert len(await centre.switch.recordings()) == 3
            assert await centre.told() == []
            s3.away = False
            while await centre.switch.recordings() or centre.collector.failures:  # noqa: ASYNC110 -- nor does the switch
                await asyncio.sleep(0.05)
            running.cancel()
            await asyncio.wait({running})
            assert part.health() == {"recordings": "ok"}
            row = await centre.store.find(calls[0])
            assert row is not None
            assert row.storage == f"s3://{BUCKET}/calls"
            assert sha256(await centre.files.read(row.storage, row.path)).hexdigest() == row.sha256
            assert len(await centre.told()) == 3
    assert actions(caplog) == ["recording.waits", "recording.again"]


async def test_the_end_of_a_recording_wakes_the_collector(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "LOOK_S", 3600.0)
    running = asyncio.create_task(centre.collector.run())
    try:
        await asyncio.sleep(0)
        call_id = await centre.talk()
        centre.collector.ended(RecordingEnded(call_id, 1.5))
        async with asyncio.timeout(60):
            while await centre.switch.recordings():  # noqa: ASYNC110 -- the switch tells nobody
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.wait({running})
    assert await centre.store.having([call_id]) == {call_id}


async def test_a_switch_that_is_away_is_told_and_asked_again(centre: Centre) -> None:
    call_id = await centre.talk()
    centre.switch.down = True
    await centre.collector._look()
    part = RecordingsPart(centre.collector, records=True)
    assert part.health()["recordings"] == "0 wait at the switch: the switch is away"
    assert figures(part)[metrics.RECORDING_FAILURES] == 1
    centre.switch.down = False
    await centre.collector._look()
    assert part.health() == {"recordings": "ok"}
    assert await centre.store.having([call_id]) == {call_id}
    centre.collector.ended(RecordingEnded("c9", None))
    assert figures(part) == {
        metrics.RECORDED: 1, metrics.RECORDED_BYTES: len(encode(tone(1.5), RecordingFormat.MP3).data),
        metrics.RECORDINGS_WAITING: 0, metrics.RECORDING_FAILURES: 0, metrics.RECORDINGS_MISSING: 1,
        metrics.RECORDINGS_SPOILT: 0, metrics.RECORDINGS_DELETED: 0,
    }  # fmt: skip


async def test_the_stop_brings_the_last_ones(centre: Centre, caplog: pytest.LogCaptureFixture) -> None:
    call_id = await centre.talk()
    part = RecordingsPart(centre.collector, records=True)
    assert await part.drain() == 0
    assert await centre.store.having([call_id]) == {call_id}
    await centre.talk()
    centre.switch.down = True
    with caplog.at_level(logging.WARNING):
        assert await part.drain() == 0
    assert actions(caplog) == ["recording.left"]


async def test_old_recordings_are_deleted_and_their_rows_say_when(tmp_path: Path) -> None:
    async with centre_at(tmp_path, keep_days=30) as centre:
        call_id = await centre.talk()
        await centre.collector.collect()
        centre.now = NOW + 30 * DAY
        await centre.collector.prune()
        assert await centre.store.having([call_id]) == {call_id}, "not yet older than 30 days"
        centre.now += 1
        centre.collector._prune_at = 0.0
        await centre.collector.prune()
        row = await centre.store.find(call_id)
        assert row is not None
        assert row.deleted_at == centre.now
        assert not (tmp_path / "recordings" / row.path).exists()
        assert centre.collector.counts["deleted"] == 1


async def test_without_a_bound_nothing_is_ever_deleted(centre: Centre) -> None:
    call_id = await centre.talk()
    await centre.collector.collect()
    centre.now += 10_000 * DAY
    await centre.collector.prune()
    assert await centre.store.having([call_id]) == {call_id}


async def test_a_switch_that_does_not_record_has_nothing_to_say(centre: Centre) -> None:
    part = RecordingsPart(centre.collector, records=False)
    assert part.health() == {}
    assert list(part.samples()) == []
    async with centre.world.engine.connect() as connection:
        assert (await connection.execute(select(func.count()).select_from(RECORDINGS))).scalar_one() == 0


async def test_recordings_that_cannot_be_brought_do_not_keep_those_behind_them(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = [await centre.talk() for _ in range(AT_ONCE)], [await centre.talk() for _ in range(3)]
    recording = centre.switch.recording

    async def fetched(call_id: str) -> bytes:
        if call_id in bad:
            raise AdapterDown("the switch does not give it")
        return await recording(call_id)

    async def listed() -> list[str]:
        return [*bad, *sorted(left - set(bad))] if (left := set(await recordings_of())) else []

    recordings_of = centre.switch.recordings
    monkeypatch.setattr(centre.switch, "recording", fetched)
    monkeypatch.setattr(centre.switch, "recordings", listed)
    for _ in range(2):
        with pytest.raises(AdapterDown):
            await centre.collector.collect()
    await centre.collector.collect()
    assert await centre.store.having([*bad, *good]) == set(good)
    part = RecordingsPart(centre.collector, records=True)
    assert part.health() == {"recordings": f"{AT_ONCE} at the switch could not be brought"}
