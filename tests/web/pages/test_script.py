"""Scripts in Chromium: written with their mistakes told as they are made, heard, listed and deleted."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from dialer.core.script import prompt_of
from tests.web.served import Console, Visit, ready
from web.pages.script import sample

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.component("chromium"),
    pytest.mark.component("sqlite"),
]


async def test_a_script_is_written_heard_saved_and_deleted(visit: Visit) -> None:
    page = await visit("/scripts")
    await expect(page.get_by_text("Chưa có kịch bản nào.")).to_be_visible()
    await page.get_by_role("button", name="Thêm kịch bản").click()
    text = page.get_by_role("textbox", name="Nội dung (TOML)")
    verdict = page.get_by_role("status")
    await expect(verdict).to_contain_text("Kịch bản đúng: 6 nút, cuộc gọi bắt đầu ở “chao”.")
    right = await text.input_value()
    await text.fill(right.replace('1 = "xac-nhan"', '1 = "xac-nhận"'))
    await expect(verdict).to_have_text("nút 'menu', khoá 'keys.1': không có nút 'xac-nhận'")
    save = page.get_by_role("button", name="Lưu")
    await expect(save).to_be_disabled()
    await text.fill(right)
    await expect(save).to_be_enabled()
    async with page.expect_response(lambda answer: "/api/prompts" in answer.url) as heard:
        await page.get_by_role("button", name="Nghe chao").click()
    answer = await heard.value
    assert (answer.ok, answer.headers["content-type"]) == (True, "audio/wav")
    await page.get_by_role("textbox", name="Tên kịch bản").fill("nhac-hen")
    await save.click()
    await expect(page.get_by_role("heading", name="nhac-hen")).to_be_visible()
    await ready(page)
    await page.get_by_role("link", name="Về danh sách").click()
    row = page.locator(".script-row")
    await expect(row).to_contain_text("Phiên bản 1")
    await row.get_by_role("button", name="Xóa").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Xóa").click()
    await expect(page.get_by_text("Chưa có kịch bản nào.")).to_be_visible()


async def test_in_english_on_a_phone_nothing_is_wider_than_the_screen(console: Console, visit: Visit) -> None:
    page = await visit("/scripts")
    await page.set_viewport_size({"width": 390, "height": 800})
    await page.goto(f"{console.url}/lang/en?next=/scripts/edit")
    await ready(page)
    await expect(page.get_by_role("status")).to_contain_text("The script is right: 6 nodes")
    text = page.get_by_role("textbox", name="Text (TOML)")
    await text.fill((await text.input_value()).replace("{name|dear", "{name dear", 1).replace("}", "", 1))
    await expect(page.get_by_role("status")).to_contain_text("has no partner; write {{ for a brace")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_a_prompt_is_heard_with_defaults_or_names_in_place_of_fields() -> None:
    assert sample(prompt_of("say:vi:Chào {name|bạn}, {debt} đồng")) == "say:vi:Chào bạn, debt đồng"
    assert sample(prompt_of("chime")) == "chime"
