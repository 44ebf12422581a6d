"""The compliance report against attempts whose outcome is known."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.campaigns import change_settings
from crm.compliance import compliance, corrected
from dialer.errors import NotFound
from statuses.outcomes import CallStatus
from store.lead_store import SqlLeadStore
from store.load import BANS
from store.models import Attempt
from tests.crm.worlds import NOW, campaign, e164

DAY_S = 86_400.0


async def attempts(engine: AsyncEngine, campaign_id: int, rows: list[dict[str, Any]]) -> None:
    blank = {
        "campaign_id": campaign_id, "list_id": 1, "customer_id": 1, "hotline": "+842873001234", "trunk": "sim",
        "attempt_no": 1, "owner_epoch": 1, "settled": True, "lead_done": True, "rang": True, "lost": False,
    }  # fmt: skip
    values = [
        blank
        | {"call_id": f"c{i}", "lead_id": i, "phone_e164": e164(i), "begun_at": row["answered_at"] - 9}
        | {"bridged_at": None, "status": CallStatus.ANSWERED.value}
        | row
        for i, row in enumerate(rows)
    ]
    async with engine.begin() as connection:
        await connection.execute(insert(Attempt), values)


def joined(at: float, after_s: float = 1.0) -> dict[str, Any]:
    return {"answered_at": at, "bridged_at": at + after_s, "ended_at": at + 60}


def lost(at: float) -> dict[str, Any]:
    return {"answered_at": at, "ended_at": at + 8, "status": CallStatus.BUSY_LINE.value}


async def test_the_report_is_the_legal_counters_figure_with_its_bound(engine: AsyncEngine) -> None:
    campaign_id = await campaign(engine)
    rows = [joined(NOW - DAY_S * (1 + i % 3) - i) for i in range(57)]
    rows += [joined(NOW - DAY_S, after_s=2.5), lost(NOW - DAY_S - 5), lost(NOW - 2 * DAY_S)]
    rows += [lost(NOW - 40 * DAY_S)]  # left the window
    rows += [{"answered_at": NOW - 50, "ended_at": NOW - 40, "status": CallStatus.VOICEMAIL.value}]
    await attempts(engine, campaign_id, rows)
    report = await compliance(engine, "Tết", now=NOW)
    since = NOW - report_window(report)
    assert (report.answered, report.abandoned) == await SqlLeadStore(engine).legal_counts(campaign_id, since=since)
    assert (report.answered, report.abandoned, report.machines) == (60, 3, 1)
    assert report.share == pytest.approx(0.05)
    assert not report.within
    assert report.low == pytest.approx(0.0104, abs=1e-4)
    assert report.high == pytest.approx(0.1392, abs=1e-4)
    assert sum(day.answered for day in report.days) == 60
    assert report.worst_day is not None
    assert report.worst_day.abandoned == 2
    assert [(call.call_id, call.agent_came, call.waited_s) for call in report.calls] == [
        ("c59", False, 8.0),
        ("c58", False, 8.0),
        ("c57", True, 2.5),
    ]


def report_window(report: Any) -> float:
    return float((report.until - report.since).total_seconds())


def test_machines_among_the_abandoned_are_estimated_from_those_whom_agents_met() -> None:
    # 29 abandoned, agents met 9 persons and 7 machines: the example of VICIdial's notes on Ofcom's rule
    assert corrected(9, 7, 29) == pytest.approx(0.6444, abs=5e-5)
    assert corrected(97, 0, 3) == pytest.approx(0.03)
    assert corrected(0, 5, 3) == 0.0
    assert corrected(0, 0, 3) is None


async def test_the_correction_stands_beside_the_count_where_the_law_knows_it(engine: AsyncEngine) -> None:
    campaign_id = await campaign(engine)
    met = {"answered_at": NOW - 50, "bridged_at": NOW - 49, "ended_at": NOW - 40, "status": CallStatus.VOICEMAIL.value}
    rows = [*[joined(NOW - 100 - i) for i in range(9)], *[met] * 3, lost(NOW - 60)]
    await attempts(engine, campaign_id, rows)
    assert (await compliance(engine, "Tết", now=NOW)).corrected is None
    await change_settings(engine, "Tết", {"law": "UK"}, now=NOW)
    report = await compliance(engine, "Tết", now=NOW)
    assert (report.machines, report.machines_met) == (3, 3)
    assert report.share == pytest.approx(0.1)
    assert report.corrected == pytest.approx(0.75 / 9.75)


async def test_nothing_answered_is_no_share(engine: AsyncEngine) -> None:
    await campaign(engine)
    report = await compliance(engine, "Tết", now=NOW)
    assert (report.answered, report.share, report.within, report.worst_day) == (0, None, True, None)
    assert report.open_points


async def test_days_are_those_of_the_campaigns_zone(engine: AsyncEngine) -> None:
    campaign_id = await campaign(engine)
    await attempts(engine, campaign_id, [joined(1_799_945_400.0)])  # 2027-01-14 16:50 UTC: 23:50 in Viet Nam
    await attempts_more(engine, campaign_id, 1_799_946_600.0)
    report = await compliance(engine, "Tết", now=NOW)
    assert [day.day for day in report.days] == [date(2027, 1, 14), date(2027, 1, 15)]


async def attempts_more(engine: AsyncEngine, campaign_id: int, at: float) -> None:
    await attempts(engine, campaign_id, [joined(at) | {"call_id": "later", "lead_id": 77}])


async def test_an_old_register_and_a_missing_message_are_named(engine: AsyncEngine) -> None:
    await campaign(engine)
    await change_settings(engine, "Tết", {"law": "US"}, now=NOW)
    report = await compliance(engine, "Tết", now=NOW)
    assert "no do-not-call register was ever loaded" in report.open_points
    assert any("overflow_prompt" in point for point in report.open_points)
    async with engine.begin() as connection:
        await connection.execute(
            insert(BANS).values(phone_e164=e164(1), kind="dnc", scope="all", reason="", created_at=NOW - 40 * DAY_S)
        )
    report = await compliance(engine, "Tết", now=NOW)
    assert any("40 days old; the law: 31" in point for point in report.open_points)


async def test_a_campaign_that_is_not_there_is_named(engine: AsyncEngine) -> None:
    with pytest.raises(NotFound, match="Tét"):
        await compliance(engine, "Tét", now=NOW)
