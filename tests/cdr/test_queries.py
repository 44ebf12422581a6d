from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cdr.clickhouse import Analytics
from cdr.encode import CampaignRef, attempt_settled, disposition_set, lead_changed
from cdr.memory import MemoryEventLog, MemoryOffsetLedger
from cdr.projector import Projector
from cdr.queries import CallRow, CdrFilter, CdrQueries
from dialer.core.types import AttemptRecord, ScriptStep, StepKind
from dialer.errors import BadInput
from statuses.classify import AttemptFacts
from tests.cdr.samples import CAMPAIGN, HOTLINE, START, change, engaged, intent, log_of, phone, result, settled, talk

OTHER = CampaignRef(campaign_id=8, name="Nhắc phí", kind="autodialer")


async def store(analytics: Analytics, log: MemoryEventLog) -> CdrQueries:
    projector = Projector(log, MemoryOffsetLedger(), analytics)
    while await projector.run_once():
        pass
    return CdrQueries(analytics)


async def with_calls(analytics: Analytics, *calls: tuple[AttemptRecord, CampaignRef]) -> CdrQueries:
    log = MemoryEventLog()
    for record, campaign in calls:
        log.extend((event.key, event.value) for event in attempt_settled(record, campaign))
    return await store(analytics, log)


def ids(rows: list[CallRow]) -> list[str]:
    return [row.call_id for row in rows]


@pytest.mark.req("S0-21")
async def test_the_history_of_a_number_holds_its_calls_of_every_lead_and_campaign(analytics: Analytics) -> None:
    one, other = talk(1), engaged(2, phone=phone(1), begun_at=START + 500)
    queries = await with_calls(analytics, (one, CAMPAIGN), (other, OTHER), (engaged(3), CAMPAIGN))
    found = await queries.history(phone(1), 25)
    assert [(row.call_id, row.lead_id, row.campaign_name) for row in found] == [
        ("call-000002", 2, "Nhắc phí"), ("call-000001", 1, "Chăm sóc mùa thu"),
    ]  # fmt: skip
    assert await queries.history(phone(99), 25) == []


@pytest.mark.req("S0-22")
async def test_a_call_of_the_history_has_every_column_of_the_screen(analytics: Analytics) -> None:
    queries = await with_calls(analytics, (talk(1), CAMPAIGN))
    (row,) = await queries.history(phone(1), 25)
    screen = {
        "Thời Gian Bắt Đầu": row.started_at, "Ứng Dụng": row.app, "Máy Nhánh": row.extension, "Agent": row.agent_id,
        "Hướng": row.direction, "Số Điện Thoại": row.phone_e164, "Đầu Số": row.hotline, "Trạng Thái": row.status,
        "Ngắt máy": row.ended_by, "Thời Lượng": row.duration_s, "Đàm Thoại": row.billsec_s,
    }  # fmt: skip
    assert screen == {
        "Thời Gian Bắt Đầu": START + 1, "Ứng Dụng": "autodialer", "Máy Nhánh": "agent-07", "Agent": "agent-07",
        "Hướng": "outbound", "Số Điện Thoại": phone(1), "Đầu Số": HOTLINE, "Trạng Thái": "answered",
        "Ngắt máy": "remote", "Thời Lượng": 40.0, "Đàm Thoại": 30.0,
    }  # fmt: skip


@pytest.mark.req("S0-23")
async def test_the_detail_of_a_call_has_its_timeline_and_ids(analytics: Analytics) -> None:
    queries = await with_calls(analytics, (talk(1), CAMPAIGN), (talk(2), CAMPAIGN))
    row = await queries.detail("call-000001")
    assert row is not None
    assert [at and at - START - 1 for at in (row.started_at, row.ringing_at, row.answered_at, row.bridged_at)] == [
        0, 3, 10, 11,
    ]  # fmt: skip
    assert (row.ended_at - START, row.sip_call_id, row.sip_status, row.rule_id) == (41, "call-000001", 200, "answered")
    assert (row.ring_s, row.wait_s, row.waitsec_s, row.wrap_s) == (7, 1, 10, 0)
    steps = await queries.timeline("call-000001")
    assert [step.type for step in steps] == [
        "call.ringing", "call.answered", "agent.bridged", "agent.released", "call.ended", "cdr.finalized",
    ]  # fmt: skip
    assert await queries.detail("no such call") is None
    assert await queries.keys("call-000001") == ""


async def test_the_keys_of_a_call_are_told_in_order(analytics: Analytics) -> None:
    record = msgspec.structs.replace(
        talk(1), steps=tuple(ScriptStep(StepKind.KEY, START + 12 + n, "menu", key) for n, key in enumerate("301"))
    )
    queries = await with_calls(analytics, (record, CAMPAIGN), (talk(2), CAMPAIGN))
    assert await queries.keys("call-000001") == "301"
    assert await queries.keys("call-000002") == ""


@pytest.mark.req("S0-23")
async def test_the_latest_version_of_a_call_is_shown_before_the_engine_has_merged(analytics: Analytics) -> None:
    record = talk(1)
    log = MemoryEventLog()
    done = disposition_set(result(record, disposition="SALE", note="đã mua"), record, record.ended_at + 12, CAMPAIGN)
    for event in [*attempt_settled(record, CAMPAIGN), done]:
        log.append(event.key, event.value)
        await store(analytics, log)
    queries = CdrQueries(analytics)
    for row in (
        *await queries.history(phone(1)),
        *await queries.search(CdrFilter()),
        await queries.detail(record.call_id),
    ):
        assert row is not None
        assert (row.version, row.disposition, row.note, row.wrap_s) == (2, "SALE", "đã mua", 12)
    assert await queries.count(CdrFilter()) == 1


async def test_what_did_not_happen_is_none_and_what_is_not_known_is_empty(analytics: Analytics) -> None:
    queries = await with_calls(analytics, (engaged(1), CAMPAIGN))
    row = await queries.detail("call-000001")
    assert row is not None
    assert (row.ringing_at, row.answered_at, row.bridged_at, row.next_at, row.callback_at) == (None,) * 5
    assert (row.agent_id, row.disposition, row.note, row.amd_result) == ("",) * 4
    assert (row.sip_status, row.q850, row.counts, row.billsec_s) == (486, 17, True, 0.0)


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({}, [4, 3, 2, 1]),
        ({"campaign": "Nhắc phí"}, [4]),
        ({"campaign_id": 3}, [3, 2, 1]),
        ({"phone": phone(2)}, [2]),
        ({"status": ("busy",)}, [4, 2]),
        ({"status": ("busy", "failed")}, [4, 3, 2]),
        ({"hotline": "+842471000000"}, [3]),
        ({"direction": "outbound"}, [4, 3, 2, 1]),
        ({"direction": "inbound"}, []),
        ({"agent": "agent-07"}, [1]),
        ({"started_from": START + 2, "started_to": START + 4}, [3, 2]),
        ({"limit": 2}, [4, 3]),
        ({"limit": 2, "offset": 1}, [3, 2]),
        ({"campaign": "' OR 1 = 1 --"}, []),
        ({"status": ("busy",), "campaign_id": 8}, [4]),
    ],
)
async def test_searching(analytics: Analytics, wanted: dict[str, Any], numbers: list[int]) -> None:
    odd = settled(intent(3, hotline="+842471000000"), AttemptFacts())
    queries = await with_calls(
        analytics, (talk(1), CAMPAIGN), (engaged(2), CAMPAIGN), (odd, CAMPAIGN), (engaged(4), OTHER)
    )
    found = await queries.search(CdrFilter(**wanted))
    assert ids(found) == [f"call-{number:06}" for number in numbers]
    if not wanted.keys() & {"limit", "offset"}:
        assert await queries.count(CdrFilter(**wanted)) == len(numbers)


async def test_pages_by_the_last_row_neither_skip_nor_repeat(analytics: Analytics) -> None:
    queries = await store(analytics, log_of(25))
    wanted, seen = CdrFilter(limit=4), []
    while page := await queries.search(wanted):
        seen += ids(page)
        wanted = CdrFilter(limit=4, before_at=page[-1].started_at, before_id=page[-1].call_id)
    assert seen == [f"call-{number:06}" for number in range(25, 0, -1)]


async def test_pages_go_on_among_calls_of_the_same_moment(analytics: Analytics) -> None:
    calls = [(engaged(number, begun_at=START + 0.123), CAMPAIGN) for number in range(1, 8)]
    queries = await with_calls(analytics, *calls)
    first = await queries.search(CdrFilter(limit=3))
    rest = await queries.search(CdrFilter(before_at=first[-1].started_at, before_id=first[-1].call_id))
    assert ids(first) + ids(rest) == [f"call-{number:06}" for number in range(7, 0, -1)]


@pytest.mark.parametrize("limit", [0, -1, 10_001])
async def test_a_listing_is_bounded(analytics: Analytics, limit: int) -> None:
    queries = CdrQueries(analytics)
    with pytest.raises(BadInput, match="1 to 10000"):
        await queries.search(CdrFilter(limit=limit))
    with pytest.raises(BadInput, match="1 to 10000"):
        await queries.history(phone(1), limit)
    with pytest.raises(BadInput, match="cannot be negative"):
        await queries.search(CdrFilter(offset=-1))


async def test_the_counts_of_a_campaign_add_up(analytics: Analytics) -> None:
    queries = await store(analytics, log_of(9))
    totals = await queries.status_counts(3)
    assert totals == {"answered": 5, "busy": 4}
    assert sum(totals.values()) == await queries.count(CdrFilter(campaign_id=3))
    assert await queries.lead_counts(3) == {("success", "answered"): 5, ("called_no_success", "busy"): 4}
    assert await queries.status_counts(4) == {}


async def test_a_removed_lead_is_not_counted_but_its_calls_are(analytics: Analytics) -> None:
    log = log_of(1)
    event = lead_changed(change(1, 3, None), CAMPAIGN)
    log.append(event.key, event.value)
    queries = await store(analytics, log)
    assert await queries.lead_counts(3) == {}
    assert await queries.count(CdrFilter()) == 1


async def test_rows_and_filters_travel_as_json(analytics: Analytics) -> None:
    queries = await store(analytics, log_of(2))
    rows = await queries.search(CdrFilter())
    assert msgspec.json.decode(msgspec.json.encode(rows), type=list[CallRow]) == rows
    wanted = CdrFilter(campaign="x", status=("busy",), started_from=1.5)
    assert msgspec.convert(msgspec.to_builtins(wanted), CdrFilter, strict=False) == wanted
