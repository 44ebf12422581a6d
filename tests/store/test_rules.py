"""The guards as pure functions, and that the database computes the same due times and ranks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.core.types import HoldReason, NumberCaps
from statuses.lead import ErrorKind, LeadState
from statuses.outcomes import CallStatus
from statuses.retry import RetryOrder
from store.load import LEADS
from store.rows import Ban, Dial, LeadRow
from store.rules import DAY_S, ban_hold, dial_rank, due_at, lead_hold, number_hold, ranks
from tests.store.worlds import NOW, SqlWorld, new_lead, phone, settings

TIMES = st.none() | st.sampled_from([NOW - 100, NOW, NOW + 100])


def one_of(kind: type[LeadState | ErrorKind | CallStatus]) -> st.SearchStrategy[str]:
    return st.sampled_from([member.value for member in kind])


LEAD_VALUES = st.fixed_dictionaries(
    {
        "state": one_of(LeadState),
        "error_kind": st.none() | one_of(ErrorKind),
        "last_status": st.none() | one_of(CallStatus),
        "reconcile": st.booleans(),
        "next_at": TIMES,
        "call_at": TIMES,
        "callback_at": TIMES,
        "held_until": TIMES,
        "lease_owner": st.sampled_from([None, "a"]),
        "attempts": st.integers(0, 4),
    }
)


def lead_with(values: dict[str, Any], lead_id: int = 1) -> LeadRow:
    return new_lead(lead_id, **values)


@given(LEAD_VALUES, st.sampled_from([NOW - 200, NOW, NOW + 200]))
def test_what_is_due_is_what_nothing_stands_against(values: dict[str, Any], now: float) -> None:
    lead = lead_with(values)
    due = due_at(lead)
    hold = lead_hold(lead, list_active=True, max_attempts=99, now=now)
    if lead.lease_owner is None:
        assert (due is not None and due <= now) == (hold is None)
    if due is not None:
        assert dial_rank(lead) in ranks(RetryOrder.NEW_FIRST)
    if hold is not None and hold.until is not None:
        assert hold.until > now


_TABLE: list[dict[str, Any]] = [
    {"state": state.value, "error_kind": kind, "last_status": status, field: at, "held_until": held, flag: value}
    for state in LeadState
    for kind in (None, ErrorKind.NUMBER.value, ErrorKind.HOTLINE.value)
    for status in (None, CallStatus.BUSY_LINE.value)
    for field in ("next_at", "call_at", "callback_at")
    for at in (None, NOW)
    for held in (None, NOW - 100, NOW + 100)
    for flag, value in (("reconcile", False), ("reconcile", True), ("lease_owner", "a"))
]


async def test_the_database_computes_the_same(engine: AsyncEngine) -> None:
    world = SqlWorld(engine)
    await world.add_campaign(settings(1), lists=[10])
    leads = [new_lead(number, **values) for number, values in enumerate(_TABLE, 1)]
    await world.add_leads(leads)
    async with engine.connect() as connection:
        rows = (await connection.execute(select(LEADS.c.id, LEADS.c.due_at, LEADS.c.dial_rank))).all()
    computed = {row.id: (row.due_at, row.dial_rank) for row in rows}
    assert computed == {lead.id: (due_at(lead), dial_rank(lead)) for lead in leads}


@pytest.mark.parametrize(
    ("ban", "held"),
    [
        (Ban(phone(1), "dnc"), HoldReason.DNC),
        (Ban(phone(1), "dnc", scope="calls"), HoldReason.DNC),
        (Ban(phone(1), "dnc", scope="messages"), None),
        (Ban(phone(1), "blacklist", campaign_id=1), HoldReason.BLACKLIST),
        (Ban(phone(1), "blacklist", campaign_id=2), None),
        (Ban(phone(1), "no_recall", except_campaign_id=1), None),
        (Ban(phone(1), "no_recall", except_campaign_id=2, until=NOW + 1), HoldReason.SUPPRESSED),
        (Ban(phone(1), "no_recall", except_campaign_id=2, until=NOW), None),
    ],
    ids=str,
)
def test_which_suppressions_apply(ban: Ban, held: HoldReason | None) -> None:
    hold = ban_hold([ban], 1, NOW)
    assert (None if hold is None else hold.reason) == held


def test_the_register_is_told_before_other_lists() -> None:
    bans = [Ban(phone(1), "no_recall"), Ban(phone(1), "blacklist"), Ban(phone(1), "dnc")]
    assert ban_hold(bans, 1, NOW) == (HoldReason.DNC, None)
    assert ban_hold(bans[:2], 1, NOW) == (HoldReason.BLACKLIST, None)


def test_the_longest_suppression_says_until_when() -> None:
    bans = [Ban(phone(1), "no_recall", until=NOW + 5), Ban(phone(1), "no_recall", until=NOW + 9)]
    assert ban_hold(bans, 1, NOW) == (HoldReason.SUPPRESSED, NOW + 9)
    assert ban_hold([*bans, Ban(phone(1), "no_recall")], 1, NOW) == (HoldReason.SUPPRESSED, None)


@given(
    st.lists(st.tuples(st.floats(0, 3 * DAY_S), st.booleans()), max_size=8),
    st.integers(1, 4),
    st.booleans(),
)
def test_the_cap_ends_when_it_says_and_not_before(calls: list[tuple[float, bool]], per_24h: int, strict: bool) -> None:
    now = NOW + 3 * DAY_S
    dials = [Dial(NOW + begun, open=False, reached=reached) for begun, reached in calls]
    caps = NumberCaps(per_24h=per_24h, strict=strict)
    counted = [dial for dial in dials if dial.begun_at > now - DAY_S and (strict or dial.reached)]
    hold = number_hold(dials, caps, now)
    assert (hold is None) == (len(counted) < per_24h)
    if hold is not None:
        assert hold.reason is HoldReason.NUMBER_CAP
        assert hold.until is not None
        assert number_hold(dials, caps, hold.until) is None
        assert number_hold(dials, caps, hold.until - 1) is not None


def test_a_cap_of_nothing_calls_nobody() -> None:
    assert number_hold([], NumberCaps(per_24h=0), NOW) == (HoldReason.NUMBER_CAP, NOW + DAY_S)


def test_an_open_call_takes_the_number_however_old() -> None:
    hold = number_hold([Dial(NOW - 9 * DAY_S, open=True, reached=True)], NumberCaps(), NOW)
    assert hold is not None
    assert hold.reason is HoldReason.NUMBER_IN_FLIGHT
