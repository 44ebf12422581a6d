"""One lead and the calls of its number, in Chromium, over a real store and real call records (S0-20 to S0-23)."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from statuses.catalog import label
from statuses.outcomes import CallStatus
from tests.web.served import Console, Visit, ready
from tests.web.world import DIALED, LONG, OTHER, SHARED

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.component("chromium"),
    pytest.mark.component("sqlite"),
    pytest.mark.component("chdb"),
]

COLUMNS = [
    "Thời Gian Bắt Đầu",
    "Ứng Dụng",
    "Máy Nhánh",
    "Agent",
    "Hướng",
    "Số Điện Thoại",
    "Đầu Số",
    "Trạng Thái",
    "Ngắt máy",
    "Thời Lượng",
    "Đàm Thoại",
    "#",
]
DETAIL = "Xem chi tiết cuộc gọi"


def path_of(console: Console, phone: str, campaign: str = DIALED) -> str:
    return f"/leads/{console.order(do='lead', campaign=campaign, phone=phone)['lead_id']}"


async def open_calls(page: Page) -> None:
    await page.get_by_role("tab", name="Hồ Sơ Chi Tiết Cuộc Gọi").click()
    await expect(page.locator("[data-role=showing]")).to_be_visible()


async def column(page: Page, heading: str) -> list[str]:
    return await page.locator(f'tbody td[data-label="{heading}"]').all_inner_texts()


async def test_the_information_tab_shows_and_keeps_what_is_edited(console: Console, visit: Visit) -> None:
    page = await visit(path_of(console, "+84900000044"))
    await expect(page.get_by_role("tab")).to_have_count(2)
    assert await page.get_by_role("tab").all_inner_texts() == ["Thông Tin", "Hồ Sơ Chi Tiết Cuộc Gọi"]
    await expect(page.get_by_label("Tên Khách Hàng")).to_have_value("Khách Mai 44")
    await page.get_by_label("Tên Khách Hàng").fill("Khách Đã Sửa")
    await page.get_by_label("Tỉnh Thành").fill("Huế")
    await page.get_by_label("Bình Luận").fill("Gọi lại buổi chiều")
    await page.get_by_role("button", name="Cập Nhật").click()
    await expect(page.get_by_text("Cập nhật thông tin thành công")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Tên Khách Hàng")).to_have_value("Khách Đã Sửa")
    await expect(page.get_by_label("Tỉnh Thành")).to_have_value("Huế")
    await expect(page.get_by_label("Bình Luận")).to_have_value("Gọi lại buổi chiều")


async def test_a_wrong_value_is_refused_by_name_and_nothing_is_kept(console: Console, visit: Visit) -> None:
    page = await visit(path_of(console, "+84900000045"))
    await page.get_by_label("Email").fill("no address at all")
    await page.get_by_label("Tỉnh Thành").fill("Nơi khác")
    await page.get_by_role("button", name="Cập Nhật").click()
    await expect(page.locator(".q-notification")).to_contain_text("email")
    await page.reload()
    await expect(page.get_by_label("Tỉnh Thành")).to_have_value("")


@pytest.mark.req("S0-21")
async def test_two_leads_of_one_number_both_see_every_call_of_it(console: Console, visit: Visit) -> None:
    for campaign in (DIALED, OTHER):
        page = await visit(path_of(console, SHARED, campaign))
        await open_calls(page)
        await expect(page.locator("[data-role=showing]")).to_have_text("Showing 1 to 2 of 2 cuộc gọi")
        expected = [label(CallStatus.ANSWERED, "vi"), label(CallStatus.BUSY, "vi")]  # newest first
        assert await column(page, "Trạng Thái") == expected
        assert set(await column(page, "Số Điện Thoại")) == {SHARED}


@pytest.mark.req("S0-22")
async def test_the_history_has_its_columns_in_order_25_entries_and_a_column_chooser(
    console: Console, visit: Visit
) -> None:
    page = await visit(path_of(console, LONG))
    await open_calls(page)
    headings = page.locator("thead th:visible")
    await expect(headings).to_have_text(COLUMNS)
    await expect(page.locator("tbody tr")).to_have_count(25)
    await expect(page.locator("[data-role=showing]")).to_have_text("Showing 1 to 25 of 30 cuộc gọi")
    await page.get_by_role("button", name="Trang sau").click()
    await expect(page.locator("tbody tr")).to_have_count(5)
    await page.get_by_role("button", name="Cột").click()
    await page.get_by_role("checkbox", name="Máy Nhánh").click()
    await page.get_by_role("checkbox", name="Hướng").click()
    await expect(headings).to_have_text([name for name in COLUMNS if name not in {"Máy Nhánh", "Hướng"}])
    await page.get_by_role("checkbox", name="Hướng").click()
    await expect(headings).to_have_text([name for name in COLUMNS if name != "Máy Nhánh"])


@pytest.mark.req("S0-22")
async def test_a_calls_row_says_when_who_how_long_and_who_hung_up(console: Console, visit: Visit) -> None:
    page = await visit(path_of(console, "+84900000001"))
    await open_calls(page)
    await expect(page.locator("tbody tr")).to_have_count(1)
    cells = [text.strip() for text in await page.locator("tbody tr").first.locator("td").all_inner_texts()]
    row = dict(zip(COLUMNS, cells, strict=True))
    assert row["Agent"] == "Nhân viên 07"
    assert row["Hướng"] == "Gọi đi"
    assert row["Đầu Số"] == "19001000"
    assert row["Trạng Thái"] == label(CallStatus.ANSWERED, "vi")
    assert row["Ngắt máy"] == "Khách hàng"
    assert (row["Thời Lượng"], row["Đàm Thoại"]) == ("0:55", "0:45")


@pytest.mark.req("S0-23")
async def test_the_detail_dialog_shows_the_call_and_keeps_its_note(console: Console, visit: Visit) -> None:
    page = await visit(path_of(console, "+84900000001"))
    await open_calls(page)
    await page.get_by_role("button", name=DETAIL).first.click()
    dialog = page.get_by_role("dialog", name="Chi tiết cuộc gọi")
    await expect(dialog.get_by_role("heading")).to_have_text("Chi tiết cuộc gọi")
    await expect(dialog.locator("ol .name")).to_have_count(4)
    assert await dialog.locator("ol .name").all_inner_texts() == [
        "Thời Gian Bắt Đầu",
        "Thời Gian Đổ Chuông",
        "Thời Gian Đàm Thoại",
        "Thời Gian Ngắt Máy",
    ]
    assert "—" not in await dialog.locator("ol .value").all_inner_texts()
    await expect(dialog.locator(".fact .name")).to_have_count(11)
    names = await dialog.locator(".fact .name").all_inner_texts()
    assert names == [
        "Id",
        "SIP Call Id",
        "Máy Nhánh",
        "Thời Lượng",
        "Hướng",
        "Đàm Thoại",
        "Số Điện Thoại",
        "Trạng Thái",
        "Đầu Số",
        "Nhóm",
        "Thông Tin Bổ Sung",
    ]
    await dialog.get_by_label("Ghi chú").fill("Khách hỏi về gói mới")
    await dialog.get_by_role("button", name="Cập Nhật").click()
    await expect(page.get_by_text("Đã lưu ghi chú.")).to_be_visible()
    await dialog.get_by_role("button", name="Đóng").click()
    await expect(dialog).to_have_count(0)
    await page.reload()
    await ready(page)
    await open_calls(page)
    await page.get_by_role("button", name=DETAIL).first.click()
    await expect(page.get_by_role("dialog").get_by_label("Ghi chú")).to_have_value("Khách hỏi về gói mới")


@pytest.mark.req("S0-23")
async def test_what_did_not_happen_on_a_call_has_no_time(console: Console, visit: Visit) -> None:
    page = await visit(path_of(console, "+84900000011"))  # not available: it never rang
    await open_calls(page)
    await page.get_by_role("button", name=DETAIL).first.click()
    times = page.get_by_role("dialog").locator("ol .value")
    await expect(times).to_have_count(4)
    values = await times.all_inner_texts()
    assert values[1:3] == ["—", "—"]
    assert "—" not in (values[0], values[3])


async def test_a_new_call_of_the_number_comes_up_by_itself(console: Console, visit: Visit) -> None:
    page = await visit(path_of(console, "+84900000043"))
    await open_calls(page)
    await expect(page.get_by_text("Số này chưa có cuộc gọi nào.")).to_be_visible()
    console.order(do="call", phone="+84900000043", status="busy")
    await expect(page.locator("tbody tr")).to_have_count(1, timeout=8_000)


async def test_a_phone_shows_lead_calls_and_detail_without_sideways_scroll(console: Console, visit: Visit) -> None:
    page = await visit(path_of(console, "+84900000001"))
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await open_calls(page)
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.get_by_role("button", name=DETAIL).first.click()
    box = await page.locator(".call-card").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


async def test_a_lead_that_is_gone_says_so(visit: Visit) -> None:
    page = await visit("/leads/999999")
    await expect(page.get_by_text("Khách hàng này không còn trong danh sách.")).to_be_visible()
