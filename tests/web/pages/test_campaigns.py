"""The campaigns page in Chromium: states, buttons, live figures, and why nobody is called."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.web.served import Console, Visit
from tests.web.world import APPROVED, DIALED, DRAFT, OTHER

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.component("chromium"),
    pytest.mark.component("sqlite"),
]


def card(page: Page, name: str) -> Locator:
    return page.locator("section.campaign").filter(has=page.get_by_role("heading", name=name, exact=True))


def figure(of: Locator, name: str) -> Locator:
    return of.locator(f"[data-figure={name}]")


async def actions(of: Locator) -> list[str | None]:
    return [await button.get_attribute("data-action") for button in await of.locator("[data-action]").all()]


async def test_each_campaign_offers_what_its_state_allows(visit: Visit) -> None:
    page = await visit("/")
    await expect(card(page, DRAFT).locator(".chip")).to_have_text("Khởi tạo")
    assert await actions(card(page, DIALED)) == ["pause", "stop", "end"]
    assert await actions(card(page, OTHER)) == ["start", "end"]
    assert await actions(card(page, DRAFT)) == ["approve", "end"]
    await expect(card(page, DIALED)).to_contain_text("Đang chạy")
    await expect(card(page, OTHER)).to_contain_text("Chờ người bấm Bắt đầu")


async def test_a_draft_is_approved_started_paused_and_stopped_by_its_buttons(visit: Visit) -> None:
    page = await visit("/")
    mine = card(page, APPROVED)
    await expect(mine.locator(".chip")).to_have_text("Đã phê duyệt")
    await mine.get_by_role("button", name="Bắt đầu").click()
    await expect(mine.locator(".chip")).to_have_text("Đang chạy")
    await mine.get_by_role("button", name="Tạm dừng").click()
    await expect(mine.locator(".chip")).to_have_text("Tạm dừng")
    await expect(mine).to_contain_text("Tự chạy lại theo lịch")
    await mine.get_by_role("button", name="Dừng", exact=True).click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Dừng").click()
    await expect(mine).to_contain_text("Chờ người bấm Bắt đầu")
    assert await actions(mine) == ["start", "end"]


async def test_a_campaign_that_nobody_runs_says_so(visit: Visit) -> None:
    page = await visit("/")
    await expect(card(page, APPROVED)).to_contain_text("Chưa có dịch vụ quay số nào chạy chiến dịch này")
    await expect(card(page, DIALED).get_by_role("status")).to_be_hidden()


async def test_live_figures_follow_the_engine_within_seconds(console: Console, visit: Visit) -> None:
    page = await visit("/")
    mine = card(page, DIALED)
    await expect(figure(mine, "ringing")).to_have_text("8")
    await expect(figure(mine, "idle")).to_have_text("3")
    await expect(figure(mine, "answer_rate")).to_have_text("52%")
    await expect(figure(mine, "abandonment")).to_have_text("1,00%")
    await expect(figure(mine, "reason")).to_contain_text("Nhịp gọi đã đủ cho số nhân viên")
    await expect(mine.locator("canvas")).to_be_visible()
    try:
        console.order(
            do="figures", values={"ringing": 21, "abandoned": 36, "abandonment": 0.0299, "reason": "no_agent"}
        )
        await expect(figure(mine, "ringing")).to_have_text("21", timeout=5_000)
        await expect(figure(mine, "reason")).to_contain_text("Không có nhân viên sẵn sàng")
        await expect(mine.locator(".cap")).to_have_class("cap near")
        console.order(do="figures", values={"abandonment": 0.041})
        await expect(mine.locator(".cap")).to_have_class("cap over", timeout=5_000)
        await expect(figure(mine, "abandonment")).to_have_text("4,10%")
    finally:
        console.order(do="figures", values={})


async def test_what_if_shows_other_teams_in_a_drawer(visit: Visit) -> None:
    page = await visit("/")
    await card(page, DIALED).get_by_role("button", name="Nếu đổi số nhân viên?").click()
    sheet = page.get_by_role("dialog")
    await expect(sheet.get_by_role("row").nth(5)).to_be_visible(timeout=60_000)
    headings = await sheet.get_by_role("columnheader").all_inner_texts()
    assert headings == [
        "Nhân viên",
        "Bận",
        "Bị bỏ rơi",
        "Chờ cuộc gọi, giây (90%)",
        "Đàm thoại/giờ",
        "Hết danh sách sau, giờ",
    ]
    teams = [
        int(await row.get_by_role("cell").first.inner_text()) for row in (await sheet.get_by_role("row").all())[1:]
    ]
    assert teams == sorted(set(teams))
    await expect(sheet).to_contain_text("nghe máy")
    await sheet.get_by_role("button", name="Đóng").click()
    await expect(sheet).to_have_count(0)


async def test_why_counts_every_customer_under_one_reason(visit: Visit) -> None:
    page = await visit("/")
    await card(page, OTHER).get_by_role("button", name="Vì sao chưa gọi?").click()
    sheet = page.get_by_role("dialog")
    await expect(sheet.locator(".why-row.total")).to_be_visible()
    await expect(sheet).to_contain_text("Chiến dịch không chạy (Tạm dừng)")
    rows = [int(text) for text in await sheet.locator(".why-row .value").all_inner_texts()]
    assert rows[-1] == sum(rows[:-1]) >= 5
    await sheet.get_by_role("button", name="Đóng").click()
    await expect(sheet).to_have_count(0)


async def test_a_phone_shows_cards_without_sideways_scroll_and_the_menu_in_a_drawer(visit: Visit) -> None:
    page = await visit("/")
    await expect(page.get_by_role("navigation", name="Menu chính")).to_be_visible()
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.reload()
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await expect(page.get_by_role("navigation", name="Menu chính")).not_to_be_in_viewport()
    await page.get_by_role("button", name="Mở menu").click()
    await expect(page.get_by_role("navigation", name="Menu chính")).to_be_in_viewport()
    await page.get_by_role("link", name="Khách Hàng", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Khách Hàng")


async def test_the_language_switch_is_kept_and_nothing_stays_vietnamese(visit: Visit) -> None:
    page = await visit("/")
    await page.get_by_role("link", name="EN", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Campaigns")
    await expect(card(page, DIALED).locator(".chip")).to_have_text("Running")
    await expect(figure(card(page, DIALED), "abandonment")).to_have_text("1.00%")
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Campaigns")
    await page.get_by_role("link", name="VI", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Chiến Dịch")


async def test_the_console_asks_nobody_else_for_anything(console: Console, visit: Visit, chromium_page: Page) -> None:
    asked: list[str] = []
    failed: list[str] = []
    chromium_page.on("request", lambda request: asked.append(request.url))
    chromium_page.on("console", lambda message: failed.append(message.text) if message.type == "error" else None)
    for path in ("/", "/leads", f"/leads/{console.order(do='lead', campaign=DIALED, phone='+84900000001')['lead_id']}"):
        await visit(path)
        await expect(chromium_page.get_by_role("heading", level=1)).to_be_visible()
    outside = [url for url in asked if not url.startswith((console.url, "ws://127.0.0.1", "data:", "blob:"))]
    assert outside == []
    assert failed == []
    assert len(asked) > 10
