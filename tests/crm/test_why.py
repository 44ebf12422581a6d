from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.campaigns import act
from crm.why import why
from dialer.core.campaign import CampaignAction
from dialer.core.types import CallWindow, HoldReason, Slot
from dialer.errors import NotFound
from store.models import Campaign
from tests.crm.test_campaigns import FIGURES
from tests.crm.worlds import NOW, campaign, change_lead, people

ORDER = (
    HoldReason.PAUSED_LEAD, HoldReason.FINISHED, HoldReason.SCHEDULED, HoldReason.RETRY_NOT_DUE, HoldReason.DNC, None,
)  # fmt: skip


async def test_every_lead_is_counted_under_one_reason(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    leads = await people(engine, tmp_path, 6)
    changes: list[dict[str, Any]] = [
        {"state": "paused"}, {"state": "success"}, {"call_at": NOW + 60},
        {"state": "called_no_success", "next_at": NOW + 9}, {"state": "dnc"},
    ]  # fmt: skip
    for lead_id, values in zip(leads, changes, strict=False):
        await change_lead(engine, lead_id, **values)
    report = await why(engine, "Tết", now=NOW)
    assert report.counts == dict.fromkeys(ORDER, 1)
    assert report.examples == {reason: (leads[place],) for place, reason in enumerate(ORDER)}


async def test_what_holds_the_whole_campaign(sqlite: AsyncEngine) -> None:
    morning = CallWindow(weekdays=((Slot(480, 540),),) * 7)
    await campaign(sqlite, window=morning)
    draft = await why(sqlite, "Tết", now=NOW)
    assert [hold.reason for hold in draft.holds] == ["campaign_not_running", "no_service", "window"]
    assert "approve" in draft.holds[0].detail
    assert draft.holds[2].until == 1_800_061_200.0  # 08:00 of the next day in Viet Nam
    for action in (CampaignAction.APPROVE, CampaignAction.START, CampaignAction.STOP):
        await act(sqlite, "Tết", action, now=NOW)
    assert (await why(sqlite, "Tết", now=NOW)).holds[0].detail == "it is stopped; start it"


async def test_a_running_engine_says_what_limits_it(sqlite: AsyncEngine) -> None:
    await campaign(sqlite)
    for action in (CampaignAction.APPROVE, CampaignAction.START):
        await act(sqlite, "Tết", action, now=NOW)
    owned = {"owner": "engine", "lease_expires_at": NOW + 60, "runtime_at": NOW}
    async with sqlite.begin() as db:
        await db.execute(update(Campaign).values(runtime=msgspec.json.encode(FIGURES), **owned))
    (hold,) = (await why(sqlite, "Tết", now=NOW)).holds
    assert (hold.reason, hold.detail) == (HoldReason.PACING, "2 idle")
    async with sqlite.begin() as db:
        free = msgspec.structs.replace(FIGURES, reason=None)
        await db.execute(update(Campaign).values(runtime=msgspec.json.encode(free)))
    assert (await why(sqlite, "Tết", now=NOW)).holds == ()


async def test_one_lead(sqlite: AsyncEngine, tmp_path: Path) -> None:
    await campaign(sqlite)
    await campaign(sqlite, "Hè")
    (mine,) = await people(sqlite, tmp_path, 1)
    (other,) = await people(sqlite, tmp_path, 1, "Hè", first=7)
    await change_lead(sqlite, mine, call_at=NOW + 60)
    held = (await why(sqlite, "Tết", now=NOW, lead_id=mine)).lead
    assert held is not None
    assert (held.lead_id, held.reason, held.until) == (mine, HoldReason.SCHEDULED, NOW + 60)
    with pytest.raises(NotFound, match=f"campaign 'Tết' has no lead {other}"):
        await why(sqlite, "Tết", now=NOW, lead_id=other)
    with pytest.raises(NotFound, match="Did you mean 'Tết'"):
        await why(sqlite, "Têt", now=NOW)
