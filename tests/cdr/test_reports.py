from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdr import reports
from cdr.clickhouse import Analytics, open_chdb
from cdr.encode import CampaignRef, attempt_settled, call_record, disposition_set
from cdr.filters import CdrFilter
from cdr.memory import MemoryEventLog, MemoryOffsetLedger
from cdr.projector import Projector
from cdr.reports import GROUPS, REPORTS, ReportRow, cells, report, total
from dialer.core.types import AttemptRecord
from dialer.errors import BadInput
from statuses.classify import AttemptFacts
from statuses.outcomes import CallStatus, CancelReason, EndedBy
from tests.cdr.samples import CAMPAIGN, HOTLINE, any_attempt, engaged, intent, result, settled, talk

OTHER = CampaignRef(8, "Nhắc phí", "autodialer")
HANOI = "Asia/Ho_Chi_Minh"
LEFT = AttemptFacts(
    sip_status=200, rang=True, answered=True, ended_by=EndedBy.DIALER, cancel_reason=CancelReason.OVERFLOW
)


_fresh = itertools.count(100)


async def store(analytics: Analytics, *calls: tuple[AttemptRecord, CampaignRef], done: int = 0) -> None:
    log = MemoryEventLog(f"cdr.events.{next(_fresh)}")  # a topic of its own: its offsets begin again at 1
    for record, campaign in calls:
        log.extend((event.key, event.value) for event in attempt_settled(record, campaign))
    for record, campaign in calls[:done]:
        event = disposition_set(result(record, disposition="SALE"), record, record.ended_at + 12, campaign)
        log.append(event.key, event.value)
    projector = Projector(log, MemoryOffsetLedger(), analytics)
    while await projector.run_once():
        pass


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analytics]:
    """One sale of 29 s talk and 12 s wrap-up, one busy, one abandoned after 5 s; the busy one an hour later."""
    analytics = asyncio.run(open_chdb(tmp_path_factory.mktemp("reports") / "analytics"))
    left = settled(intent(3), LEFT)
    left_ = {"ringing_at": left.started_at + 2, "answered_at": left.ended_at - 5, "bridged_at": None}
    abandoned = settled(intent(3), LEFT, **left_)
    late = engaged(2, begun_at=1_790_000_000.0 + 3_600, trunk="viettel-1", list_id=9)
    asyncio.run(store(analytics, (talk(1), CAMPAIGN), (late, OTHER), (abandoned, CAMPAIGN), done=1))
    yield analytics
    asyncio.run(analytics.close())


async def groups(analytics: Analytics, by: str, **wanted: Any) -> dict[str, int]:
    return {row.group: row.calls for row in await report(analytics, CdrFilter(**wanted), by=by, zone=HANOI)}


@pytest.mark.component("chdb")
@pytest.mark.parametrize(
    ("by", "found"),
    [
        ("campaign", {"Chăm sóc mùa thu": 2, "Nhắc phí": 1}),
        ("hour", {"2026-09-21 21:00": 2, "2026-09-21 22:00": 1}),
        ("hour-of-day", {"21": 2, "22": 1}),
        ("day", {"2026-09-21": 3}),
        ("agent", {"": 2, "agent-07": 1}),
        ("hotline", {HOTLINE: 3}),
        ("carrier", {"": 3}),
        ("trunk", {"sim": 2, "viettel-1": 1}),
        ("status", {"answered": 1, "busy": 1, "busy-line": 1}),
        ("list", {"4": 2, "9": 1}),
    ],
)
async def test_each_way_to_group(world: Analytics, by: str, found: dict[str, int]) -> None:
    assert await groups(world, by) == found


def test_every_way_to_group_is_tried_above() -> None:
    marks = {mark.name: mark for mark in test_each_way_to_group.pytestmark}  # type: ignore[attr-defined]
    assert {by for by, _ in marks["parametrize"].args[1]} == set(GROUPS)


@pytest.mark.component("chdb")
async def test_hours_are_those_of_the_zone_that_is_asked_for(world: Analytics) -> None:
    rows = await report(world, CdrFilter(), by="hour", zone="Asia/Kathmandu")  # a quarter off: +05:45
    assert [row.group for row in rows] == ["2026-09-21 19:00", "2026-09-21 20:00"]


@pytest.mark.component("chdb")
async def test_a_report_is_filtered_like_a_search(world: Analytics) -> None:
    assert await groups(world, "status", campaign="Chăm sóc mùa thu", max_talk_s=6.0) == {"busy-line": 1}
    assert await groups(world, "status", started_from=1_790_003_000.0) == {"busy": 1}


@pytest.mark.component("chdb")
async def test_ratios_are_made_of_the_sums(world: Analytics) -> None:
    rows = await report(world, CdrFilter(), by="campaign", zone=HANOI)
    ours, theirs = rows
    assert (ours.asr, ours.abandonment, ours.aht_s, ours.mean_wait_s) == (1.0, 0.5, 41.0, 3.0)
    assert (theirs.asr, theirs.abandonment, theirs.aht_s, theirs.mean_wait_s) == (0.0, None, None, None)
    both = total(rows)
    assert (both.calls, both.asr, both.aht_s, both.billsec_ms) == (3, 2 / 3, 41.0, 35_000)


@pytest.mark.component("chdb")
@pytest.mark.parametrize("name", REPORTS)
async def test_each_report_shows_its_columns(world: Analytics, name: str) -> None:
    rows = await report(world, CdrFilter(), by=REPORTS[name].by, zone=HANOI)
    for row in [*rows, total(rows)]:
        assert all(value is None or value >= 0 for value in cells(name, row).values() if not isinstance(value, str))
    assert cells("statuses", total(rows))["busy_line"] == 1
    assert cells("times", total(rows)) == {
        "calls": 3, "duration_s": 82.5, "billsec_s": 35.0, "waitsec_s": 47.5, "ring_s": 40.0, "wait_s": 6.0,
        "talk_s": 29.0, "wrap_s": 12.0,
    }  # fmt: skip


@pytest.mark.component("chdb")
async def test_too_many_groups_are_refused_not_cut(world: Analytics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "GROUPS_MAX", 1)
    with pytest.raises(BadInput, match="more than 1 groups"):
        await report(world, CdrFilter(), by="status", zone=HANOI)


@pytest.mark.component("chdb")
async def test_what_cannot_be_grouped_by_is_answered_with_what_can(world: Analytics) -> None:
    with pytest.raises(BadInput, match="campaign, hour, hour-of-day"):
        await report(world, CdrFilter(), by="1); DROP TABLE calls", zone=HANOI)
    for zone in ("", "Mars/Base", "x" * 300, "../etc/passwd"):
        with pytest.raises(BadInput, match="time zone"):
            await report(world, CdrFilter(), by="day", zone=zone)


@pytest.mark.component("chdb")
@settings(max_examples=15, deadline=None)
@given(calls=st.lists(any_attempt(ordered=False), min_size=1, max_size=12, unique_by=lambda call: call.call_id))
def test_identities_of_any_calls_by_any_group(calls: list[AttemptRecord], world: Analytics) -> None:
    """Waitsec = duration - billsec, the statuses add up to the calls, and groups add up to all: as Python counts."""
    campaign = CampaignRef(next(_fresh), "Bất kỳ", "predictive")
    calls = [msgspec.structs.replace(call, call_id=f"{campaign.campaign_id}/{call.call_id}") for call in calls]

    async def check() -> None:
        await store(world, *((call, campaign) for call in calls))
        records = [call_record(call, campaign) for call in calls]
        for by in GROUPS:
            rows = await report(world, CdrFilter(campaign_id=campaign.campaign_id), by=by, zone=HANOI)
            for row in [*rows, total(rows)]:
                assert row.waitsec_ms == row.duration_ms - row.billsec_ms
                assert sum(row.statuses) == row.calls
                assert max(row.connected, row.answered, row.abandoned) <= row.calls
            both = total(rows)
            assert both.calls == len(records)
            assert both.duration_ms == sum(record.duration_ms for record in records)
            assert both.billsec_ms == sum(record.billsec_ms for record in records)
            told = Counter(record.status for record in records)
            assert dict(zip(CallStatus, both.statuses, strict=True)) == {status: told[status] for status in CallStatus}

    asyncio.run(check())


def test_a_total_of_nothing_is_nothing() -> None:
    none = total([])
    assert none == ReportRow("", 0, 0, 0, 0, (0,) * len(CallStatus), 0, 0, 0, 0, 0, 0, 0)
    assert cells("calls", none)["asr"] is None
