"""Encode what happened as outbox events; pure, and on the store's hot path inside its transaction.

A disposition repeats the whole CDR. It is built from the `AttemptRecord` of the call alone, which the store keeps in
`attempts.record` from the settlement to the end of the wrap-up, so a restart between the two loses nothing.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from cdr.events import (
    MICROS,
    SCHEMA_VERSION,
    TENANT,
    AgentLeg,
    Announced,
    Cdr,
    Data,
    Detected,
    Ended,
    Envelope,
    EventType,
    Initiated,
    Ivr,
    LeadMoved,
    Nothing,
    Queue,
    Suppressed,
)
from dialer.core.ids import uuid7
from dialer.core.types import AttemptIntent, AttemptRecord, CampaignKind, Direction, HoldReason, LeadResult
from statuses.outcomes import STATUS_CODES, CancelReason, EndedBy

SOURCE: Final = "dialer"
FINALIZED: Final = 1
"""Version of the `calls` row that cdr.finalized writes."""
DISPOSED: Final = 2
"""Version of the `calls` row that disposition.set writes."""
PER_RECORDING: Final = 2
"""What each thing that happened to the recording adds to the version."""

_Step: TypeAlias = tuple[EventType, int, Data]
"""What happened, when (UTC microseconds), and its data."""
_MILLI: Final = 1_000
_NOTHING: Final = Nothing()
_LEAD_MOVED: Final = EventType.LEAD_STATE_CHANGED.value
_INBOUND: Final = Direction.INBOUND.value
_ENCODER: Final = msgspec.json.Encoder()
_APPS: Final = {
    CampaignKind.PREDICTIVE.value: "autodialer",
    CampaignKind.PROGRESSIVE.value: "autodialer",
    CampaignKind.RATIO.value: "autodialer",
    CampaignKind.PREVIEW.value: "click_to_call",
    CampaignKind.MANUAL.value: "dial",
    CampaignKind.AUTODIALER.value: "autocall",
    CampaignKind.INBOUND.value: "inbound",
}
APPLICATIONS: Final = tuple(sorted(set(_APPS.values())))
"""What `app` of a call can be."""


class OutboxEvent(msgspec.Struct, frozen=True, gc=False):
    """One record for the log; `key` (the lead id) keeps all that happens to a lead in order."""

    event_id: str
    key: str
    type: str
    value: bytes


class CampaignRef(msgspec.Struct, frozen=True, gc=False):
    """What a CDR says about its campaign; `kind` is a CampaignKind value."""

    campaign_id: int
    name: str
    kind: str


class LeadChange(msgspec.Struct, frozen=True, gc=False):
    """A lead's transition as the store made it; `state_to` None: removed. Times in UTC epoch seconds.

    `version` grows with each change of the lead and decides which row of `lead_status` is the latest.
    """

    lead_id: int
    campaign_id: int
    list_id: int
    customer_id: int
    phone: str
    state_from: str | None
    state_to: str | None
    rule: str
    trigger: str
    attempts: int
    dialed: int
    last_status: str | None
    error_kind: str | None
    next_at: float | None
    callback_at: float | None
    agent_id: str | None
    version: int
    at: float


class Heard(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What is known of a call's recording; `changes`: how often that has changed (1 stored, 2 deleted again)."""

    changes: int = 0
    url: str | None = None
    ms: int | None = None
    bytes: int | None = None
    sha256: str | None = None

    @property
    def is_there(self) -> bool:
        """Tell whether it can be heard."""
        return self.url is not None


_UNHEARD: Final = Heard()


def attempt_begun(intent: AttemptIntent, campaign: CampaignRef) -> OutboxEvent:
    """Encode call.initiated: the intent is durable, the call is about to leave."""
    data = Initiated(intent.trunk, intent.attempt_no, intent.list_id, intent.customer_id)
    return _call_event((EventType.CALL_INITIATED, _micros(intent.begun_at), data), 0, intent, campaign)


def attempt_suppressed(intent: AttemptIntent, reason: HoldReason, at: float, campaign: CampaignRef) -> OutboxEvent:
    """Encode attempt.suppressed: a guard did not allow the intent, nothing was sent."""
    data = Suppressed(reason.value, intent.trunk, intent.attempt_no)
    return _call_event((EventType.ATTEMPT_SUPPRESSED, _micros(at), data), 0, intent, campaign)


def attempt_settled(record: AttemptRecord, campaign: CampaignRef) -> list[OutboxEvent]:
    """Encode what happened on the call in order of time, call.ended, and last cdr.finalized with the whole CDR."""
    cdr = call_record(record, campaign)
    steps = _steps(record, cdr)
    steps.append((EventType.CDR_FINALIZED, cdr.ended_at, cdr))
    return [_call_event(step, seq, record, campaign) for seq, step in enumerate(steps, 1)]


def disposition_set(
    result: LeadResult, record: AttemptRecord, at: float, campaign: CampaignRef, heard: Heard = _UNHEARD
) -> OutboxEvent:
    """Encode disposition.set: the whole CDR again with the agent's work, version 2 of the call's row.

    `record` is what was settled for this call (`attempts.record`), `heard` what became of its recording by then.
    """
    disposed = _with_recording(_disposed(call_record(record, campaign), result), heard)
    return _call_event((EventType.DISPOSITION_SET, _micros(at), disposed), _last(record, disposed), record, campaign)


def recording_changed(
    heard: Heard, record: AttemptRecord, result: LeadResult | None, at: float, campaign: CampaignRef
) -> OutboxEvent:
    """Encode recording.ready or recording.deleted: the whole CDR again, with the agent's work if that is done."""
    cdr = call_record(record, campaign)
    told = _with_recording(cdr if result is None else _disposed(cdr, result), heard)
    kind = EventType.RECORDING_READY if heard.is_there else EventType.RECORDING_DELETED
    return _call_event((kind, _micros(at), told), _last(record, told), record, campaign)


def _last(record: AttemptRecord, cdr: Cdr) -> int:
    """Return the place of an event that tells this version of the CDR: nothing else follows the first version."""
    disposed = cdr.version % PER_RECORDING == 0
    changes = (cdr.version - 1) // PER_RECORDING
    return len(_steps(record, cdr)) + 1 + disposed + changes


def _with_recording(cdr: Cdr, heard: Heard) -> Cdr:
    if not heard.changes:
        return cdr
    return msgspec.structs.replace(
        cdr, version=cdr.version + PER_RECORDING * heard.changes, recording_url=heard.url, recording_ms=heard.ms,
        recording_bytes=heard.bytes, recording_sha256=heard.sha256,
    )  # fmt: skip


def _disposed(cdr: Cdr, result: LeadResult) -> Cdr:
    return msgspec.structs.replace(
        cdr,
        version=DISPOSED,
        wrap_ms=max(0, round(result.wrap_s * 1000)),
        agent_id=result.agent_id or cdr.agent_id,
        disposition=result.disposition,
        note=result.note,
        lead_trigger=result.trigger.value,
        callback_at=_maybe_micros(result.callback_at),
        next_at=_maybe_micros(result.next_at),
    )


def lead_changed(change: LeadChange, campaign: CampaignRef) -> OutboxEvent:
    """Encode lead.state_changed."""
    data = LeadMoved(
        list_id=change.list_id, customer_id=change.customer_id, rule=change.rule, trigger=change.trigger,
        version=change.version, state_from=change.state_from, state_to=change.state_to, attempts=change.attempts,
        dialed=change.dialed, last_status=change.last_status, error_kind=change.error_kind,
        next_at=_maybe_micros(change.next_at), callback_at=_maybe_micros(change.callback_at), agent_id=change.agent_id,
    )  # fmt: skip
    lead_id = change.lead_id
    event_id = uuid7(change.at, purpose=f"lead/{lead_id}/{change.version}")
    value = _ENCODER.encode(Envelope(
        event_id, SCHEMA_VERSION, TENANT, _LEAD_MOVED, None, campaign.campaign_id, lead_id, change.phone, "",
        _micros(change.at), SOURCE, change.version, data,
    ))  # fmt: skip
    return OutboxEvent(event_id, str(lead_id), _LEAD_MOVED, value)


def call_record(record: AttemptRecord, campaign: CampaignRef) -> Cdr:
    """Make the CDR of a settled attempt; times that contradict each other are pulled into order, start and end first.

    An adapter's clock may step: a CDR with an answer after its end would break every sum made from it.
    """
    started = _millis(record.started_at)
    ended = max(started, _millis(record.ended_at))
    ringing = _between(record.ringing_at, started, ended)
    answered = _between(record.answered_at, ringing or started, ended)
    bridged = _between(record.bridged_at, answered or ringing or started, ended)
    billsec = 0 if answered is None else ended - answered
    facts, verdict = record.facts, record.verdict
    unwaited = facts.agentless  # a script is followed from the answer on
    waits_from = _waits_from(record, answered, ended)
    return Cdr(
        version=FINALIZED, campaign_name=campaign.name, campaign_kind=campaign.kind,
        app=_INBOUND if record.direction == _INBOUND else _APPS.get(campaign.kind, campaign.kind),
        direction=record.direction.value,
        list_id=record.list_id, customer_id=record.customer_id, trunk=record.trunk, attempt_no=record.attempt_no,
        started_at=started, ended_at=ended, ringing_at=ringing, answered_at=answered, bridged_at=bridged,
        early_media_at=_between(record.early_media_at, started, ended),
        duration_ms=(ended - started) // _MILLI, billsec_ms=billsec // _MILLI,
        waitsec_ms=(ended - started - billsec) // _MILLI,
        ring_ms=0 if ringing is None else ((ended if answered is None else answered) - ringing) // _MILLI,
        wait_ms=0 if unwaited or waits_from is None else max(0, (bridged or ended) - waits_from) // _MILLI,
        status=verdict.status.value, status_code=STATUS_CODES[verdict.status], rule_id=verdict.rule,
        attribution=verdict.attribution.value, counts=verdict.counts, sub_reason=verdict.sub_reason,
        cancel_reason=verdict.cancel_reason, ended_by=facts.ended_by, agent_id=record.agent_id,
        extension=record.agent_id, sip_call_id=record.call_id, sip_status=facts.sip_status, q850=facts.q850,
        reason_text=facts.reason_text, dialstatus=facts.dialstatus, fs_cause=facts.fs_cause,
        local_error=facts.local_error, amd_result=facts.amd, announcement=facts.announcement,
        retry_reason=record.retry_reason, next_at=_maybe_micros(record.next_at), lead_trigger=record.lead_trigger,
        press_key="".join(step.digit for step in record.steps) or None,
    )  # fmt: skip


def _waits_from(record: AttemptRecord, answered: int | None, ended: int) -> int | None:
    """Return when the wait for an agent began: at the answer, or where a script gave the call to the agents."""
    if not record.steps or record.queued_at is None or answered is None:
        return answered
    return _between(record.queued_at, answered, ended)


def _steps(record: AttemptRecord, cdr: Cdr) -> list[_Step]:
    """List what happened before the CDR, by time; what has no time of its own stands where it was first possible."""
    steps: list[_Step] = []
    facts = record.facts
    if cdr.ringing_at is not None:
        steps.append((EventType.CALL_RINGING, cdr.ringing_at, _NOTHING))
    if cdr.early_media_at is not None:
        steps.append((EventType.CALL_EARLY_MEDIA, cdr.early_media_at, _NOTHING))
    if cdr.answered_at is not None:
        steps.append((EventType.CALL_ANSWERED, cdr.answered_at, _NOTHING))
    if facts.announcement is not None:
        heard_at = cdr.early_media_at or cdr.answered_at or cdr.ended_at
        steps.append((EventType.CALL_ANNOUNCEMENT, heard_at, Announced(facts.announcement.value)))
    if facts.amd is not None:
        steps.append((EventType.AMD_RESULT, cdr.answered_at or cdr.ended_at, Detected(facts.amd.value)))
    steps += _script_steps(record, cdr)
    if record.queued_at is not None:
        steps += _queue_steps(record, cdr, record.queued_at)
    if cdr.bridged_at is not None:
        steps += _agent_steps(cdr, cdr.bridged_at)
    steps.sort(key=_by_time)
    ended = Ended(facts.sip_status, facts.q850, facts.ended_by, record.verdict.cancel_reason, facts.local_error)
    steps.append((EventType.CALL_ENDED, cdr.ended_at, ended))
    return steps


def _script_steps(record: AttemptRecord, cdr: Cdr) -> list[_Step]:
    low = cdr.answered_at or cdr.started_at
    return [
        (EventType(step.kind.value), _between(step.at, low, cdr.ended_at) or low, Ivr(step.node, step.digit))
        for step in record.steps
    ]


def _queue_steps(record: AttemptRecord, cdr: Cdr, queued_at: float) -> list[_Step]:
    """List the wait for an agent: in, who was asked and what came of it, out and why."""
    joined = _within(queued_at, cdr.started_at, cdr.ended_at)
    steps: list[_Step] = [(EventType.QUEUE_JOINED, joined, Queue(cdr.campaign_name))]
    for offer in record.offers:
        at = _within(offer.at, joined, cdr.ended_at)
        steps.append((EventType.AGENT_OFFERED, at, AgentLeg(offer.agent_id, reason=offer.outcome)))
    out = cdr.bridged_at or cdr.ended_at
    left = out if record.queue_left_at is None else _within(record.queue_left_at, joined, out)
    steps.append((EventType.QUEUE_LEFT, left, Queue(cdr.campaign_name, _why_left(record, cdr))))
    return steps


def _why_left(record: AttemptRecord, cdr: Cdr) -> str:
    if cdr.bridged_at is not None:
        return "bridged"
    if record.verdict.cancel_reason is CancelReason.OVERFLOW:
        return "timeout"
    return "hung_up" if record.facts.ended_by is EndedBy.REMOTE else "ended"


def _agent_steps(cdr: Cdr, bridged_at: int) -> list[_Step]:
    agent = cdr.agent_id or ""
    talk_ms = (cdr.ended_at - bridged_at) // _MILLI
    return [
        (EventType.AGENT_BRIDGED, bridged_at, AgentLeg(agent, wait_ms=cdr.wait_ms)),
        (EventType.AGENT_RELEASED, cdr.ended_at, AgentLeg(agent, talk_ms=talk_ms)),
    ]


def _by_time(step: _Step) -> int:
    return step[1]


def _call_event(step: _Step, seq: int, of: AttemptIntent | AttemptRecord, campaign: CampaignRef) -> OutboxEvent:
    name, at, data = step[0].value, step[1], step[2]
    event_id = uuid7(at / MICROS, purpose=f"{of.call_id}/{seq}/{name}")
    value = _ENCODER.encode(Envelope(
        event_id, SCHEMA_VERSION, TENANT, name, of.call_id, campaign.campaign_id, of.lead_id, of.phone,
        of.hotline, at, SOURCE, seq, data,
    ))  # fmt: skip
    return OutboxEvent(event_id, str(of.lead_id), name, value)


def _micros(at: float) -> int:
    return round(at * MICROS)


def _millis(at: float) -> int:
    """Return microseconds cut to the millisecond."""
    return _micros(at) // _MILLI * _MILLI


def _maybe_micros(at: float | None) -> int | None:
    return None if at is None else round(at * MICROS)


def _within(at: float, low: int, high: int) -> int:
    return min(max(_millis(at), low), high)


def _between(at: float | None, low: int, high: int) -> int | None:
    return None if at is None else _within(at, low, high)
