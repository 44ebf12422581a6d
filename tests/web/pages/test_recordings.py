"""Listening to a call and downloading it, in Chromium, over a real store and real files (S0-24 to S0-26)."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from dialer.errors import Damaged, Deleted, DialerError, NotFound, Unreachable
from dialer.recordings import RecordingFormat
from dialer.service.encoding import encode
from tests.dialer.service.recording_centre import tone
from tests.web.pages.test_lead import open_calls, path_of
from tests.web.served import Console, Visit
from tests.web.world import SHARED, TRACED
from web.pages.recordings import problem_key
from web.texts import TEXTS

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.component("chromium"),
    pytest.mark.component("sqlite"),
    pytest.mark.component("chdb"),
]
LISTEN, GET, DETAIL = "Nghe ghi âm", "Tải xuống ghi âm", "Xem chi tiết cuộc gọi"
RECORDED, SPOILT = "+84900000001", "+84900000033"
WANTED = encode(tone(3.0), RecordingFormat.MP3).data


async def history(console: Console, visit: Visit, phone: str) -> Page:
    page = await visit(path_of(console, phone))
    await open_calls(page)
    await expect(page.get_by_role("button", name=DETAIL).first).to_be_visible()
    return page


def acts(console: Console, call_id: str) -> list[tuple[str, str, str]]:
    """Return the audit's rows of a call."""
    with sqlite3.connect(f"file:{console.folder}/dialer.db?mode=ro", uri=True) as db:
        query = "SELECT actor, action, remote FROM audit WHERE object = ? ORDER BY id"
        rows: list[tuple[str, str, str]] = db.execute(query, (call_id,)).fetchall()
    db.close()
    return rows


async def heard(page: Page) -> float:
    """Let the player play to its end; return how long that was."""
    length: float = await page.locator("audio").evaluate(
        """async (audio) => {
            audio.playbackRate = 8
            audio.muted = true
            await audio.play()
            if (!audio.ended) await new Promise((done, failed) => { audio.onended = done; audio.onerror = failed })
            return audio.duration
        }"""
    )
    return length


@pytest.mark.parametrize("kind", [Damaged, Deleted, NotFound, Unreachable, DialerError])
async def test_each_reason_has_words(kind: type[DialerError]) -> None:
    assert problem_key(kind("why")) in TEXTS
    assert problem_key(Deleted("gone")) == "recording.deleted"


@pytest.mark.req("S0-26")
async def test_only_a_call_that_was_recorded_offers_it(console: Console, visit: Visit) -> None:
    page = await history(console, visit, RECORDED)
    for name in (LISTEN, GET, DETAIL):
        await expect(page.get_by_role("button", name=name)).to_have_count(1)
    page = await history(console, visit, SHARED)
    await expect(page.get_by_role("button", name=DETAIL)).to_have_count(2)
    for name in (LISTEN, GET):
        await expect(page.get_by_role("button", name=name)).to_have_count(0)
    await page.get_by_role("button", name=DETAIL).first.click()
    await expect(page.get_by_role("dialog", name="Chi tiết cuộc gọi")).to_be_visible()
    await expect(page.locator("audio")).to_have_count(0)


@pytest.mark.req("S0-24")
async def test_a_call_is_listened_to_and_that_is_one_row_of_the_audit(console: Console, visit: Visit) -> None:
    page = await history(console, visit, RECORDED)
    before = len(acts(console, TRACED))
    await page.get_by_role("button", name=LISTEN).click()
    dialog = page.get_by_role("dialog", name="Ghi âm cuộc gọi")
    await expect(dialog.get_by_text(TRACED)).to_be_visible()
    assert await heard(page) == pytest.approx(3.0, abs=0.2)
    assert acts(console, TRACED)[before:] == [("link", "recording.listen", "127.0.0.1")]
    await page.get_by_role("button", name="Đóng").click()
    await expect(dialog).to_have_count(0)
    await page.get_by_role("button", name=DETAIL).click()
    assert len(acts(console, TRACED)) == before + 1, "to look at the details is not to listen"
    assert await heard(page) == pytest.approx(3.0, abs=0.2)
    assert len(acts(console, TRACED)) == before + 2


@pytest.mark.req("S0-25")
async def test_a_recording_is_downloaded_under_the_calls_name(console: Console, visit: Visit, tmp_path: Path) -> None:
    page = await history(console, visit, RECORDED)
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name=GET).click()
    got = await waiting.value
    assert got.suggested_filename == f"{TRACED}.mp3"
    await got.save_as(tmp_path / "got")
    assert await asyncio.to_thread((tmp_path / "got").read_bytes) == WANTED
    assert ("link", "recording.download", "127.0.0.1") in acts(console, TRACED)


async def test_a_file_that_was_changed_is_refused_and_that_is_said(console: Console, visit: Visit) -> None:
    call_id = console.order(do="call", phone=SPOILT, status="answered")["call_id"]
    page = await history(console, visit, SPOILT)
    await expect(page.get_by_role("button", name=LISTEN)).to_have_count(0)
    console.order(do="record", call_id=call_id)
    await expect(page.get_by_role("button", name=LISTEN)).to_have_count(1)  # without a word from the reader
    (file,) = console.folder.glob(f"recordings/*/*/*/{call_id}.mp3")
    await asyncio.to_thread(file.write_bytes, WANTED[:-1] + b"!")
    for name in (LISTEN, GET):
        await page.get_by_role("button", name=name).click()
        await expect(page.get_by_text(TEXTS["recording.damaged"][0]).last).to_be_visible()
    await expect(page.locator("audio")).to_have_count(0)
    assert acts(console, call_id) == []
