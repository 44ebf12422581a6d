"""The SIP ladder in the dialog of a call: drawn from the steps, and in Chromium at a desk's and a phone's width."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from dialer.ports import CallTrace, TraceColumn, TraceStep
from telephony_adapters.tracing.read import TraceFolder
from tests.telephony_adapters.tracing.sample import calls
from tests.web.served import Console, Visit, ready
from tests.web.world import DIALED, TRACED
from web.i18n import Words
from web.pages.call_trace import ladder_html, read_trace

TRACE = CallTrace(
    0.0, True,
    (TraceColumn("dialer", "10.0.0.2:5060"), TraceColumn("trunk", "[2001:db8::1]:5060")),
    (
        TraceStep(0.0, 0, 1, "INVITE <b>", "request"), TraceStep(500.0, 0, 1, "INVITE <b>", "request", again=True),
        TraceStep(12_345.6, 1, 0, "486 Busy (INVITE)", "failure"),
    ),
)  # fmt: skip


def test_what_came_over_the_wire_is_no_markup() -> None:
    html = ladder_html(TRACE, Words("en"))
    assert "INVITE &lt;b&gt;" in html
    assert html.count("<b>") == html.count("</b>") == 2  # the columns' names


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("vi", ("Tổng đài → Trung kế: ", "gửi lại", "11,8 giây", "12.346")),
        ("en", ("Dialer → Trunk: ", "again", "11.8 s")),
    ],
)
def test_steps_silences_and_repetitions_are_told_in_the_readers_language(lang: Any, words: tuple[str, ...]) -> None:
    html = ladder_html(TRACE, Words(lang))
    assert all(word in html for word in words)
    assert html.count("to-right") == 2
    assert html.count('<li class="failure">') == html.count("to-left") == 1


async def test_files_that_cannot_be_read_keep_nobody_from_the_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "1.trace").mkdir()
    deps: Any = SimpleNamespace(traces=TraceFolder(tmp_path))
    assert await read_trace(deps, "call") is None
    assert [record.__dict__["action"] for record in caplog.records] == ["trace.unreadable"]


async def open_dialog(console: Console, page: Page, phone: str) -> Locator:
    lead = console.order(do="lead", campaign=DIALED, phone=phone)["lead_id"]
    await page.goto(f"{console.url}/leads/{lead}")
    await ready(page)
    await page.get_by_role("tab").nth(1).click()
    await page.get_by_role("button", name="Xem chi tiết cuộc gọi").first.click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.locator(".facts")).to_be_visible()
    return dialog


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.req("S0-23")
@pytest.mark.component("chromium", "sqlite", "chdb")
async def test_a_traced_call_shows_its_ladder_and_offers_it_as_files(console: Console, visit: Visit) -> None:
    page = await visit("/")
    dialog = await open_dialog(console, page, "+84900000002")
    await expect(dialog.locator(".trace")).to_have_count(0)  # no message of it is kept
    dialog = await open_dialog(console, page, "+84900000001")
    await expect(dialog.locator(".ladder")).to_be_hidden()
    await dialog.get_by_text(f"Sơ đồ báo hiệu SIP ({len(calls())} bản tin)").click()
    arrows = dialog.locator(".ladder .wire")
    await expect(arrows).to_have_count(len(calls()))
    await expect(arrows.nth(5)).to_contain_text("gửi lại INVITE (SDP)")
    for width in (1280, 390):
        await page.set_viewport_size({"width": width, "height": 844})
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        assert await dialog.locator(".call-card").evaluate("card => card.scrollWidth <= card.clientWidth")
        await check_places(dialog)
    for name, ending in (("Tải tệp pcap", "pcap"), ("Tải văn bản", "txt")):
        async with page.expect_download() as begun:
            await dialog.get_by_role("link", name=name).click()
        assert (await begun.value).suggested_filename == f"call-{TRACED}.{ending}"


async def check_places(dialog: Locator) -> None:
    """See that each arrow begins and ends at a lane, and that no label is cut or reaches out of its arrow."""
    lanes = [box["x"] for box in [await lane.bounding_box() for lane in await dialog.locator(".lanes i").all()] if box]
    assert len(lanes) == 3
    places = await dialog.locator(".ladder .wire").evaluate_all(
        "wires => wires.map(w => [w.getBoundingClientRect().left, w.getBoundingClientRect().right,"
        " w.scrollWidth <= w.clientWidth + 1])"
    )
    for left, right, fits in places:
        assert fits
        assert min(abs(left - lane) for lane in lanes) < 2
        assert min(abs(right - lane) for lane in lanes) < 2
