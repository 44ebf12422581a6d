"""Close an attempt once: classify, decide the retry, say what it does to the lead."""

from __future__ import annotations

import msgspec

from dialer.core.calls import Call
from dialer.core.effects import SettleAttempt, SettleLead
from dialer.core.events import AgentWrappedUp, CallEnded
from dialer.core.state import EngineState
from dialer.core.types import AgentId, AttemptIntent, AttemptRecord, Direction, LeadResult, OpenAttempt, ScriptStep
from statuses.classify import AttemptFacts, Verdict, classify
from statuses.lead import ErrorKind, Trigger, trigger_for
from statuses.outcomes import CallStatus, EndedBy, LocalError
from statuses.retry import RetryDecision, decide

BENCH_S = 600.0
"""How long an alarmed hotline is not used (statuses.md A4, A6)."""


def judge(state: EngineState, call: Call, facts: AttemptFacts, now: float) -> Verdict:
    """Classify, and let a burst of refusals on one hotline turn the blame to the hotline."""
    verdict = classify(facts, state.overrides)
    alarm = state.monitor.note(call.intent.hotline, call.intent.phone, verdict, now)
    if alarm is not None:
        state.hotlines.bench(call.intent.hotline, now + BENCH_S)
    return state.monitor.reclassify(verdict, hotline=call.intent.hotline, now=now)


def retry(state: EngineState, call: Call, verdict: Verdict, talk_s: float, now: float) -> RetryDecision:
    """Ask the campaign's retry policy about this end."""
    lead = call.lead
    return decide(
        state.settings.retry,
        verdict,
        attempts=lead.attempts + verdict.counts,
        error_attempts=lead.error_attempts + (not verdict.counts),
        status_attempts=lead.status_attempts.get(verdict.status, 0) + 1,
        talk_s=talk_s,
        now=now,
    )


def settle(state: EngineState, call: Call, ended: CallEnded, now: float) -> AttemptRecord:
    """Emit the final record of a call; a talk with an agent leaves the lead to the wrap-up, a message does not (T6)."""
    facts, ended_at = call.facts(ended, now), call.when(ended.at, now)
    if call.inbound:
        return _settled(state, call, _taken(call, facts, ended_at))
    verdict = judge(state, call, facts, now)
    heard_from = call.answered_at if call.agentless else call.bridged_at
    talk_s = 0.0 if heard_from is None else ended_at - heard_from
    decision = retry(state, call, verdict, talk_s, now)
    trigger, kind = trigger_for(verdict)
    answered = verdict.status is CallStatus.ANSWERED
    if answered and decision.next_at is not None:
        trigger = Trigger.NO_SUCCESS  # too short (A11); of a talk, the agent's word decides
    state.totals.finished += 1
    record = msgspec.structs.replace(
        _of_call(call, facts, verdict, ended_at),
        lead_trigger=None if answered and not call.agentless else trigger, error_kind=kind,
        next_at=decision.next_at, retry_reason=decision.reason,
    )  # fmt: skip
    return _settled(state, call, record)


def _taken(call: Call, facts: AttemptFacts, now: float) -> AttemptRecord:
    """Make the record of a call that came to us: missed, or a talk that leaves the lead to the wrap-up."""
    record = _of_call(call, facts, classify(facts), now)
    if record.verdict.status is not CallStatus.ANSWERED:
        return msgspec.structs.replace(record, lead_trigger=Trigger.MISSED_CALL)
    return msgspec.structs.replace(record, lead_trigger=Trigger.ANSWERED if call.agentless else None)


def _of_call(call: Call, facts: AttemptFacts, verdict: Verdict, now: float) -> AttemptRecord:
    return msgspec.structs.replace(
        _record(call.intent, facts, verdict, now),
        started_at=call.originated_at if call.originated_at is not None else call.intent.begun_at,
        originated_at=call.originated_at, ringing_at=call.ringing_at, early_media_at=call.early_media_at,
        answered_at=call.answered_at, bridged_at=call.bridged_at,
        agent_id=call.talked_with,
        queued_at=call.queued_at, queue_left_at=call.queue_left_at or (now if call.queued_at is not None else None),
        offers=tuple(call.offers), recorded=call.recording is not None,
        steps=_steps(call, now),
    )  # fmt: skip


def _settled(state: EngineState, call: Call, record: AttemptRecord) -> AttemptRecord:
    call.record = record
    state.effects.append(SettleAttempt(record))
    return record


def _steps(call: Call, now: float) -> tuple[ScriptStep, ...]:
    if call.run is None:
        return ()
    call.run.leave(now)
    return tuple(call.run.steps)


def settle_lead(state: EngineState, call: Call, done: AgentWrappedUp, now: float) -> None:
    """Emit what the wrap-up means for the lead; a short talk without a word from the agent is retried (A11)."""
    record = call.record
    if record is None or record.lead_trigger is not None:
        return  # the end of the call has already said what becomes of the lead
    trigger, next_at = done.trigger, None
    if trigger is Trigger.ANSWERED and record.next_at is not None:
        trigger, next_at = Trigger.NO_SUCCESS, record.next_at
    state.effects.append(SettleLead(LeadResult(
        call_id=call.call_id, lead_id=call.lead.lead_id, trigger=trigger, agent_id=done.agent_id or None,
        wrap_s=max(0.0, now - record.ended_at), disposition=done.disposition, note=done.note,
        callback_at=done.callback_at, next_at=next_at,
    )))  # fmt: skip


def orphan_record(orphan: OpenAttempt, now: float) -> AttemptRecord:
    """Settle an attempt whose process died: bridged = Answered, else LOST and never redialed by itself (T26).

    Times that nobody saw end at `now`, the moment of the recovery.
    """
    bridged, inbound = orphan.bridged_at is not None, orphan.intent.direction is Direction.INBOUND
    facts = AttemptFacts(
        local_error=None if bridged else LocalError.LOST,
        answered=orphan.answered_at is not None,
        rang=orphan.answered_at is not None,
        agent_bridged=bridged,
        ended_by=EndedBy.DIALER,
        trunk=orphan.intent.trunk,
        inbound=inbound,
    )
    unbridged = (Trigger.MISSED_CALL, None) if inbound else (Trigger.WORKER_LOST, ErrorKind.RECONCILE)
    trigger, kind = (Trigger.ANSWERED, None) if bridged else unbridged
    return msgspec.structs.replace(
        _record(orphan.intent, facts, classify(facts), max(now, orphan.bridged_at or 0.0, orphan.answered_at or 0.0)),
        originated_at=orphan.intent.begun_at,
        answered_at=orphan.answered_at, bridged_at=orphan.bridged_at, agent_id=orphan.agent_id,
        lead_trigger=trigger, error_kind=kind, retry_reason="the dialer was restarted",
        recorded=orphan.answered_at is not None,  # nobody knows; if it was, the record is wanted
    )  # fmt: skip


def unfinished_talk(call_id: str, lead_id: int, agent_id: AgentId | None) -> LeadResult:
    """Finish a lead whose wrap-up the dialer did not live to see (T6, N1)."""
    return LeadResult(call_id=call_id, lead_id=lead_id, trigger=Trigger.ANSWERED, agent_id=agent_id, wrap_s=0.0)


def _record(intent: AttemptIntent, facts: AttemptFacts, verdict: Verdict, ended_at: float) -> AttemptRecord:
    return AttemptRecord(
        call_id=intent.call_id, lead_id=intent.lead_id, customer_id=intent.customer_id, list_id=intent.list_id,
        phone=intent.phone, hotline=intent.hotline, trunk=intent.trunk, attempt_no=intent.attempt_no,
        started_at=intent.begun_at, ended_at=ended_at, facts=facts, verdict=verdict, direction=intent.direction,
    )  # fmt: skip
