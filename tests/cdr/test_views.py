"""The views that analysts read: what docs/analytics-views.md promises is there, in its latest version."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cdr.clickhouse import Analytics
from cdr.encode import attempt_settled, disposition_set, lead_changed
from cdr.memory import MemoryEventLog, MemoryOffsetLedger
from cdr.projector import Projector
from statuses.classify import AttemptFacts
from statuses.outcomes import STATUS_COUNTERS
from tests.cdr.samples import CAMPAIGN, change, intent, log_of, result, settled, talk

pytestmark = pytest.mark.component("chdb")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "analytics-views.md"
HEADING = re.compile(r"^## (v_\w+)$", re.MULTILINE)
COLUMN = re.compile(r"^\| `(\w+)` \| `([^`]+)` \|", re.MULTILINE)


def documented() -> dict[str, list[tuple[str, str]]]:
    """Read the page: columns with their types, by view."""
    _, *parts = HEADING.split(PAGE.read_text(encoding="utf-8"))
    return {name: COLUMN.findall(text) for name, text in zip(parts[::2], parts[1::2], strict=True)}


async def rows(analytics: Analytics, sql: str) -> Sequence[Sequence[Any]]:
    return await analytics.query(sql, {})


async def project(analytics: Analytics, log: MemoryEventLog, ledger: MemoryOffsetLedger) -> None:
    projector = Projector(log, ledger, analytics)
    while await projector.run_once():
        pass


async def test_the_page_and_the_views_agree(analytics: Analytics) -> None:
    views = await rows(
        analytics, "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View' ORDER BY name"
    )
    found = {}
    for (view,) in views:
        found[view] = [(name, kind) for name, kind, *_ in await rows(analytics, f"DESCRIBE TABLE {view}")]
    assert found == documented()


async def test_a_row_is_shown_once_and_in_its_latest_version_before_any_merge(analytics: Analytics) -> None:
    await analytics.command("SYSTEM STOP MERGES")
    record, log, ledger = talk(1), MemoryEventLog(), MemoryOffsetLedger()
    done = disposition_set(result(record, disposition="SALE"), record, record.ended_at + 12, CAMPAIGN)
    states = [
        lead_changed(change(1, version, state), CAMPAIGN) for version, state in ((1, "in_progress"), (2, "success"))
    ]
    for event in [*attempt_settled(record, CAMPAIGN), states[0], done, states[1]]:
        log.append(event.key, event.value)
        await project(analytics, log, ledger)
    assert await rows(analytics, "SELECT count() FROM calls") == [(2,)]
    assert await rows(analytics, "SELECT count() FROM lead_status") == [(2,)]
    assert await rows(analytics, "SELECT version, disposition, wrap_s, talk_s, is_connected FROM v_calls") == [
        (2, "SALE", 12.0, 29.0, True)
    ]
    assert await rows(analytics, "SELECT version, state FROM v_lead_status") == [(2, "success")]
    assert await rows(analytics, "SELECT state, leads FROM v_lead_funnel") == [("success", 1)]
    assert await rows(analytics, "SELECT calls, wrap_s FROM v_campaign_hours") == [(1, 12.0)]
    assert await rows(analytics, "SELECT agent_id, talks, talk_s, wrap_s FROM v_agent_hours") == [
        ("agent-07", 1, 29.0, 12.0)
    ]
    assert await rows(analytics, "SELECT calls, answered FROM v_line_hours") == [(1, 1)]
    await analytics.command("SYSTEM START MERGES")


async def test_removed_leads_are_gone_from_leads_and_their_calls_stay(analytics: Analytics) -> None:
    log = log_of(3)
    event = lead_changed(change(1, 3, None), CAMPAIGN)
    log.append(event.key, event.value)
    await project(analytics, log, MemoryOffsetLedger())
    assert await rows(analytics, "SELECT lead_id FROM v_lead_status ORDER BY lead_id") == [(2,), (3,)]
    assert await rows(analytics, "SELECT sum(leads) FROM v_lead_funnel") == [(2,)]
    assert await rows(analytics, "SELECT count() FROM v_calls") == [(3,)]


async def test_the_hours_add_up_to_the_calls(analytics: Analytics) -> None:
    log = log_of(9)
    for number, facts in (
        (20, AttemptFacts(sip_status=404, q850=1)),
        (21, AttemptFacts(sip_status=200, answered=True)),
    ):
        late = settled(intent(number, begun_at=1_790_007_000.0), facts)
        log.extend((event.key, event.value) for event in attempt_settled(late, CAMPAIGN))
    await project(analytics, log, MemoryOffsetLedger())
    statuses = " + ".join(f"status_{name}" for name in STATUS_COUNTERS.values())
    hours = await rows(analytics, f"SELECT calls, {statuses}, waitsec_s, duration_s - billsec_s FROM v_campaign_hours")  # noqa: S608 -- ours
    assert sorted((calls, told) for calls, told, *_ in hours) == [(2, 2), (9, 9)]
    assert all(waited == rest for *_, waited, rest in hours)
    assert await rows(analytics, "SELECT sum(calls) FROM v_line_hours") == [(11,)]
    talks = await rows(analytics, "SELECT sum(talks) FROM v_agent_hours")
    assert talks == await rows(analytics, "SELECT countIf(is_connected) FROM v_calls") == [(5,)]


async def test_the_events_of_a_call_are_in_order(analytics: Analytics) -> None:
    await project(analytics, log_of(1), MemoryOffsetLedger())
    told = await rows(analytics, "SELECT type FROM v_call_events WHERE call_id = 'call-000001' ORDER BY seq")
    assert (told[0], told[-1]) == (("call.initiated",), ("disposition.set",))
