"""Callback appointments: agreed ones and missed calls in one list, filtered, marked as done (S2-17 to S2-19)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.callbacks import CallbackFilter, finish_callback, list_callbacks
from dialer.core.types import CampaignKind
from dialer.errors import IllegalAction, NotFound
from store.models import Callback
from tests.crm.worlds import NOW, campaign, change_lead, lead, people

DAY = 86_400.0


async def missed(engine: AsyncEngine, lead_id: int, *, due_at: float = NOW, **values: Any) -> None:
    found = await lead(engine, lead_id)
    row = {
        "campaign_id": found.campaign_id, "lead_id": lead_id, "customer_id": found.customer_id,
        "phone_e164": found.phone_e164, "reason": "missed_call", "calls": 2, "due_at": due_at, "created_at": due_at,
    }  # fmt: skip
    async with engine.begin() as db:
        await db.execute(insert(Callback), {**row, **values})


async def appointed(engine: AsyncEngine, lead_id: int, at: float) -> None:
    await change_lead(engine, lead_id, state="callback", callback_at=at, callback_agent="an")


async def keys(engine: AsyncEngine, **wanted: Any) -> list[str]:
    return [item.key for item in (await list_callbacks(engine, CallbackFilter(**wanted))).rows]


@pytest.mark.req("S2-17")
async def test_what_is_due_first_stands_first_and_says_why_and_who_calls(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    first, second, third = await people(engine, tmp_path, 3)
    await appointed(engine, second, NOW + 60)
    await missed(engine, first, due_at=NOW + 120)
    await appointed(engine, third, NOW)
    await missed(engine, third, due_at=NOW + 30)
    page = await list_callbacks(engine)
    told = [(item.lead_id, item.reason, item.calls, item.by_dialer, item.agent) for item in page.rows]
    assert told == [
        (third, "missed_call", 2, True, None),
        (second, "appointment", 0, True, "an"),
        (first, "missed_call", 2, False, None),
    ]
    assert (page.total, page.rows[1].name) == (3, "Khách 2")
    assert [item.key for item in (await list_callbacks(engine, offset=1, limit=1)).rows] == [f"lead-{second}"]


@pytest.mark.req("S2-18", "S2-19")
async def test_the_list_is_filtered_by_campaign_and_by_the_day_of_the_zone(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    hotline = await campaign(engine, "Hotline", kind=CampaignKind.INBOUND)
    (mine,) = await people(engine, tmp_path, 1)
    (theirs,) = await people(engine, tmp_path, 1, "Hotline", first=9)
    await appointed(engine, mine, NOW)
    await appointed(engine, theirs, NOW + DAY)
    assert await keys(engine, campaign_id=hotline) == [f"lead-{theirs}"]
    assert [item.by_dialer for item in (await list_callbacks(engine)).rows] == [True, False]
    assert await keys(engine, day=date(2027, 1, 15)) == [f"lead-{mine}"]  # NOW is 15:00 in Ho Chi Minh City
    assert await keys(engine, day=date(2027, 1, 16)) == [f"lead-{theirs}"]
    assert await keys(engine, day=date(2027, 1, 14)) == []


async def test_what_is_done_leaves_the_list_and_is_not_dialed(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    first, second = await people(engine, tmp_path, 2)
    await appointed(engine, first, NOW)
    await missed(engine, first)
    await appointed(engine, second, NOW)
    for key in await keys(engine):
        await finish_callback(engine, key, by="Lan", now=NOW + 5)
    assert await keys(engine) == []
    assert [(await lead(engine, n)).state for n in (first, second)] == ["success", "success"]
    (done,) = (await list_callbacks(engine, CallbackFilter(done=True))).rows
    assert (done.done_by, done.done_at, done.by_dialer) == ("Lan", NOW + 5, False)


async def test_a_key_that_is_none_and_a_customer_in_a_call_are_refused(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    (only,) = await people(engine, tmp_path, 1)
    for key in ("task-77", "lead-77", f"lead-{only}", "nonsense", "task-"):
        with pytest.raises(NotFound, match="no open callback"):
            await finish_callback(engine, key, by="", now=NOW)
    await missed(engine, only)
    await change_lead(engine, only, state="in_progress")
    (key,) = await keys(engine)
    with pytest.raises(IllegalAction, match="in a call at this moment"):
        await finish_callback(engine, key, by="", now=NOW)
    assert await keys(engine) == [key]
