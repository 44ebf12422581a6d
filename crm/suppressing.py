"""Numbers that must not be called: put on the DNC list or the blacklist and taken off (T18 to T20, statuses.md 3.2)."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.lead_actions import bans_of, in_transaction, move, touch_campaigns, write_back
from crm.numbers import need_phone
from dialer.core.types import HoldReason
from statuses.lead import LeadState, Trigger, allowed
from store.batch import Touched
from store.book import Book
from store.load import load
from store.models import Lead, Suppression
from store.rows import LeadRow
from store.rules import ban_hold

Listing: TypeAlias = Literal["dnc", "blacklist"]
_TRIGGERS: Final = {HoldReason.DNC: Trigger.DNC, HoldReason.BLACKLIST: Trigger.BLACKLIST}
_STATES: Final = {HoldReason.DNC: LeadState.DNC, HoldReason.BLACKLIST: LeadState.BLACKLISTED}


async def suppress(engine: AsyncEngine, phone: str, kind: Listing, *, now: float, reason: str = "") -> int:
    """Put a number on a list, everywhere and for good; return how many leads it holds now.

    A lead in a call finishes it; the guards hold it before the next one. Raises BadInput for what is no number.
    """
    e164 = need_phone(phone)

    def work(db: Connection) -> int:
        known = any(ban.kind == kind and ban.campaign_id is None and ban.until is None for ban in bans_of(db, e164))
        if not known:
            values = {"phone_e164": e164, "kind": kind, "reason": reason, "created_at": now}
            db.execute(insert(Suppression).values(values))
        return _settle_leads(db, e164, now)

    return await in_transaction(engine, work)


async def unsuppress(engine: AsyncEngine, phone: str, kind: Listing, *, now: float) -> int:
    """Take a number off a list; return how many of its leads may go on (T20)."""
    e164 = need_phone(phone)

    def work(db: Connection) -> int:
        db.execute(delete(Suppression).where(Suppression.phone_e164 == e164, Suppression.kind == kind))
        return _settle_leads(db, e164, now)

    return await in_transaction(engine, work)


def _settle_leads(db: Connection, phone: str, now: float) -> int:
    """Bring every lead of the number in line with the lists that it is on; return how many moved."""
    query = select(Lead.id, Lead.campaign_id).where(Lead.phone_e164 == phone)
    leads = {row.id: row.campaign_id for row in db.execute(query)}
    if not leads:
        return 0
    touch_campaigns(db, set(leads.values()))
    book = load(db, Touched(campaigns=set(leads.values()), leads=set(leads)), now=now)
    bans = bans_of(db, phone)
    moved = 0
    for lead in sorted(book.leads.values(), key=lambda lead: lead.id):
        hold = ban_hold(bans, lead.campaign_id, now)
        moved += _follow(book, lead, hold.reason if hold is not None else None, now)
    write_back(db, book, now=now)
    return moved


def _follow(book: Book, lead: LeadRow, reason: HoldReason | None, now: float) -> bool:
    wanted = _STATES.get(reason) if reason is not None else None
    if lead.state == wanted:
        return False
    if wanted is None and lead.state in _STATES.values():
        move(book, lead, Trigger.UNLISTED, now=now)
        return True
    trigger = _TRIGGERS.get(reason) if reason is not None else None
    if trigger is None or trigger not in allowed(book.facts(lead)):
        return False  # finished, or in a call
    move(book, lead, trigger, now=now)
    return True
