"""Let a person release leads whose last call has no known outcome (statuses.md 3.2, T26)."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.lead_actions import in_transaction, touch_campaigns, write_back
from statuses.lead import ErrorKind, LeadState, LeadStep, Trigger
from store.batch import Touched
from store.load import load
from store.models import Lead
from store.rows import LeadRow

_AT_ONCE = 1_000


async def release_reconciled(engine: AsyncEngine, campaign_id: int, *, now: float) -> int:
    """Make the campaign's leads with an unknown last call dialable again; return how many there were.

    The dialer never does this by itself: the person may have been called already.
    """
    released = 0
    while done := await in_transaction(engine, lambda db: _release_some(db, campaign_id, now)):
        released += done
    return released


def _release_some(db: Connection, campaign_id: int, now: float) -> int:
    waits = select(Lead.id).where(Lead.campaign_id == campaign_id, Lead.reconcile).order_by(Lead.id).limit(_AT_ONCE)
    ids = set(db.execute(waits).scalars())
    if not ids:
        return 0
    touch_campaigns(db, {campaign_id})
    book = load(db, Touched(campaigns={campaign_id}, leads=ids), now=now)
    for lead in book.leads.copy().values():
        if lead.next_at is None:
            lead.next_at = now
        book.move(lead, _released(lead), Trigger.START, at=now)
    write_back(db, book, now=now)
    return len(ids)


def _released(lead: LeadRow) -> LeadStep:
    """Return the lead's own state without the doubt; an error of unknown kind counts as the hotline's (T13)."""
    remembered = None if lead.remembered is None else LeadState(lead.remembered)
    failed = LeadState.CALL_ERROR in (lead.state, remembered)
    pending = None if lead.pending is None else Trigger(lead.pending)
    kind = ErrorKind.HOTLINE if failed else None
    return LeadStep("T26", LeadState(lead.state), remembered, kind, pending, reconcile=False)
