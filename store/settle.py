"""Write an attempt's result once, and what it means for the lead: T6 to T14, T26 with T16 and T21 (statuses.md 3.2)."""

from __future__ import annotations

import logging
from typing import Final

import msgspec

from cdr.encode import Heard, attempt_settled, disposition_set
from dialer.core.effects import SettleAttempt, SettleLead
from dialer.core.types import AttemptRecord, Direction, Fence, HoldReason, LeadResult
from statuses.classify import Verdict
from statuses.lead import AGENTS_SAY, ErrorKind, IllegalTransition, LeadStep, Trigger, step
from statuses.outcomes import LocalError
from store.attempts import may_finish
from store.book import Book
from store.inbound import ASKED, add_callback, settle_inbound, step_in
from store.rows import AttemptRow, Ban, LeadRow
from store.rules import DAY_S, spoke_to_person, waited_s

_LOG: Final = logging.getLogger(__name__)
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(AttemptRecord)
_HEARD: Final = msgspec.json.Decoder(Heard)


def settle_attempt(book: Book, fence: Fence, effect: SettleAttempt) -> None:
    """Write the final CDR of an attempt; a second settlement, or one by an owner that lost the campaign, is ignored."""
    record = effect.record
    row = _find(book, fence, record.call_id)
    if row is None or row.settled:
        return
    events = attempt_settled(record, book.ref(row.campaign_id))  # whatever cannot be told must change nothing
    _finish(row, record)
    book.journal.attempts.add(row.call_id)
    book.journal.events.extend(events)
    dial = book.dials.get(row.phone, {}).get(row.call_id)
    if dial is not None:
        dial.open, dial.reached = False, row.rang or row.lost
    _lock_out(book, row)
    if row.bridged_at is not None and row.phone:
        book.journal.talked[row.phone] = (row.agent_id, record.ended_at)
    lead = book.leads.get(row.lead_id)
    if row.direction == Direction.INBOUND:
        settle_inbound(book, row, lead, record)
    elif lead is not None:
        _settle_lead_of(book, lead, record)


def settle_lead(book: Book, fence: Fence, effect: SettleLead, now: float) -> None:
    """Write what the agent's wrap-up means for the lead, once."""
    result = effect.result
    if result.trigger not in AGENTS_SAY | {Trigger.NO_SUCCESS}:  # no word about a talk: the lead must not hang on it
        result = msgspec.structs.replace(result, trigger=Trigger.ANSWERED)
    row = _find(book, fence, result.call_id)
    if row is None or row.lead_done:
        return
    if row.record is None:
        book.journal.failures.append((result.call_id, LookupError("the wrap-up of a call that was not settled yet")))
        return
    record = _DECODER.decode(row.record)
    heard = Heard() if row.recording is None else _HEARD.decode(row.recording)
    event = disposition_set(result, record, now, book.ref(row.campaign_id), heard)
    row.lead_done, row.note = True, result.note or row.note
    if record.recorded:  # the events about its recording repeat both
        row.result = _ENCODER.encode(result)
    else:
        row.record = None
    book.journal.attempts.add(row.call_id)
    book.journal.events.append(event)
    lead = book.leads.get(row.lead_id)
    if lead is None:
        return
    inbound = row.direction == Direction.INBOUND
    moved = step_in(book, lead, result.trigger) if inbound else _step(book, lead, result.call_id, result.trigger, None)
    if moved is not None:
        _apply_result(book, lead, result, moved, now)
    elif inbound:
        _remember(book, row, lead, result, now)


def _find(book: Book, fence: Fence, call_id: str) -> AttemptRow | None:
    row = book.attempts.get(call_id)
    if row is None:
        book.journal.failures.append((call_id, LookupError("the result of a call that was never begun")))
        return None
    if not may_finish(book, fence, row):
        # Its present owner finds it among the open attempts and settles it.
        _LOG.warning("a result came too late", extra={"action": "settle_fenced", "call_id": call_id})
        return None
    return row


def _finish(row: AttemptRow, record: AttemptRecord) -> None:
    facts, verdict = record.facts, record.verdict
    wanted = record.lead_trigger is None or record.recorded
    row.record = _ENCODER.encode(record) if wanted else None
    row.originated_at, row.ringing_at, row.answered_at = record.originated_at, record.ringing_at, record.answered_at
    row.bridged_at, row.ended_at, row.agent_id = record.bridged_at, record.ended_at, record.agent_id
    row.settled, row.lead_done = True, record.lead_trigger is not None
    row.rang = facts.rang or facts.answered or record.ringing_at is not None or record.answered_at is not None
    row.lost = facts.local_error is LocalError.LOST
    row.status, row.rule, row.attribution = verdict.status.value, verdict.rule, verdict.attribution.value
    row.sub_reason, row.counts = verdict.sub_reason, verdict.counts
    row.cancel_reason = None if verdict.cancel_reason is None else verdict.cancel_reason.value
    row.sip_status, row.q850 = facts.sip_status, facts.q850
    row.ended_by = None if facts.ended_by is None else facts.ended_by.value


def _settle_lead_of(book: Book, lead: LeadRow, record: AttemptRecord) -> None:
    _count(lead, record.verdict, record.lead_trigger)
    if record.bridged_at is not None and record.agent_id is not None:
        lead.agent_name = record.agent_id
    book.journal.leads.add(lead.id)
    if record.lead_trigger is None:
        return  # the agent is in wrap-up: SettleLead follows
    moved = _step(book, lead, record.call_id, record.lead_trigger, record.error_kind)
    if moved is not None:
        _plan(lead, record.lead_trigger, record.next_at)
        book.move(lead, moved, record.lead_trigger, agent=record.agent_id, at=record.ended_at)


def _count(lead: LeadRow, verdict: Verdict, trigger: Trigger | None) -> None:
    lead.last_status = verdict.status.value
    lead.attempts += verdict.counts
    if trigger is Trigger.ERROR and not verdict.counts:
        lead.error_attempts += 1
    if trigger is not Trigger.VOIDED:
        seen = lead.status_attempts.get(lead.last_status, 0)
        lead.status_attempts = {**lead.status_attempts, lead.last_status: seen + 1}


def _remember(book: Book, row: AttemptRow, lead: LeadRow, result: LeadResult, now: float) -> None:
    """Keep what an agent agreed with a customer whose lead cannot take it now: it is in a call of ours."""
    if result.trigger is Trigger.DO_NOT_RECALL:
        _ban(book, lead, now)
    elif result.trigger is Trigger.CALLBACK_ASKED:
        due = now if result.callback_at is None else result.callback_at
        add_callback(book, row, due, ASKED, result.agent_id)


def _apply_result(book: Book, lead: LeadRow, result: LeadResult, moved: LeadStep, now: float) -> None:
    _plan(lead, result.trigger, result.next_at)
    lead.disposition = result.disposition or lead.disposition
    lead.agent_name = result.agent_id or lead.agent_name
    if result.trigger is Trigger.CALLBACK_ASKED:
        lead.callback_at = now if result.callback_at is None else result.callback_at
        lead.callback_agent = result.agent_id
    elif result.trigger is Trigger.DO_NOT_RECALL:
        _ban(book, lead, now)
    book.move(lead, moved, result.trigger, agent=result.agent_id, at=now)


def _step(book: Book, lead: LeadRow, call_id: str, trigger: Trigger, kind: ErrorKind | None) -> LeadStep | None:
    try:
        return step(book.facts(lead), trigger, error_kind=kind)
    except IllegalTransition as error:  # the CDR stands; the lead was changed behind our back
        book.journal.failures.append((call_id, error))
        return None


def _plan(lead: LeadRow, trigger: Trigger, next_at: float | None) -> None:
    if trigger is Trigger.VOIDED:
        # Back to where it was: only a brake keeps it from being dialed again in the same second.
        lead.held_until, lead.held_reason = next_at, None if next_at is None else HoldReason.RETRY_NOT_DUE.value
    elif trigger is not Trigger.WORKER_LOST:
        lead.next_at = next_at
        lead.callback_at = lead.callback_agent = None


def _lock_out(book: Book, row: AttemptRow) -> None:
    """Keep every campaign from calling a person who was just abandoned, as long as the law says."""
    settings = book.campaigns[row.campaign_id].settings
    legal = settings.legal
    if legal.lockout_s <= 0 or row.ended_at is None:
        return
    if spoke_to_person(row, settings.kind) and waited_s(row) > legal.connect_within_s:
        reason = f"an abandoned call: nobody calls for {legal.lockout_s / 3600:g} h (law {legal.law})"
        ban = Ban(phone=row.phone, kind="no_recall", until=row.ended_at + legal.lockout_s, reason=reason)
        book.bans.setdefault(row.phone, []).append(ban)
        book.journal.bans.append(ban)


def _ban(book: Book, lead: LeadRow, now: float) -> None:
    days = book.campaigns[lead.campaign_id].settings.no_recall_days
    if days <= 0:
        return
    ban = Ban(
        phone=lead.phone,
        kind="no_recall",
        except_campaign_id=lead.campaign_id,
        until=now + days * DAY_S,
        reason="asked not to be called again",
    )
    book.bans.setdefault(lead.phone, []).append(ban)
    book.journal.bans.append(ban)
