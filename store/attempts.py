"""Begin attempts after the last guards, and note their progress (architecture.md 3, write-ahead dialing)."""

from __future__ import annotations

from cdr.encode import attempt_begun, attempt_suppressed
from dialer.core.effects import BeginAttempts, RecordProgress
from dialer.core.events import AttemptsBegun
from dialer.core.types import AttemptIntent, Fence, HoldReason, Refusal
from statuses.lead import IllegalTransition, Trigger, step
from store.book import Book
from store.leases import guard, refuse
from store.rows import AttemptRow, Dial, LeadRow
from store.rules import Hold

_TELL = frozenset({HoldReason.DNC, HoldReason.BLACKLIST, HoldReason.SUPPRESSED, HoldReason.NUMBER_CAP})
"""Refusals that call records show (attempt.suppressed)."""
_BRAKED = _TELL | {HoldReason.NUMBER_IN_FLIGHT}


def begin(book: Book, fence: Fence, effect: BeginAttempts, now: float) -> AttemptsBegun:
    """Make the intents attempts; under a stale fence all are refused as FENCED."""
    stale = book.campaign(fence) is None
    begun: list[str] = []
    refused: list[Refusal] = []
    for intent in effect.intents:
        reason = HoldReason.FENCED if stale else _begin_one(book, fence, intent, now)
        if reason is None:
            begun.append(intent.call_id)
        else:
            refused.append(Refusal(intent.call_id, intent.lead_id, reason))
    return AttemptsBegun(tuple(begun), tuple(refused))


def _begin_one(book: Book, fence: Fence, intent: AttemptIntent, now: float) -> HoldReason | None:
    known = book.attempts.get(intent.call_id)
    if known is not None:  # the same batch again, after an answer that got lost
        return None if known.lead_id == intent.lead_id and not known.settled else HoldReason.IN_PROGRESS
    lead = book.leads.get(intent.lead_id)
    if lead is None or lead.campaign_id != fence.campaign_id:
        return HoldReason.GONE
    mine = lead.lease_owner == fence.owner and lead.lease_epoch == fence.epoch
    hold = guard(book, lead, now, leases=False, by_hand=intent.by_hand)
    if hold is not None:
        if mine:
            _turn_away(book, lead, intent, hold, now)
        return hold.reason
    if not mine:
        return HoldReason.FENCED
    if lead.phone != intent.phone:  # a person corrected the number since the lease
        book.free(lead)
        return HoldReason.GONE
    return _write_down(book, fence, lead, intent)


def _turn_away(book: Book, lead: LeadRow, intent: AttemptIntent, hold: Hold, now: float) -> None:
    if hold.reason in _TELL:
        book.journal.events.append(attempt_suppressed(intent, hold.reason, now, book.ref(lead.campaign_id)))
    if hold.reason in _BRAKED:
        refuse(book, lead, hold, now)
    else:
        book.free(lead)


def _write_down(book: Book, fence: Fence, lead: LeadRow, intent: AttemptIntent) -> HoldReason | None:
    if intent.attempt_no != lead.dialed + 1:
        error = ValueError(f"attempt {intent.attempt_no} of lead {lead.id}, which has been dialed {lead.dialed} times")
        return _fail(book, lead, intent, error)
    try:
        moved = step(book.facts(lead), Trigger.PICKED)
    except IllegalTransition as error:
        return _fail(book, lead, intent, error)
    event = attempt_begun(intent, book.ref(lead.campaign_id))
    lead.dialed, lead.last_call_at, lead.last_hotline = lead.dialed + 1, intent.begun_at, intent.hotline
    book.journal.events.append(event)
    book.move(lead, moved, Trigger.PICKED, at=intent.begun_at)
    book.attempts[intent.call_id] = attempt_row(fence, intent)
    book.dials.setdefault(intent.phone, {})[intent.call_id] = Dial(intent.begun_at, open=True, reached=True)
    book.journal.begun.add(intent.call_id)
    return None


def _fail(book: Book, lead: LeadRow, intent: AttemptIntent, error: Exception) -> HoldReason:
    book.journal.failures.append((intent.call_id, error))
    book.free(lead)
    return HoldReason.GONE


def attempt_row(fence: Fence, intent: AttemptIntent) -> AttemptRow:
    """Return the row of an attempt that begins."""
    return AttemptRow(
        call_id=intent.call_id,
        campaign_id=fence.campaign_id,
        lead_id=intent.lead_id,
        list_id=intent.list_id,
        customer_id=intent.customer_id,
        phone=intent.phone,
        hotline=intent.hotline,
        trunk=intent.trunk,
        attempt_no=intent.attempt_no,
        owner_epoch=fence.epoch,
        begun_at=intent.begun_at,
        direction=intent.direction.value,
    )


def progress(book: Book, fence: Fence, effect: RecordProgress) -> None:
    """Note that a person answered, or was bridged; nothing changes once the attempt is settled."""
    row = book.attempts.get(effect.call_id)
    if row is None:
        book.journal.failures.append((effect.call_id, LookupError("progress of a call that was never begun")))
        return
    if row.settled or not may_finish(book, fence, row):
        return
    if row.answered_at is None:
        row.answered_at = effect.at
    if effect.agent_id is not None:
        row.bridged_at, row.agent_id = effect.at, effect.agent_id
    book.journal.attempts.add(row.call_id)


def may_finish(book: Book, fence: Fence, row: AttemptRow) -> bool:
    """Tell whether this owner may write the result: it began the attempt, or owns the campaign now."""
    return row.campaign_id == fence.campaign_id and (row.owner_epoch == fence.epoch or book.campaign(fence) is not None)
