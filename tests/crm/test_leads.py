from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.leads import (
    NEVER_CALLED,
    LeadFilter,
    LeadOrder,
    LeadRow,
    add_comment,
    campaigns_with_leads,
    list_leads,
    lists_with_leads,
    need_lead,
)
from dialer.errors import BadInput, NotFound
from statuses.catalog import code, label
from statuses.lead import LeadState
from statuses.outcomes import CallStatus
from tests.crm.worlds import NOW, add, call, campaign, change_lead, e164, number, people


async def ids(engine: AsyncEngine, order: LeadOrder = LeadOrder.DEFAULT, **wanted: Any) -> list[int]:
    page = await list_leads(engine, LeadFilter(**wanted), order)
    assert page.total == len(page.rows)
    return [row.lead_id for row in page.rows]


@pytest.mark.parametrize("written", [number(2), e164(2), "95 000 00 02", "84.950.000.002"])
@pytest.mark.req("S0-3", "S1-3")
async def test_the_phone_filter_finds_only_that_number(sqlite: AsyncEngine, tmp_path: Path, written: str) -> None:
    await campaign(sqlite)
    await campaign(sqlite, "Hè")
    await people(sqlite, tmp_path, 12)
    (twin,) = await people(sqlite, tmp_path, 1, "Hè", first=2)
    assert await ids(sqlite, phone=written) == [2, twin]


async def test_a_part_of_a_number_finds_those_that_end_with_it(sqlite: AsyncEngine, tmp_path: Path) -> None:
    await campaign(sqlite)
    await people(sqlite, tmp_path, 12)
    assert await ids(sqlite, phone="0002") == [2]
    with pytest.raises(BadInput, match="no digit in 'xyz'"):
        await ids(sqlite, phone="xyz")


@pytest.mark.req("S0-4", "S1-4")
async def test_the_campaign_filter_offers_campaigns_with_leads(sqlite: AsyncEngine, tmp_path: Path) -> None:
    for name in ("Tết", "Hè", "Không có ai"):
        await campaign(sqlite, name)
    tet = await people(sqlite, tmp_path, 2)
    he = await people(sqlite, tmp_path, 3, "Hè")
    choices = {found.name: found.id for found in await campaigns_with_leads(sqlite)}
    assert sorted(choices) == ["Hè", "Tết"]
    assert await ids(sqlite, campaign_id=choices["Tết"]) == tet
    assert await ids(sqlite, campaign_id=choices["Hè"]) == he


@pytest.mark.req("S0-5", "S1-5")
async def test_the_list_filter_offers_lists_of_the_campaign_with_leads(sqlite: AsyncEngine, tmp_path: Path) -> None:
    first, other = await campaign(sqlite), await campaign(sqlite, "Hè")
    await add(sqlite, tmp_path, [["An", number(1), ""]], list_name="Bắc")
    await add(sqlite, tmp_path, [["Bình", number(2), ""]], list_name="Nam")
    await add(sqlite, tmp_path, [["Chi", number(3), ""]], "Hè", list_name="Trung")
    choices = {found.name: found.id for found in await lists_with_leads(sqlite, first)}
    assert list(choices) == ["Bắc", "Nam"]
    assert await ids(sqlite, list_id=choices["Nam"]) == [2]
    assert [found.name for found in await lists_with_leads(sqlite, other)] == ["Trung"]


@pytest.mark.req("S0-6", "S0-10", "S0-11", *(f"S0-6.{n}" for n in range(1, 13)))
async def test_each_status_filters_exactly_its_leads(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    every = await people(engine, tmp_path, len(CallStatus) + 1)
    for lead_id, status in zip(every, CallStatus, strict=False):
        await change_lead(engine, lead_id, last_status=status.value)
    for lead_id, status in zip(every, CallStatus, strict=False):
        page = await list_leads(engine, LeadFilter(statuses=frozenset({status})))
        assert [(row.lead_id, row.status, row.status_code) for row in page.rows] == [(lead_id, status, code(status))]
        assert label(page.rows[0].status, "vi")
        assert page.rows[0].status_code.isalnum()
    never = await list_leads(engine, LeadFilter(statuses=frozenset({NEVER_CALLED})))
    assert [(row.lead_id, row.status, row.status_code) for row in never.rows] == [(every[-1], None, "NEW")]
    both = frozenset({NEVER_CALLED, CallStatus.BUSY.value})
    assert (await list_leads(engine, LeadFilter(statuses=both))).total == 2
    with pytest.raises(BadInput, match="unknown status 'gone'; use one of: answered, "):
        await ids(engine, statuses=frozenset({"gone"}))


@pytest.mark.req("S0-10")
async def test_a_disposition_is_shown_in_place_of_the_status(sqlite: AsyncEngine, tmp_path: Path) -> None:
    await campaign(sqlite)
    (only,) = await people(sqlite, tmp_path, 1)
    await change_lead(sqlite, only, last_status="answered", disposition="SALE")
    found = await need_lead(sqlite, only)
    assert (found.status_code, found.status) == ("SALE", CallStatus.ANSWERED)


@pytest.mark.req("S0-7", "S1-7")
async def test_the_four_orders_with_stable_ties(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    names = ["Ước", "An", "Đỗ", "an", "Bình"]
    await add(engine, tmp_path, [[name, number(n), ""] for n, name in enumerate(names, 1)])
    for lead_id, added, called, status in (
        (1, 5, 30, "voicemail"), (2, 9, None, None), (3, 7, 40, "answered"), (4, 9, 30, "busy"),
        (5, 1, None, "answered"),
    ):  # fmt: skip
        at = None if called is None else NOW + called
        await change_lead(engine, lead_id, added_at=NOW + added, last_call_at=at, last_status=status)
    assert await ids(engine, LeadOrder.DEFAULT) == [1, 2, 3, 4, 5]
    assert await ids(engine, LeadOrder.NEWEST) == [4, 2, 3, 1, 5]
    assert await ids(engine, LeadOrder.LAST_CALL) == [3, 1, 4, 2, 5]
    assert await ids(engine, LeadOrder.LAST_STATUS) == [3, 5, 4, 1, 2]
    assert await ids(engine, LeadOrder.NAME) == [2, 4, 5, 3, 1]


@pytest.mark.parametrize("order", LeadOrder)
async def test_pages_join_without_a_gap(sqlite: AsyncEngine, tmp_path: Path, order: LeadOrder) -> None:
    await campaign(sqlite)
    await add(sqlite, tmp_path, [["Trùng tên", number(n), ""] for n in range(1, 24)])
    whole = [row.lead_id for row in (await list_leads(sqlite, LeadFilter(), order, limit=100)).rows]
    pieces: list[int] = []
    for offset in range(0, 24, 5):
        page = await list_leads(sqlite, LeadFilter(), order, offset=offset, limit=5)
        assert page.total == 23
        pieces += [row.lead_id for row in page.rows]
    assert pieces == whole
    assert sorted(whole) == list(range(1, 24))


@pytest.mark.req("S0-12", "S1-12")
async def test_calls_are_counted_by_number(sqlite: AsyncEngine, tmp_path: Path) -> None:
    await campaign(sqlite)
    await campaign(sqlite, "Hè")
    mine, other = await people(sqlite, tmp_path, 2)
    (twin,) = await people(sqlite, tmp_path, 1, "Hè")
    await call(sqlite, mine, 1)
    await call(sqlite, mine, 2)
    await call(sqlite, twin, 3)
    assert [(await need_lead(sqlite, one)).calls for one in (mine, twin, other)] == [3, 3, 0]


@pytest.mark.req("S0-8", "S0-9", "S0-13", "S0-14", "S0-15", "S1-8", "S1-9", "S1-13", "S1-14", "S1-15")
async def test_every_column_of_the_screen(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    columns = {"code": 1, "name": 2, "phone": 3, "note": 4}
    rows = [["VIP7", "Đỗ Thị Ước", number(1), "khách quen"], ["", "An", number(2), ""]]
    await add(engine, tmp_path, rows, mapping=columns, list_name="Hà Nội")
    await change_lead(engine, 1, agent_name="Nhân viên 07")
    vip, made = (await list_leads(engine, LeadFilter())).rows
    assert (vip.code, vip.name, vip.phone, vip.comment) == ("VIP7", "Đỗ Thị Ước", e164(1), "khách quen")
    assert (vip.campaign, vip.list_name, vip.agent) == ("Tết", "Hà Nội", "Nhân viên 07")
    assert (made.code, made.comment, made.agent) == ("KH000002", None, None)
    await add_comment(engine, 1, "hẹn tuần sau", author="admin", now=NOW)
    await add_comment(engine, 1, "đổi ý", author="admin", now=NOW)
    assert (await need_lead(engine, 1)).comment == "đổi ý"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("uoc", [1]),
        ("ĐỖ thị", [1]),
        ("kh000002", [2]),
        ("000 0003", [3]),
        ("100%", [3]),
        ("%", [3]),
        ("_", []),
        ("x", []),
    ],
)
async def test_the_text_filter(sqlite: AsyncEngine, tmp_path: Path, text: str, found: list[int]) -> None:
    await campaign(sqlite)
    await add(sqlite, tmp_path, [["Đỗ Thị Ước", number(1), ""], ["An", number(2), ""], ["100%", number(3), ""]])
    assert await ids(sqlite, text=text) == found


@pytest.mark.req("S4-3", "S4-4")
async def test_state_and_time_of_adding(sqlite: AsyncEngine, tmp_path: Path) -> None:
    await campaign(sqlite)
    await people(sqlite, tmp_path, 3)
    await change_lead(sqlite, 2, state="paused", added_at=NOW + 10)
    assert await ids(sqlite, states=frozenset({LeadState.PAUSED})) == [2]
    assert await ids(sqlite, added_from=NOW + 10) == [2]
    assert await ids(sqlite, added_to=NOW + 10) == [1, 3]
    assert await ids(sqlite, after_id=2) == [3]


async def test_an_unknown_lead(sqlite: AsyncEngine) -> None:
    with pytest.raises(NotFound, match="no lead 9"):
        await need_lead(sqlite, 9)


def test_a_row_has_every_column_of_the_screen() -> None:
    wanted = {"code", "name", "phone", "status_code", "status", "calls", "comment", "campaign", "list_name", "agent"}
    assert wanted <= {field.name for field in dataclasses.fields(LeadRow)}
