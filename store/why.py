"""Say why leads are not dialed: each lead of a campaign under one reason, or None when it may be dialed now."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, null, or_, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.core.caps import caps_in_force
from dialer.core.types import CampaignSettings, Direction, HoldReason
from dialer.errors import NotFound
from statuses.lead import ErrorKind, LeadState
from store.batch import Touched
from store.leases import guard
from store.load import ATTEMPTS, BANS, CAMPAIGNS, LEADS, LISTS, campaigns_query, info_of, load
from store.models import BUSY, UNFINISHED
from store.open import readers
from store.rules import DAY_S, Hold
from store.rules import lead_hold as own_hold

_S, _R = LeadState, HoldReason
_STATES: Final = (
    (_S.DNC, _R.DNC),
    (_S.BLACKLISTED, _R.BLACKLIST),
    (_S.PAUSED, _R.PAUSED_LEAD),
    (_S.IN_PROGRESS, _R.IN_PROGRESS),
    (_S.SUCCESS, _R.FINISHED),
    (_S.DO_NOT_RECALL, _R.FINISHED),
    (_S.RETRY_EXHAUSTED, _R.MAX_ATTEMPTS),
)
_Case = tuple[ColumnElement[bool], ColumnElement[Any]]


async def lead_holds(engine: AsyncEngine, campaign_id: int, now: float) -> dict[HoldReason | None, int]:
    """Count the campaign's leads by what holds them back; the counts sum to the number of its leads.

    None: nothing stands against dialing them now, or an engine has them in its hopper. The first reason that applies
    counts, in the order in which the guards ask: the lead, its list, its times, then its number.
    """
    async with readers(engine).connect() as connection:
        return await connection.run_sync(_count, campaign_id, now)


async def lead_hold(engine: AsyncEngine, lead_id: int, now: float) -> tuple[HoldReason | None, float | None]:
    """Say what holds one lead back and until when (None: it does not end by itself). Raises NotFound."""
    async with readers(engine).connect() as connection:
        hold = await connection.run_sync(_one, lead_id, now)
    return (None, None) if hold is None else (hold.reason, hold.until)


def _one(connection: Connection, lead_id: int, now: float) -> Hold | None:
    query = select(LEADS.c.campaign_id, LEADS.c.phone_e164).where(LEADS.c.id == lead_id)
    found = connection.execute(query).one_or_none()
    if found is None:
        raise NotFound(f"there is no lead with the id {lead_id}; it may have been removed from its campaign")
    keys = Touched(campaigns={found.campaign_id}, leads={lead_id}, phones={found.phone_e164})
    book = load(connection, keys, now=now)
    lead = book.leads[lead_id]
    if lead.lease_owner is None:
        return guard(book, lead, now, leases=True)
    settings = book.campaigns[lead.campaign_id].settings  # in a hopper: the number was looked at for the lease
    active = book.lists.get(lead.list_id, False)
    return own_hold(lead, list_active=active, max_attempts=settings.retry.max_attempts, now=now)


def _count(connection: Connection, campaign_id: int, now: float) -> dict[HoldReason | None, int]:
    row = connection.execute(campaigns_query().where(CAMPAIGNS.c.id == campaign_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no campaign with the id {campaign_id}; it may have been deleted")
    settings = info_of(row).settings
    reason = case(*_lead_cases(settings, now), *_number_cases(settings, now), else_=null())
    rows = LEADS.join(LISTS, LISTS.c.id == LEADS.c.list_id)
    query = select(reason, func.count()).select_from(rows).where(LEADS.c.campaign_id == campaign_id).group_by(reason)
    return {None if name is None else HoldReason(name): count for name, count in connection.execute(query)}


def _is(reason: HoldReason) -> ColumnElement[Any]:
    return literal(reason.value)


def _lead_cases(settings: CampaignSettings, now: float) -> list[_Case]:
    """Mirror `store.rules.lead_hold`."""
    lead = LEADS.c
    wrong_number = func.coalesce(lead.error_kind, ErrorKind.NUMBER.value) == ErrorKind.NUMBER.value
    counted = lead.state.in_((_S.NOT_CALLED.value, _S.CALLED_NO_SUCCESS.value))
    return [
        (and_(lead.state == _S.CALL_ERROR.value, wrong_number), _is(_R.FINISHED)),
        *((lead.state == state.value, _is(reason)) for state, reason in _STATES),
        (lead.reconcile, _is(_R.RECONCILE)),
        (~LISTS.c.active, _is(_R.LIST_OFF)),
        (and_(counted, lead.attempts >= settings.retry.max_attempts), _is(_R.MAX_ATTEMPTS)),
        *_time_cases(now),
        (lead.held_until > now, func.coalesce(lead.held_reason, _R.SUPPRESSED.value)),
    ]


def _time_cases(now: float) -> list[_Case]:
    lead = LEADS.c
    new, callback = lead.state == _S.NOT_CALLED.value, lead.state == _S.CALLBACK.value
    retry = ~or_(new, callback)
    return [
        (and_(new, lead.call_at > now), _is(_R.SCHEDULED)),
        (and_(callback, or_(lead.callback_at.is_(None), lead.callback_at > now)), _is(_R.CALLBACK_NOT_DUE)),
        (and_(retry, lead.next_at.is_(None)), _is(_R.FINISHED)),
        (and_(retry, lead.next_at > now), _is(_R.RETRY_NOT_DUE)),
    ]


def _number_cases(settings: CampaignSettings, now: float) -> list[_Case]:
    """Mirror `ban_hold` and `number_hold` for the leads that are left; leased ones have passed them."""
    phone = LEADS.c.phone_e164
    return [
        (LEADS.c.lease_owner.is_not(None), null()),
        (_banned(settings.campaign_id, now, "dnc"), _is(_R.DNC)),
        (_banned(settings.campaign_id, now, "blacklist"), _is(_R.BLACKLIST)),
        (_banned(settings.campaign_id, now, "no_recall"), _is(_R.SUPPRESSED)),
        (or_(phone.in_(_taken()), phone.in_(_in_call())), _is(_R.NUMBER_IN_FLIGHT)),
        (phone.in_(_capped(settings, now)), _is(_R.NUMBER_CAP)),
    ]


def _banned(campaign_id: int, now: float, kind: str) -> ColumnElement[bool]:
    ban = BANS.c
    applies = and_(
        ban.kind == kind,
        ban.scope != "messages",
        or_(ban.campaign_id.is_(None), ban.campaign_id == campaign_id),
        or_(ban.except_campaign_id.is_(None), ban.except_campaign_id != campaign_id),
        or_(ban.until.is_(None), ban.until > now),
    )
    return LEADS.c.phone_e164.in_(select(ban.phone_e164).where(applies))


def _taken() -> Any:
    return select(LEADS.alias("other").c.phone_e164).where(text(BUSY))


def _in_call() -> Any:
    return select(ATTEMPTS.c.phone_e164).where(text(UNFINISHED), ~ATTEMPTS.c.settled)


def _capped(settings: CampaignSettings, now: float) -> Any:
    attempt, caps = ATTEMPTS.c, caps_in_force(settings)
    counted = [attempt.begun_at > now - DAY_S, attempt.direction == Direction.OUTBOUND.value]
    if not caps.strict:
        counted.append(or_(attempt.rang, attempt.lost))
    if caps.per_24h <= 0:
        return select(LEADS.alias("all").c.phone_e164)
    reached = func.count() >= caps.per_24h
    return select(attempt.phone_e164).where(*counted).group_by(attempt.phone_e164).having(reached)
