from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from starlette.middleware.sessions import SessionMiddleware

from crm.recordings import RecordingShelf
from dialer.recordings import RecordingFormat
from dialer.service.encoding import encode
from tests.dialer.service.recording_centre import DAY, Centre, centre_at, tone
from web.api_recordings import LISTEN_S, make_recording_router
from web.errors import install_error_handlers

WANTED = encode(tone(1.5), RecordingFormat.MP3).data
SIZE = len(WANTED)


class Served(NamedTuple):
    """A client, the centre behind it, one recorded call, and a wall clock that a test moves."""

    http: httpx.AsyncClient
    centre: Centre
    shelf: RecordingShelf
    call: str
    wall: list[float]

    async def get(self, what: str = "audio", **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.get(f"/api/recordings/{self.call}/{what}", headers=given)

    async def acts(self) -> list[str]:
        return [act.action.removeprefix("recording.") for act in reversed(await self.shelf.audit())]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    wall = [1000.0]
    async with centre_at(tmp_path) as centre:
        call = await centre.talk()
        await centre.collector.collect()
        shelf = RecordingShelf(centre.world.engine, centre.files, lambda: centre.now, lambda: wall[0])
        app = FastAPI()
        install_error_handlers(app)
        app.include_router(make_recording_router(shelf, lambda: wall[0]))
        app.add_middleware(SessionMiddleware, secret_key="of the tests")
        transport = httpx.ASGITransport(app, client=("192.0.2.7", 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
            yield Served(http, centre, shelf, call, wall)


@pytest.mark.req("S0-24")
async def test_a_recording_is_listened_to(served: Served) -> None:
    answer = await served.get()
    assert (answer.status_code, answer.content) == (200, WANTED)
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith("inline")
    (act,) = await served.shelf.audit()
    assert (act.actor, act.action, act.object, act.remote) == ("service", "recording.listen", served.call, "192.0.2.7")
    assert act.at == 1000.0


@pytest.mark.req("S0-25")
async def test_a_recording_is_downloaded_under_the_calls_name(served: Served) -> None:
    answer = await served.get("file")
    assert answer.content == WANTED
    assert answer.headers["content-disposition"] == f'attachment; filename="{served.call}.mp3"'
    assert await served.acts() == ["download"]


async def test_a_player_gets_the_pieces_that_it_asks_for(served: Served) -> None:
    first, middle, tail = [await served.get(range=f"bytes={span}") for span in ("0-99", "100-199", "-50")]
    assert [one.status_code for one in (first, middle, tail)] == [206] * 3
    assert (first.content, middle.content, tail.content) == (WANTED[:100], WANTED[100:200], WANTED[-50:])
    assert middle.headers["content-range"] == f"bytes 100-199/{SIZE}"
    assert middle.headers["content-length"] == "100"
    beyond = await served.get(range=f"bytes={SIZE}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{SIZE}")
    tag = first.headers["etag"]
    assert (await served.get(range="bytes=5-9", if_range=tag)).content == WANTED[5:10]
    assert (await served.get(range="bytes=5-9", if_range='"another"')).content == WANTED


async def test_a_look_at_the_head_is_no_hearing(served: Served) -> None:
    answer = await served.http.head(f"/api/recordings/{served.call}/audio")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(SIZE))
    assert await served.acts() == []


async def test_the_pieces_of_one_hearing_are_one_row(served: Served) -> None:
    await served.get(range="bytes=0-")
    for start in (500, 100, 900):
        await served.get(range=f"bytes={start}-")
    assert await served.acts() == ["listen"]
    await served.get(range="bytes=0-")
    assert await served.acts() == ["listen", "listen"], "from the beginning again"
    served.wall[0] += LISTEN_S
    await served.get(range="bytes=500-")
    assert len(await served.acts()) == 3, "an hour later it is another one"


async def test_nobody_hears_the_rest_without_a_row(served: Served) -> None:
    await served.get(range="bytes=1-")
    assert await served.acts() == ["listen"]


async def test_one_player_is_one_hearing_however_it_asks(served: Served) -> None:
    for _ in range(3):
        await served.get("audio?listen=one", range="bytes=0-")
    await served.get("audio?listen=two")
    assert await served.acts() == ["listen", "listen"]
    served.wall[0] += LISTEN_S
    await served.get("audio?listen=one")
    assert len(await served.acts()) == 3


async def test_what_is_damaged_deleted_missing_or_nobodys_is_told(served: Served) -> None:
    row = await served.shelf.need(served.call)
    file = served.centre.home / "recordings" / row.path

    async def said(what: str = "audio") -> tuple[int, str]:
        answer = await served.get(what)
        return answer.status_code, answer.json()["error"]["code"]

    file.write_bytes(WANTED[:-1])
    assert await said() == (409, "damaged")
    file.unlink()
    assert await said("file") == (404, "not_found")
    file.mkdir()
    assert await said() == (503, "storage_away")
    file.rmdir()
    served.centre.now += 100 * DAY
    await served.centre.store.mark_deleted(served.call, now=served.centre.now)
    assert await said() == (410, "deleted")
    answer = await served.http.get(f"/api/recordings/{served.call}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "deleted")
    for name in ("nobodys", "..%2F..%2Fsecrets.json", "%00"):
        answer = await served.http.get(f"/api/recordings/{name}/audio")
        assert (answer.status_code, answer.json().get("error", {}).get("code", "not_found")) == (404, "not_found"), name
    assert await served.acts() == []


async def test_recordings_are_listed(served: Served) -> None:
    (row,) = (await served.http.get("/api/recordings", params={"campaign_id": 1})).json()
    assert (row["call_id"], row["seconds"], row["bytes"], row["format"]) == (served.call, 1.5, SIZE, "mp3")
    assert (await served.http.get("/api/recordings", params={"campaign_id": 2})).json() == []
    assert (await served.http.get(f"/api/recordings/{served.call}")).json() == row
    assert (await served.http.get("/api/recordings", params={"limit": 0})).status_code == 422
