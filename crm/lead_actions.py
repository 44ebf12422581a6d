"""What people do to one lead: pause, start, remove, appoint, comment (S4-15, S4-18 to S4-20; statuses.md 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.fields import WrongValue, text_of
from dialer.errors import BadInput, IllegalAction, NotFound
from statuses.lead import IllegalTransition, LeadState, Trigger, step
from store.batch import Touched
from store.book import Book
from store.load import load
from store.models import Campaign, Comment, Lead, Suppression
from store.outbox import append
from store.rows import Ban, LeadRow
from store.rules import ban_hold
from store.write import flush

T = TypeVar("T")
_comment_text = text_of(4000)


async def in_transaction(engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
    """Run `work` in one transaction of its own."""
    async with engine.begin() as db:
        return await db.run_sync(work)


async def pause_lead(engine: AsyncEngine, lead_id: int, *, now: float) -> LeadState:
    """Hold the lead (T15); in a call: after it (T16). Return the state now; raise NotFound or IllegalAction."""
    moved = await in_transaction(engine, lambda db: _act(db, lead_id, Trigger.PAUSE, now))
    return LeadState(moved.state)


async def start_lead(engine: AsyncEngine, lead_id: int, *, now: float) -> LeadState:
    """Let a paused lead go on (T17), unless its number is suppressed. Return the state; raise as `pause_lead`."""
    moved = await in_transaction(engine, lambda db: _act(db, lead_id, Trigger.START, now))
    return LeadState(moved.state)


async def remove_lead(engine: AsyncEngine, lead_id: int, *, now: float) -> bool:
    """Take the lead out of its campaign (T21); its call records stay. False: in a call, removed when that ends."""
    moved = await in_transaction(engine, lambda db: _act(db, lead_id, Trigger.REMOVE, now))
    return moved.pending != Trigger.REMOVE


def _act(db: Connection, lead_id: int, trigger: Trigger, now: float) -> LeadRow:
    campaign_id = db.execute(select(Lead.campaign_id).where(Lead.id == lead_id)).scalar_one_or_none()
    if campaign_id is None:
        raise no_such_lead(lead_id)
    touch_campaigns(db, {campaign_id})
    book = load(db, Touched(campaigns={campaign_id}, leads={lead_id}), now=now)
    lead = book.leads.get(lead_id)
    if lead is None:
        raise no_such_lead(lead_id)
    if trigger is Trigger.START:
        _refuse_suppressed(db, lead, now)
    move(book, lead, trigger, now=now)
    write_back(db, book, now=now)
    return lead


def write_back(db: Connection, book: Book, *, now: float) -> None:
    """Write what the book's journal names, and its events last."""
    flush(db, book, now=now)
    append(db, book.journal.events, now=now)


def move(book: Book, lead: LeadRow, trigger: Trigger, *, now: float) -> None:
    """Apply a person's trigger; during a call it only waits. Raises IllegalAction that says what is allowed."""
    try:
        moved = step(book.facts(lead), trigger)
    except IllegalTransition as error:
        raise IllegalAction(f"lead {lead.id}: {error}") from error
    if lead.state == LeadState.IN_PROGRESS:
        lead.pending = None if moved.pending is None else moved.pending.value
        book.journal.leads.add(lead.id)
    else:
        book.move(lead, moved, trigger, at=now)


def _refuse_suppressed(db: Connection, lead: LeadRow, now: float) -> None:
    hold = ban_hold(bans_of(db, lead.phone), lead.campaign_id, now)
    if hold is not None:
        raise IllegalAction(
            f"lead {lead.id}: its number is suppressed ({hold.reason}); take it off that list first "
            "(`dialer leads unsuppress`)."
        )


def bans_of(db: Connection, phone: str) -> list[Ban]:
    """Read the suppressions of a number."""
    columns = (
        Suppression.phone_e164, Suppression.kind, Suppression.scope, Suppression.campaign_id,
        Suppression.except_campaign_id, Suppression.until,
    )  # fmt: skip
    return [Ban(*row) for row in db.execute(select(*columns).where(Suppression.phone_e164 == phone))]


def touch_campaigns(db: Connection, campaign_ids: set[int]) -> None:
    """Tell the engines of these campaigns that people changed leads or settings; locks the rows, in order."""
    for campaign_id in sorted(campaign_ids):
        db.execute(update(Campaign).where(Campaign.id == campaign_id).values(revision=Campaign.revision + 1))


async def set_call_at(engine: AsyncEngine, lead_id: int, at: float | None, *, now: float) -> None:
    """Appoint when the lead is called out (S4-15), UTC epoch seconds; None = as soon as allowed (N8)."""

    def work(db: Connection) -> None:
        found = db.execute(select(Lead.campaign_id, Lead.state).where(Lead.id == lead_id)).one_or_none()
        if found is None:
            raise no_such_lead(lead_id)
        if found.state not in (LeadState.NOT_CALLED, LeadState.PAUSED):
            raise IllegalAction(f"lead {lead_id} is {found.state}; only a lead not called yet can be given a time.")
        touch_campaigns(db, {found.campaign_id})
        db.execute(update(Lead).where(Lead.id == lead_id).values(call_at=at))

    if at is not None and at < now - 366 * 86_400:
        raise BadInput(f"lead {lead_id}: the time to call is more than a year ago; check the date.")
    await in_transaction(engine, work)


async def add_comment(engine: AsyncEngine, lead_id: int, text: str, *, author: str, now: float) -> int:
    """Write a comment on the lead's customer (S0-13) and return its id."""
    clean = _comment(text)

    def work(db: Connection) -> int:
        customer_id = db.execute(select(Lead.customer_id).where(Lead.id == lead_id)).scalar_one_or_none()
        if customer_id is None:
            raise no_such_lead(lead_id)
        values = {"customer_id": customer_id, "lead_id": lead_id, "author": author, "text": clean, "created_at": now}
        return int(db.execute(insert(Comment).values(values).returning(Comment.id)).scalar_one())

    return await in_transaction(engine, work)


async def edit_comment(engine: AsyncEngine, comment_id: int, text: str) -> None:
    """Change a comment's words."""
    clean = _comment(text)

    def work(db: Connection) -> None:
        if not db.execute(update(Comment).where(Comment.id == comment_id).values(text=clean)).rowcount:
            raise NotFound(f"there is no comment {comment_id}; it may have been deleted with its customer.")

    await in_transaction(engine, work)


def _comment(text: str) -> str:
    try:
        clean = _comment_text(text)
    except WrongValue as error:
        raise BadInput(f"comment: {error.en}.") from error
    if clean is None:
        raise BadInput("comment: there is nothing in it; write something first.")
    return clean


def no_such_lead(lead_id: int) -> NotFound:
    """Make the error for an id that no lead has."""
    return NotFound(f"there is no lead {lead_id}; `dialer leads list` shows the leads and their ids.")
