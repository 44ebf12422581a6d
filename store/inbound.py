"""Calls of customers to us: matched to a lead, written down, and what they mean for it; none counts as an attempt."""

from __future__ import annotations

from typing import Final

from cdr.encode import attempt_begun
from dialer.core.effects import BeginInbound
from dialer.core.events import InboundBegun
from dialer.core.kinds import names_fields
from dialer.core.types import AttemptIntent, AttemptRecord, Direction, Fence, HoldReason
from statuses.lead import TERMINAL, IllegalTransition, LeadStep, Trigger, called_in, step
from store.attempts import attempt_row
from store.book import Book
from store.leases import lent
from store.rows import AttemptRow, CallbackRow, Dial, LeadRow
from store.rules import ban_hold

MISSED: Final = "missed_call"
ASKED: Final = "asked"
_ADDED: Final = {HoldReason.DNC: Trigger.ADDED_DNC, HoldReason.BLACKLIST: Trigger.ADDED_BLACKLISTED}


def begin_inbound(book: Book, fence: Fence, effect: BeginInbound, now: float) -> InboundBegun:
    """Find or make the lead of who calls and write the call down; nothing under a stale fence.

    The lead keeps its state: it may be due, leased, held, at its end, or in a call of ours at this moment.
    """
    if book.campaign(fence) is None:
        return InboundBegun(effect.call_id, None, None)
    known = book.attempts.get(effect.call_id)
    if known is not None:  # the same batch again, after an answer that got lost
        lead = book.leads.get(known.lead_id)
    else:
        lead = _match(book, fence.campaign_id, effect.phone) or _newcomer(book, fence.campaign_id, effect.phone, now)
    if lead is None or (known is not None and known.settled):
        return InboundBegun(effect.call_id, None, None)
    intent = _intent(effect, lead)
    if known is None:
        _write_down(book, fence, lead, intent)
    if book.people is not None and not lead.name:
        lead.name = book.people.name(lead.customer_id)
    if book.people is not None and names_fields(book.campaigns[fence.campaign_id].settings):
        lead.fields = book.people.fields(lead.customer_id)
    return InboundBegun(effect.call_id, intent, lent(lead))


def _match(book: Book, campaign_id: int, phone: str) -> LeadRow | None:
    """Return the lead of a number: one that is not at its end first, then the one that was called last."""
    others = book.matches.get((campaign_id, phone), frozenset())
    found = [
        lead
        for lead in book.leads.values()
        if lead.campaign_id == campaign_id and (lead.phone == phone or lead.id in others)
    ]
    return min(found, key=lambda lead: (lead.state in TERMINAL, -(lead.last_call_at or 0.0), lead.id), default=None)


def _newcomer(book: Book, campaign_id: int, phone: str, now: float) -> LeadRow:
    """Put who is on no list of the campaign on its list "Inbound"; who withholds the number is never dialed."""
    if book.people is None:
        raise RuntimeError("a call arrived in a batch that was loaded without its caller")
    customer_id, name = book.people.customer(phone, now)
    list_id = book.people.inbound_list(campaign_id, now)
    lead = LeadRow(book.people.lead_id(), customer_id, campaign_id, list_id, phone, name)
    hold = ban_hold(book.bans.get(phone, ()), campaign_id, now)
    book.admit(lead, Trigger.ADDED if hold is None else _ADDED.get(hold.reason, Trigger.ADDED), at=now)
    if not phone:
        book.move(lead, step(book.facts(lead), Trigger.PAUSE), Trigger.PAUSE, at=now)
    return lead


def _intent(effect: BeginInbound, lead: LeadRow) -> AttemptIntent:
    return AttemptIntent(
        call_id=effect.call_id,
        lead_id=lead.id,
        customer_id=lead.customer_id,
        list_id=lead.list_id,
        phone=effect.phone,
        hotline=effect.hotline,
        trunk=effect.trunk,
        attempt_no=0,
        begun_at=effect.at,
        direction=Direction.INBOUND,
    )


def _write_down(book: Book, fence: Fence, lead: LeadRow, intent: AttemptIntent) -> None:
    event = attempt_begun(intent, book.ref(lead.campaign_id))
    lead.called_in += 1
    row = attempt_row(fence, intent)
    row.attempt_no = -lead.called_in
    book.attempts[intent.call_id] = row
    book.journal.leads.add(lead.id)
    book.journal.begun.add(intent.call_id)
    book.journal.events.append(event)
    if intent.phone:  # nobody calls a person who calls us
        dial = Dial(intent.begun_at, open=True, reached=False, ours=False)
        book.dials.setdefault(intent.phone, {})[intent.call_id] = dial


def settle_inbound(book: Book, row: AttemptRow, lead: LeadRow | None, record: AttemptRecord) -> None:
    """Say what a call of theirs that is over means for the lead; a missed one is a callback for people, too."""
    trigger = record.lead_trigger
    if trigger is Trigger.MISSED_CALL and row.phone:
        add_callback(book, row, record.ended_at, MISSED)
    if lead is None:
        return
    if row.bridged_at is not None:
        lead.agent_name = row.agent_id or lead.agent_name
        book.journal.leads.add(lead.id)
    moved = None if trigger is None else step_in(book, lead, trigger)
    if trigger is None or moved is None:
        return  # the agent is in wrap-up and `SettleLead` follows, or the lead's state stays
    lead.next_at = lead.callback_agent = None
    lead.callback_at = record.ended_at if trigger is Trigger.MISSED_CALL else None
    book.move(lead, moved, trigger, agent=record.agent_id, at=record.ended_at)


def step_in(book: Book, lead: LeadRow, trigger: Trigger) -> LeadStep | None:
    """Return what a call of theirs does to the lead; None: its state does not allow it, and stays."""
    try:
        return called_in(book.facts(lead), trigger)
    except IllegalTransition:
        return None


def add_callback(book: Book, row: AttemptRow, due_at: float, reason: str, agent: str | None = None) -> None:
    """Have people call a customer back."""
    book.journal.callbacks.append(
        CallbackRow(row.campaign_id, row.lead_id, row.customer_id, row.phone, due_at, reason, agent)
    )
