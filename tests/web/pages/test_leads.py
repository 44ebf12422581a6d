"""The lead screen as its reader sees it, in Chromium, over a real store (requirements S0-1 to S0-18)."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from statuses.catalog import code, label
from statuses.outcomes import CallStatus
from tests.web.served import Console, Visit
from tests.web.world import DIALED, FACTS, OTHER

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.component("chromium"),
    pytest.mark.component("sqlite"),
]

HEADINGS = [
    "Mã khách hàng",
    "Khách hàng",
    "Số điện thoại",
    "Trạng thái",
    "Trạng thái cuộc gọi",
    "Số cuộc gọi",
    "Bình luận",
    "Chiến dịch",
    "Danh sách",
    "Nhân viên",
    "Thao tác",
]
TOTAL = 53


async def choose(page: Page, field: str, option: str) -> None:
    """Choose an option of a select by what is written on it."""
    await page.get_by_role("combobox", name=field).click()
    await page.locator(".q-menu .q-item").filter(has_text=option).first.click()
    await expect(page.locator(".q-menu")).to_have_count(0)


async def press_filter(page: Page) -> None:
    await page.get_by_role("button", name="Bộ Lọc").click()


async def expect_total(page: Page, total: int) -> None:
    """Wait until the first page of so many leads is on the screen."""
    last = min(total, 25)
    first = 1 if total else 0
    await expect(page.locator("tbody tr")).to_have_count(last)
    await expect(page.locator("[data-role=showing]")).to_have_text(f"Showing {first} to {last} of {total} Khách Hàng")


async def column(page: Page, heading: str) -> list[str]:
    """Read one column of the rows on the screen."""
    return await page.locator(f'tbody td[data-label="{heading}"]').all_inner_texts()


@pytest.mark.req("S0-1", "S1-1", "S0-2", "S1-2")
async def test_the_menu_opens_the_screen_that_shows_customer_status_and_agent(visit: Visit) -> None:
    signed_in = await visit("/")
    await signed_in.get_by_role("link", name="Khách Hàng", exact=True).click()
    await expect(signed_in.get_by_role("heading", level=1)).to_have_text("Khách Hàng")
    row = signed_in.locator("tbody tr").filter(has_text="+84900000001")
    await expect(row).to_contain_text("Khách Châu 01")
    await expect(row).to_contain_text(label(CallStatus.ANSWERED, "vi"))
    await expect(row).to_contain_text("Nhân viên 07")


@pytest.mark.req("S0-17", "S0-8", "S0-9", "S0-10", "S0-11", "S0-12", "S0-13", "S0-14", "S0-15")
@pytest.mark.req("S1-8", "S1-9", "S1-10", "S1-11", "S1-12", "S1-13", "S1-14", "S1-15")
async def test_columns_stand_in_the_given_order_with_a_leads_values(visit: Visit) -> None:
    page = await visit("/leads")
    await expect_total(page, TOTAL)
    headings = await page.locator("thead th").all_inner_texts()
    icon = "unfold_more"  # the sort icon is a letter of the icon font, whose name is its text
    assert [text.replace(icon, "").strip() for text in headings] == HEADINGS
    row = page.locator("tbody tr").filter(has_text="+84900000001")
    cells = [text.strip() for text in await row.locator("td").all_inner_texts()]
    values = dict(zip(HEADINGS, cells, strict=True))
    assert values["Mã khách hàng"].isalnum()
    assert values["Khách hàng"] == "Khách Châu 01"
    assert values["Trạng thái"] == "A1"
    assert values["Trạng thái cuộc gọi"] == label(CallStatus.ANSWERED, "vi")
    assert values["Số cuộc gọi"] == "1"
    assert values["Bình luận"] == "Quan tâm gói cước mới"
    assert (values["Chiến dịch"], values["Danh sách"]) == (DIALED, "Hà Nội")
    assert values["Nhân viên"] == "Nhân viên 07"


@pytest.mark.req("S0-12", "S1-12")
async def test_calls_are_counted_by_number_over_all_campaigns(visit: Visit) -> None:
    page = await visit("/leads")
    await page.get_by_label("Số điện thoại").first.fill("0900000060")
    await press_filter(page)
    await expect_total(page, 2)
    assert await column(page, "Số cuộc gọi") == ["2", "2"]
    assert sorted(await column(page, "Chiến dịch")) == sorted([DIALED, OTHER])


@pytest.mark.req("S0-16", "S1-16")
async def test_each_row_has_exactly_edit_and_delete(visit: Visit) -> None:
    page = await visit("/leads")
    row = page.locator("tbody tr").first
    actions = row.locator("td").last.locator("a, button")
    await expect(actions).to_have_count(2)
    assert [await one.get_attribute("aria-label") for one in await actions.all()] == ["Chỉnh sửa", "Xóa"]
    await row.get_by_role("link", name="Chỉnh sửa").click()
    await expect(page.get_by_role("tab", name="Thông Tin")).to_be_visible()


@pytest.mark.req("S0-3", "S1-3", "S0-18")
async def test_the_phone_filter_waits_for_the_button(visit: Visit) -> None:
    page = await visit("/leads")
    await page.get_by_label("Số điện thoại").first.fill("+84900000007")
    await page.wait_for_timeout(2_500)  # longer than the live refresh: what was typed must change nothing by itself
    await expect_total(page, TOTAL)
    await press_filter(page)
    await expect_total(page, 1)
    assert await column(page, "Số điện thoại") == ["+84900000007"]


@pytest.mark.req("S0-4", "S1-4", "S0-5", "S1-5", "S0-18")
async def test_campaign_and_list_filters_offer_what_has_leads_and_wait_for_the_button(visit: Visit) -> None:
    page = await visit("/leads")
    await page.get_by_role("combobox", name="Chiến dịch").click()
    offered = await page.locator(".q-menu .q-item").all_inner_texts()
    assert offered == ["Tất cả", *sorted([DIALED, OTHER])]
    await page.locator(".q-menu .q-item").filter(has_text=DIALED).click()
    await expect_total(page, TOTAL)
    await press_filter(page)
    await expect_total(page, 47)
    await page.get_by_role("combobox", name="Danh sách").click()
    assert await page.locator(".q-menu .q-item").all_inner_texts() == ["Tất cả", "Hà Nội", "Miền Nam"]
    await page.locator(".q-menu .q-item").filter(has_text="Miền Nam").click()
    await expect_total(page, 47)
    await press_filter(page)
    await expect_total(page, 7)
    assert set(await column(page, "Danh sách")) == {"Miền Nam"}


@pytest.mark.req("S0-6", *(f"S0-6.{n}" for n in range(1, 13)), *(f"S1-6.{n}" for n in range(1, 13)))
async def test_each_of_the_12_statuses_filters_exactly_its_leads(visit: Visit) -> None:
    page = await visit("/leads")
    await choose(page, "Chiến dịch", DIALED)
    await choose(page, "Danh sách", "Hà Nội")
    for place, status in enumerate(FACTS, 1):
        await choose(page, "Status", f"({code(status)})")
        await press_filter(page)
        own = page.locator("tbody tr").filter(has_text=f"+849000000{place:02d}")
        await expect(own).to_be_visible()
        await expect_total(page, 1)
        assert set(await column(page, "Trạng thái")) == {code(status)}
        assert set(await column(page, "Trạng thái cuộc gọi")) == {label(status, "vi")}
    assert len(FACTS) == 12


@pytest.mark.req("S0-6")
async def test_leads_that_were_never_called_are_new(visit: Visit) -> None:
    page = await visit("/leads")
    await choose(page, "Chiến dịch", OTHER)
    await choose(page, "Status", "(NEW)")
    await press_filter(page)
    await expect_total(page, 5)
    assert set(await column(page, "Trạng thái")) == {"NEW"}
    assert set(await column(page, "Số cuộc gọi")) == {"0"}


@pytest.mark.req("S0-7", "S1-7")
async def test_the_orders_of_the_drop_down(visit: Visit) -> None:
    page = await visit("/leads")
    await page.get_by_role("combobox", name="Phân loại").click()
    assert await page.locator(".q-menu .q-item").all_inner_texts() == [
        "Default",
        "Mới nhất cho tới cũ nhất",
        "Thời gian cuộc gọi gần nhất",
        "Trạng thái cuộc gọi gần nhất",
        "Họ tên",
    ]
    await page.keyboard.press("Escape")
    await choose(page, "Chiến dịch", DIALED)
    await choose(page, "Danh sách", "Hà Nội")
    firsts = {
        "Thời gian cuộc gọi gần nhất": "+84900000012",  # the seed called it last
        "Trạng thái cuộc gọi gần nhất": "+84900000001",  # Answered stands first
        "Họ tên": "+84900000003",  # Ánh comes first, without its accent
        "Default": "+84900000001",
    }
    for order, first in firsts.items():
        await choose(page, "Phân loại", order)
        await press_filter(page)
        await expect(page.locator('tbody td[data-label="Số điện thoại"]').first).to_have_text(first)
    await choose(page, "Danh sách", "Tất cả")
    await choose(page, "Phân loại", "Mới nhất cho tới cũ nhất")
    await press_filter(page)
    await expect(page.locator('tbody td[data-label="Danh sách"]').first).to_have_text("Miền Nam")


@pytest.mark.req("S0-17")
async def test_the_customer_heading_sorts_by_name(visit: Visit) -> None:
    page = await visit("/leads")
    heading = page.locator("thead th").nth(1)
    await expect(heading).to_have_attribute("aria-sort", "none")
    await heading.get_by_role("button").click()
    await expect(heading).to_have_attribute("aria-sort", "ascending")
    await expect(page.locator('tbody td[data-label="Khách hàng"]').first).to_contain_text("Khách Ánh")
    await heading.get_by_role("button").click()
    await expect(heading).to_have_attribute("aria-sort", "none")
    await heading.get_by_role("button").press("Enter")
    await expect(heading).to_have_attribute("aria-sort", "ascending")


@pytest.mark.req("S0-17")
async def test_pages_are_turned_on_the_server(visit: Visit) -> None:
    page = await visit("/leads")
    await expect_total(page, TOTAL)
    await page.get_by_role("button", name="Trang sau").click()
    await expect(page.locator("[data-role=showing]")).to_have_text(f"Showing 26 to 50 of {TOTAL} Khách Hàng")
    await page.get_by_role("button", name="Trang sau").click()
    await expect(page.locator("[data-role=showing]")).to_have_text(f"Showing 51 to {TOTAL} of {TOTAL} Khách Hàng")
    await expect(page.get_by_role("button", name="Trang sau")).to_be_disabled()
    await page.get_by_role("button", name="Trang trước").click()
    await expect(page.locator("[data-role=showing]")).to_have_text(f"Showing 26 to 50 of {TOTAL} Khách Hàng")


async def test_a_call_shows_by_itself_and_keeps_scroll_filters_and_what_is_typed(
    console: Console, visit: Visit
) -> None:
    page = await visit("/leads")
    await choose(page, "Chiến dịch", DIALED)
    await press_filter(page)
    await expect_total(page, 47)
    await choose(page, "Danh sách", "Miền Nam")
    await press_filter(page)
    await expect_total(page, 7)
    await page.set_viewport_size({"width": 1280, "height": 400})
    await page.get_by_label("Số điện thoại").first.fill("09")
    await page.evaluate("window.scrollTo(0, 120)")
    row = page.locator("tbody tr").filter(has_text="+84900000042")
    await expect(row).to_contain_text("NEW")
    console.order(do="call", phone="+84900000042", status="voicemail")
    await expect(row).to_contain_text("VM1", timeout=8_000)
    await expect_total(page, 7)
    assert await page.get_by_label("Số điện thoại").first.input_value() == "09"
    assert await page.evaluate("window.scrollY") == 120


async def test_delete_asks_first_and_takes_the_lead_off_its_list(visit: Visit) -> None:
    page = await visit("/leads")
    await page.get_by_label("Số điện thoại").first.fill("+84900000074")
    await press_filter(page)
    await expect_total(page, 1)
    bin_ = page.locator("tbody").get_by_role("button", name="Xóa")
    await bin_.click()
    dialog = page.get_by_role("alertdialog")
    await expect(dialog).to_contain_text("Khách")
    await dialog.get_by_role("button", name="Huỷ Bỏ").click()
    await expect(dialog).to_have_count(0)
    await expect_total(page, 1)
    await bin_.click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Xóa").click()
    await expect_total(page, 0)
    await expect(page.get_by_text("Không có khách hàng nào khớp với bộ lọc.")).to_be_visible()


@pytest.mark.req("S0-17")
async def test_a_phone_shows_the_same_data_as_cards_without_sideways_scroll(visit: Visit) -> None:
    page = await visit("/leads")
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.get_by_label("Số điện thoại").first.fill("+84900000001")
    await press_filter(page)
    await expect_total(page, 1)
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    row = page.locator("tbody tr")
    shown = [await cell.get_attribute("data-label") for cell in await row.locator("td").all()]
    assert shown == HEADINGS
    for cell in await row.locator("td").all():
        box = await cell.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    heading = await row.locator("td").first.evaluate("cell => getComputedStyle(cell, '::before').content")
    assert "Mã khách hàng" in heading


async def test_the_same_screen_in_english(visit: Visit) -> None:
    page = await visit("/lang/en?next=/leads")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Customers")
    await expect(page.locator("[data-role=showing]")).to_contain_text("customers")
    await expect(page.locator("tbody tr").first).to_contain_text("Answered")
    assert await page.evaluate("document.documentElement.lang") == "en-GB"
    await expect(page.get_by_role("button", name="Filter")).to_be_visible()
