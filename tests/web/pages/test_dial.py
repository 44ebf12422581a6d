"""Gọi điện in Chromium: a number is dialed on the pad, talked with, ended and wrapped up, over a real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.web.dial_world import BY_HAND
from tests.web.served import Console, Visit, ready
from tests.web.world import DIALED

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.component("chromium"),
    pytest.mark.component("sqlite"),
    pytest.mark.component("chdb"),
]
LONG_MS = 60_000


@pytest.fixture
def dialer(tmp_path: Path) -> Iterator[Console]:
    running = Console(tmp_path, "--dials")
    yield running
    assert running.close() == 0


async def add_customer(page: Page) -> None:
    """Add a customer from the pad; the number is there, the name must be filled in (S2-15, S2-16)."""
    await page.get_by_label("Số điện thoại").fill("0900000045")
    await page.get_by_role("button", name="Thêm khách hàng").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Số Điện Thoại *")).to_have_value("0900000045")
    await dialog.get_by_role("button", name="Xác nhận").click()
    await expect(page.get_by_text("name: fill it in")).to_be_visible()
    await dialog.get_by_label("Tên Khách Hàng *").fill("Trần Thị Hà")
    await dialog.get_by_role("button", name="Xác nhận").click()
    await expect(page.get_by_role("heading", name="Trần Thị Hà")).to_be_visible()


@pytest.mark.req("S2-13", "S2-14", "S2-15", "S2-16")
async def test_a_number_is_dialed_talked_with_and_wrapped_up(dialer: Console, chromium_page: Page) -> None:
    page = chromium_page
    await page.goto(dialer.link("/dial"))
    await ready(page)
    await expect(page.get_by_label("Chiến dịch")).to_have_value(BY_HAND, timeout=LONG_MS)
    await page.get_by_label("Nhân viên").click()
    await page.get_by_role("option", name="agent-01").click(timeout=LONG_MS)
    for digit in "0900000044":
        await page.locator(".dial-keys").get_by_role("button", name=digit, exact=True).click()
    await expect(page.get_by_label("Số điện thoại")).to_have_value("0900000044")
    await page.get_by_role("button", name="Gọi", exact=True).click()
    stage = page.locator("[data-role=stage]")
    await expect(stage).to_contain_text("Đang đàm thoại", timeout=LONG_MS)
    await expect(stage).to_contain_text("+84900000044")
    for tab in ("Cập nhật thông tin khách hàng", "Lịch sử tư vấn", "Kịch bản", "Công việc đang được tư vấn"):
        await expect(page.get_by_role("tab", name=tab)).to_be_visible()
    await page.get_by_label("Tên Khách Hàng").fill("Khách Mới")
    await page.get_by_role("button", name="Cập Nhật").click()
    await expect(page.get_by_text("Cập nhật thông tin thành công")).to_be_visible()
    await page.get_by_role("tab", name="Kịch bản").click()
    await expect(page.get_by_text("Xin chào, em gọi từ tổng đài.")).to_be_visible()
    await page.get_by_role("button", name="Giữ máy").click()
    await page.get_by_role("button", name="Kết thúc").click()
    await expect(stage).to_contain_text("Đã kết thúc: Đã nghe máy", timeout=LONG_MS)
    await page.get_by_label("Ghi chú").fill("Quan tâm")
    await page.get_by_role("button", name="Thành công", exact=True).click()
    await expect(page.get_by_label("Nhân viên")).to_have_value("agent-01 · Sẵn sàng", timeout=LONG_MS)
    await add_customer(page)
    await page.get_by_label("Số điện thoại").fill("12")
    await page.get_by_role("button", name="Gọi", exact=True).click()
    await expect(page.get_by_text("number: this is no number that can be called")).to_be_visible()
    await page.set_viewport_size({"width": 390, "height": 844})
    wide = "[...document.querySelectorAll('main, main *')].filter(e => e.getBoundingClientRect().right > 390.5)"
    await page.wait_for_function(f"{wide}.length === 0")  # the menu needs a moment to leave


@pytest.mark.req("S2-13")
async def test_a_customers_number_leads_to_the_pad(console: Console, visit: Visit) -> None:
    page = await visit("/leads")
    await page.locator("tbody .dial-link").first.click()
    await page.wait_for_url("**/dial?lead=*")
    await expect(page.get_by_text("Chưa có chiến dịch gọi tay hoặc xem trước nào.")).to_be_visible()
    found = console.order(do="lead", campaign=DIALED, phone="+84900000044")
    page = await visit(f"/leads/{found['lead_id']}")
    link = page.get_by_role("link", name="+84900000044")
    await expect(link).to_have_attribute("href", f"/dial?lead={found['lead_id']}")
