from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crm.recordings import DOWNLOAD, LISTEN, PRUNE, Asker, RecordingShelf
from dialer.errors import Damaged, Deleted, NotFound, Unreachable
from dialer.recordings import RecordingFormat
from dialer.service.encoding import encode
from tests.dialer.service.recording_centre import DAY, Centre, centre_at, tone
from tests.store.worlds import NOW

ADMIN = Asker("admin", "127.0.0.1")
WANTED = encode(tone(1.5), RecordingFormat.MP3).data


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Centre]:
    async with centre_at(tmp_path) as made:
        yield made


def shelf_of(centre: Centre) -> RecordingShelf:
    return RecordingShelf(centre.world.engine, centre.files, lambda: centre.now, lambda: 5.0)


async def recorded(centre: Centre) -> tuple[str, Path]:
    """Record one call; return it and its file."""
    call_id = await centre.talk()
    await centre.collector.collect()
    row = await centre.store.find(call_id)
    assert row is not None
    return call_id, centre.home / "recordings" / row.path


async def test_a_recording_is_given_as_it_was_stored(centre: Centre) -> None:
    call_id, file = await recorded(centre)
    shelf = shelf_of(centre)
    sound = await shelf.open(call_id)
    assert (sound.data, sound.stored.file_name) == (WANTED, f"{call_id}.mp3")
    file.unlink()
    assert (await shelf.open(call_id)).data == WANTED, "pieces of one hearing need no second look at the storage"
    assert await shelf.having([call_id, "other"]) == {call_id}
    assert await shelf.having([]) == frozenset()


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-1], lambda data: data + b"x", lambda _: b"", lambda d: b"\0" + d[1:]]
)
async def test_what_is_not_what_was_stored_is_refused(centre: Centre, spoil: object) -> None:
    call_id, file = await recorded(centre)
    assert callable(spoil)
    file.write_bytes(spoil(file.read_bytes()))
    shelf = shelf_of(centre)
    with pytest.raises(Damaged, match=f"recording of call {call_id} is damaged.*another checksum"):
        await shelf.open(call_id)
    problems = [one async for one in shelf.verify(await shelf.rows.newest(campaign_id=None, deleted=False, limit=9))]
    assert [one and one.call_id for one in problems] == [call_id]


async def test_what_is_gone_says_how(centre: Centre) -> None:
    call_id, file = await recorded(centre)
    other, _ = await recorded(centre)
    shelf = shelf_of(centre)
    file.unlink()
    with pytest.raises(NotFound, match="somebody has moved or deleted it there"):
        await shelf.open(call_id)
    for name in ("no-call", "../../etc/passwd", "' OR 1=1 --"):
        with pytest.raises(NotFound, match="has no recording"):
            await shelf.open(name)
    assert await shelf.open(other)
    centre.now = NOW + 40 * DAY
    done = await shelf.prune(ADMIN, 30)
    assert (done.deleted, done.more) == (2, False)
    for gone in (call_id, other):
        with pytest.raises(Deleted, match=r"was deleted on 2027-02-24 at"):
            await shelf.open(gone)
    (act,) = await shelf.audit()
    assert (act.action, act.object, act.actor) == (PRUNE, "2 older than 30 days", "admin")


async def test_a_storage_that_is_away_is_no_missing_recording(centre: Centre) -> None:
    call_id, file = await recorded(centre)
    await asyncio.to_thread(file.unlink)
    await asyncio.to_thread(file.mkdir)
    with pytest.raises(Unreachable):
        await shelf_of(centre).open(call_id)


@pytest.mark.req("S0-24", "S0-25")
async def test_who_hears_what_is_written_down(centre: Centre) -> None:
    shelf = shelf_of(centre)
    await shelf.note(ADMIN, LISTEN, "c1")
    await shelf.note(Asker("cli:ops", "local"), DOWNLOAD, "c2")
    told = [(act.at, act.actor, act.action, act.object, act.remote) for act in await shelf.audit()]
    assert told == [
        (5.0, "cli:ops", "recording.download", "c2", "local"),
        (5.0, "admin", "recording.listen", "c1", "127.0.0.1"),
    ]
    assert [act.object for act in await shelf.audit("c1")] == ["c1"]


async def test_only_so_much_is_held(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.recordings.HELD_BYTES", 3)
    shelf = shelf_of(centre)
    shelf._hold("a", b"12")
    shelf._hold("b", b"34")
    assert list(shelf._held) == ["b"]
    shelf._hold("c", b"longer than all")
    assert list(shelf._held) == ["c"], "the one that is asked for now"
