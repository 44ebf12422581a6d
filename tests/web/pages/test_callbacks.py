"""Callback appointments and missed calls, in Chromium over a real store (S2-17 to S2-19, S2-3)."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from crm.callbacks import CallbackItem
from statuses.catalog import label
from statuses.interactions import InteractionKind
from tests.web.served import Console, Visit
from tests.web.world import DIALED
from web.i18n import Words
from web.pages.callbacks import callback_columns, callback_row

MISSED = "+84900000043"


def item(**values: Any) -> CallbackItem:
    fields: dict[str, Any] = {
        "key": "task-1", "campaign_id": 1, "campaign": "Tết", "lead_id": 7, "name": "Lan", "phone": "+84900000001",
        "reason": "missed_call", "calls": 2, "agent": None, "due_at": 100.0, "by_dialer": False, "done_at": None,
        "done_by": None,
    }  # fmt: skip
    return CallbackItem(**(fields | values))


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("reason", ["missed_call", "asked", "appointment"])
def test_every_column_has_a_value_or_a_cell_of_its_own_in_both_languages(lang: Any, reason: str) -> None:
    words = Words(lang)
    row = callback_row(item(reason=reason), words, now=99.0)
    assert {column.name for column in callback_columns(words) if not column.cell} <= row.keys()
    assert (row["late"], row["done"]) == (False, False)
    assert all(row[name] for name in ("due", "name", "reason", "by"))


def test_what_is_due_is_marked_and_what_is_done_says_by_whom() -> None:
    words = Words("en")
    assert callback_row(item(), words, now=100.0)["late"]
    done = callback_row(item(done_at=200.0, done_by="Lan"), words, now=300.0)
    assert (done["late"], done["done"]) == (False, True)
    assert done["by"].startswith("Lan, ")


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.req("S2-3", "S2-17", "S2-18", "S2-19", "S3-38")
@pytest.mark.component("chromium")
@pytest.mark.component("sqlite")
@pytest.mark.component("chdb")
async def test_a_missed_call_is_a_callback_until_it_is_done_and_is_seen_in_the_history(
    console: Console, visit: Visit
) -> None:
    console.order(do="miss", phone=MISSED)
    page = await visit("/callbacks")
    row = page.locator("tbody tr", has_text=MISSED)
    await expect(row).to_contain_text("Gọi nhỡ (1)")
    await expect(row).to_contain_text("Hệ thống tự gọi")
    await expect(row).to_contain_text(DIALED)
    await page.get_by_label("Thời gian hẹn gọi lại").fill("2020-01-01")
    await page.get_by_role("button", name="Xác nhận").click()
    await expect(row).to_have_count(0)
    await page.get_by_label("Thời gian hẹn gọi lại").fill("")
    await page.get_by_role("button", name="Xác nhận").click()
    await row.get_by_role("button", name="Đánh dấu đã gọi").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Đánh dấu đã gọi").click()
    await expect(row).to_have_count(0)
    lead_id = console.order(do="lead", campaign=DIALED, phone=MISSED)["lead_id"]
    page = await visit(f"/leads/{lead_id}")
    await page.get_by_role("tab", name="Hồ Sơ Chi Tiết Cuộc Gọi").click()
    way = page.locator('tbody td[data-label="Hướng"]')
    await expect(way).to_have_text([label(InteractionKind.CALL_MISSED)])
    await page.get_by_role("combobox", name="Trạng thái").click()
    await page.get_by_role("option", name="Gọi đi").click()
    await page.get_by_role("button", name="Xác nhận").click()
    await expect(way).to_have_count(0)
