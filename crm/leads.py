"""The lead screen's questions: which leads, in which order, with every column of S0-17."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from crm.lead_actions import (
    add_comment,
    edit_comment,
    pause_lead,
    remove_lead,
    set_call_at,
    start_lead,
)
from crm.names import fold
from crm.numbers import Phone, parse_phone
from crm.suppressing import suppress, unsuppress
from dialer.errors import BadInput, NotFound
from statuses.catalog import code
from statuses.lead import LeadState
from statuses.outcomes import CallStatus
from store.models import Attempt, Campaign, Comment, Customer, Lead, LeadList
from store.open import readers

__all__ = [
    "LeadFilter",
    "LeadOrder",
    "LeadPage",
    "LeadRow",
    "Named",
    "add_comment",
    "campaigns_with_leads",
    "edit_comment",
    "list_leads",
    "lists_with_leads",
    "need_lead",
    "pause_lead",
    "remove_lead",
    "set_call_at",
    "start_lead",
    "suppress",
    "unsuppress",
]

NEVER_CALLED: Final = code(None)
"""The status to filter by for leads that were never called."""
_STATUS_PLACE: Final = {status.value: place for place, status in enumerate(CallStatus)}


class LeadOrder(StrEnum):
    """The orders of *Phân loại* (S0-7); ties are broken by the lead's id."""

    DEFAULT = "default"
    """As they were added."""
    NEWEST = "newest"
    LAST_CALL = "last_call"
    LAST_STATUS = "last_status"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """What to show; None and empty sets mean everything. Times in UTC epoch seconds, `added_to` excluded.

    `statuses` are CallStatus values or NEVER_CALLED; `text` is looked for in the name (accents do not matter), the code
    and the number.
    """

    phone: str | None = None
    campaign_id: int | None = None
    list_id: int | None = None
    statuses: frozenset[str] = frozenset()
    states: frozenset[LeadState] = frozenset()
    text: str | None = None
    added_from: float | None = None
    added_to: float | None = None
    lead_id: int | None = None
    after_id: int | None = None
    """Only leads with a higher id: the way to read all of them in pieces."""


@dataclass(frozen=True, slots=True)
class LeadRow:
    """One line of the lead screen; times in UTC epoch seconds.

    `status_code` is the disposition's code, else the status's (A15); `calls` counts attempts to the number (S0-12).
    """

    lead_id: int
    customer_id: int
    code: str
    name: str
    phone: str
    status_code: str
    status: CallStatus | None
    calls: int
    comment: str | None
    campaign_id: int
    campaign: str
    list_id: int
    list_name: str
    agent: str | None
    state: LeadState
    pending: str | None
    reconcile: bool
    added_at: float
    call_at: float | None
    callback_at: float | None
    next_at: float | None
    last_call_at: float | None


@dataclass(frozen=True, slots=True)
class LeadPage:
    """One page of leads, and how many the filter finds in all."""

    rows: tuple[LeadRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Named:
    """A campaign or a list to choose."""

    id: int
    name: str


_COLUMNS: Final = (
    Lead.id.label("lead_id"),
    Lead.customer_id,
    Lead.phone_e164,
    Lead.last_status,
    Lead.disposition,
    Lead.campaign_id,
    Lead.list_id,
    Lead.agent_name,
    Lead.state,
    Lead.pending,
    Lead.reconcile,
    Lead.added_at,
    Lead.call_at,
    Lead.callback_at,
    Lead.next_at,
    Lead.last_call_at,
    Customer.code,
    Customer.name,
    Customer.note,
    Campaign.name.label("campaign"),
    LeadList.name.label("list_name"),
)


async def list_leads(
    engine: AsyncEngine,
    wanted: LeadFilter,
    order: LeadOrder = LeadOrder.DEFAULT,
    *,
    offset: int = 0,
    limit: int = 25,
) -> LeadPage:
    """Return one page of leads; raise BadInput for an unknown status or a phone without digits."""
    where = _conditions(wanted)
    found = select(*_COLUMNS).join(Customer, Customer.id == Lead.customer_id)
    found = found.join(Campaign, Campaign.id == Lead.campaign_id).join(LeadList, LeadList.id == Lead.list_id)
    count = select(func.count(Lead.id))
    if wanted.text:
        count = count.join(Customer, Customer.id == Lead.customer_id)
    async with readers(engine).connect() as db:
        rows = (await db.execute(_ordered(found.where(*where), order).offset(offset).limit(limit))).all()
        total = await db.scalar(count.where(*where)) or 0
        calls = await _calls(db, [row.phone_e164 for row in rows])
        comments = await _comments(db, [row.customer_id for row in rows])
    return LeadPage(tuple(_lead_row(row, calls, comments) for row in rows), total)


async def need_lead(engine: AsyncEngine, lead_id: int) -> LeadRow:
    """Return one lead; raise NotFound."""
    page = await list_leads(engine, LeadFilter(lead_id=lead_id), limit=1)
    if not page.rows:
        raise NotFound(f"there is no lead {lead_id}; `dialer leads list` shows the leads and their ids.")
    return page.rows[0]


async def campaigns_with_leads(engine: AsyncEngine) -> Sequence[Named]:
    """List the campaigns that have lead data, by name (S0-4)."""
    holds = select(Lead.id).where(Lead.campaign_id == Campaign.id).exists()
    return await _named(engine, select(Campaign.id, Campaign.name).where(holds).order_by(Campaign.name))


async def lists_with_leads(engine: AsyncEngine, campaign_id: int) -> Sequence[Named]:
    """List the lists of a campaign that hold lead data, by name (S0-5)."""
    holds = select(Lead.id).where(Lead.list_id == LeadList.id).exists()
    found = select(LeadList.id, LeadList.name).where(LeadList.campaign_id == campaign_id, holds)
    return await _named(engine, found.order_by(LeadList.name, LeadList.id))


async def _named(engine: AsyncEngine, query: Select[int, str]) -> Sequence[Named]:
    async with readers(engine).connect() as db:
        return [Named(row[0], row[1]) for row in await db.execute(query)]


def _conditions(wanted: LeadFilter) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if wanted.phone:
        where.append(_phone_is(wanted.phone))
    if wanted.statuses:
        where.append(_status_in(wanted.statuses))
    if wanted.states:
        where.append(Lead.state.in_([state.value for state in wanted.states]))
    if wanted.text:
        where.append(_text_in(wanted.text))
    for column, value in (
        (Lead.campaign_id, wanted.campaign_id), (Lead.list_id, wanted.list_id), (Lead.id, wanted.lead_id)
    ):  # fmt: skip
        if value is not None:
            where.append(column == value)
    if wanted.after_id is not None:
        where.append(Lead.id > wanted.after_id)
    if wanted.added_from is not None:
        where.append(Lead.added_at >= wanted.added_from)
    if wanted.added_to is not None:
        where.append(Lead.added_at < wanted.added_to)
    return where


def _phone_is(text: str) -> ColumnElement[bool]:
    """Match the number however it is written; a part of one matches the numbers that end with it."""
    found = parse_phone(text, migrate_2018=True)
    if isinstance(found, Phone):
        return Lead.phone_e164 == found.e164
    digits = "".join(c for c in text if c in "0123456789")
    if not digits:
        raise BadInput(f"phone: there is no digit in {text!r}; write a number, or the end of one.")
    return Lead.phone_e164.endswith(digits)


def _status_in(statuses: frozenset[str]) -> ColumnElement[bool]:
    unknown = statuses - _STATUS_PLACE.keys() - {NEVER_CALLED}
    if unknown:
        raise BadInput(f"unknown status {min(unknown)!r}; use one of: {', '.join((*_STATUS_PLACE, NEVER_CALLED))}.")
    called = Lead.last_status.in_(statuses - {NEVER_CALLED})
    return or_(called, Lead.last_status.is_(None)) if NEVER_CALLED in statuses else called


def _text_in(text: str) -> ColumnElement[bool]:
    text = text.strip()
    digits = "".join(c for c in text if c in "0123456789").lstrip("0")
    found = [Customer.name_sort.contains(fold(text), autoescape=True), Customer.code == text.upper()]
    if digits:
        found.append(Lead.phone_e164.contains(digits))
    return or_(*found)


def _ordered(query: Select[*tuple[Any, ...]], order: LeadOrder) -> Select[*tuple[Any, ...]]:
    match order:
        case LeadOrder.NEWEST:
            return query.order_by(Lead.added_at.desc(), Lead.id.desc())
        case LeadOrder.LAST_CALL:
            return query.order_by(Lead.last_call_at.desc().nulls_last(), Lead.id)
        case LeadOrder.LAST_STATUS:
            place = case(_STATUS_PLACE, value=Lead.last_status, else_=len(_STATUS_PLACE))
            return query.order_by(place, Lead.id)
        case LeadOrder.NAME:
            return query.order_by(Customer.name_sort, Lead.id)
        case LeadOrder.DEFAULT:
            return query.order_by(Lead.id)


async def _calls(db: AsyncConnection, phones: Sequence[str]) -> dict[str, int]:
    query = select(Attempt.phone_e164, func.count()).where(Attempt.phone_e164.in_(set(phones)))
    return {row[0]: row[1] for row in await db.execute(query.group_by(Attempt.phone_e164))}


async def _comments(db: AsyncConnection, customers: Sequence[int]) -> dict[int, str]:
    latest = select(func.max(Comment.id)).where(Comment.customer_id.in_(set(customers))).group_by(Comment.customer_id)
    query = select(Comment.customer_id, Comment.text).where(Comment.id.in_(latest))
    return {row[0]: row[1] for row in await db.execute(query)}


def _lead_row(row: Row[Any], calls: dict[str, int], comments: dict[int, str]) -> LeadRow:
    status = CallStatus(row.last_status) if row.last_status is not None else None
    return LeadRow(
        lead_id=row.lead_id,
        customer_id=row.customer_id,
        code=row.code,
        name=row.name,
        phone=row.phone_e164,
        status_code=row.disposition or code(status),
        status=status,
        calls=calls.get(row.phone_e164, 0),
        comment=comments.get(row.customer_id) or row.note,
        campaign_id=row.campaign_id,
        campaign=row.campaign,
        list_id=row.list_id,
        list_name=row.list_name,
        agent=row.agent_name,
        state=LeadState(row.state),
        pending=row.pending,
        reconcile=row.reconcile,
        added_at=row.added_at,
        call_at=row.call_at,
        callback_at=row.callback_at,
        next_at=row.next_at,
        last_call_at=row.last_call_at,
    )
