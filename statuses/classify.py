"""Decide once what a call came to: a pure, total function from facts to a verdict (statuses.md 2.3, 2.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from statuses import causes
from statuses import own_causes as own
from statuses.outcomes import AmdResult, Announcement, Attribution, CallStatus, CancelReason, EndedBy, LocalError
from statuses.overrides import Override, OverrideError, load_overrides
from statuses.rows import Outcome, Row, cell

__all__ = ["AttemptFacts", "Override", "OverrideError", "Verdict", "classify", "load_overrides"]


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """All that is known about a customer's leg when it is over; times in milliseconds. `inbound`: they called us.

    `sip_status` is the final response; a 408 with `ended_by` DIALER is our own transaction timeout. `progressed` means
    that a 100 or 183 was seen, `rang` a 180 or a ringback. `queue_left` is a QUEUESTATUS or CC-Cancel-Reason.
    """

    local_error: LocalError | None = None
    sip_status: int | None = None
    q850: int | None = None
    q850_location: str | None = None
    reason_text: str | None = None
    progressed: bool = False
    rang: bool = False
    answered: bool = False
    ended_by: EndedBy | None = None
    cancel_reason: CancelReason | None = None
    announcement: Announcement | None = None
    amd: AmdResult | None = None
    ivr_entered: bool = False
    dtmf_count: int = 0
    agentless: bool = False
    queue_left: str | None = None
    agent_bridged: bool = False
    agent_lost: bool = False
    dialstatus: str | None = None
    fs_cause: str | None = None
    setup_ms: int | None = None
    ring_ms: int | None = None
    trunk: str | None = None
    inbound: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a call came to, by which rule; `counts`: it consumes one of the lead's attempts (statuses.md 3.2)."""

    status: CallStatus
    rule: str
    attribution: Attribution
    sub_reason: str | None
    counts: bool
    cancel_reason: CancelReason | None


_REJECTED_AFTER_MS: Final = 3000
_TERMINATED: Final = 487
_REQUEST_TIMEOUT: Final = 408
_RANG_OUT_CAUSE: Final = 19


def classify(facts: AttemptFacts, overrides: Sequence[Override] = ()) -> Verdict:
    """Return the verdict of the first rule that matches; total and pure (statuses.md 2.4).

    Order: our own faults, the answer, announcements, our own CANCEL, the trunk's override table, a specific Q.850
    cause, the SIP status, what only a PBX knows, an unspecific Q.850 cause, and `unknown`. A call to us has no cause of
    a network: our own faults, the answer, and who ended it before that; it is never held against the lead.
    """
    if facts.inbound:
        taken = _local(facts) or _answered(facts) or own.CALLS_IN[facts.ended_by is EndedBy.REMOTE]
        return replace(_verdict(taken.rule, taken.outcome(rang=facts.rang), facts), counts=False)
    for rule in _BEFORE_OVERRIDES:
        found = rule(facts)
        if found is not None:
            return _verdict(found.rule, found.outcome(rang=facts.rang), facts)
    for override in overrides:
        if override.matches(facts.trunk, facts.sip_status, facts.q850, rang=facts.rang, setup_ms=facts.setup_ms):
            return _verdict(override.rule, cell(override.status, "override"), facts)
    found = next(filter(None, (rule(facts) for rule in _AFTER_OVERRIDES)), own.UNKNOWN)
    return _verdict(found.rule, found.outcome(rang=facts.rang), facts)


def _verdict(rule: str, outcome: Outcome, facts: AttemptFacts) -> Verdict:
    sub_reason = outcome.sub_reason
    if outcome.status is CallStatus.BUSY and sub_reason in (None, "override"):
        sub_reason = _busy_reason(facts)
    cancel_reason = facts.cancel_reason or outcome.cancel_reason
    counts = _counts(outcome.status, sub_reason, cancel_reason)
    return Verdict(outcome.status, rule, outcome.attribution, sub_reason, counts, cancel_reason)


def _busy_reason(facts: AttemptFacts) -> str:
    """Guess whether a person rejected the call or was on the phone (statuses.md 2.11 A5)."""
    rejected = facts.rang and (facts.ring_ms is None or facts.ring_ms > _REJECTED_AFTER_MS)
    return "rejected" if rejected else "engaged"


def _counts(status: CallStatus, sub_reason: str | None, cancel_reason: CancelReason | None) -> bool:
    """Tell whether the attempt is held against the lead; a lost one is, for it may have reached the person."""
    if status is CallStatus.CANCEL:
        return cancel_reason is CancelReason.RING_TIMEOUT
    if status is CallStatus.FAILED:
        return sub_reason == LocalError.LOST.value
    return status is not CallStatus.CONGESTION


def _was_answered(facts: AttemptFacts) -> bool:
    return facts.answered or (facts.sip_status or 0) // 100 == 2 or _upper(facts.dialstatus) == "ANSWER"  # noqa: PLR2004


def _upper(text: str | None) -> str:
    return (text or "").strip().upper()


def _fs(facts: AttemptFacts) -> str:
    return causes.freeswitch_name(facts.fs_cause or "")


def _local(facts: AttemptFacts) -> Row | None:
    """Match a fault of ours, unless a person was already on the line and it is no longer the whole story."""
    error = facts.local_error
    if error is None:
        return None
    if _was_answered(facts) and (facts.agent_bridged or error in (LocalError.AGENT_LEG, LocalError.LOST)):
        return None
    return own.LOCAL[error]


def _answered(facts: AttemptFacts) -> Row | None:
    if not _was_answered(facts):
        return None
    if facts.amd is AmdResult.MACHINE:
        return own.MACHINE
    if facts.announcement is Announcement.MAILBOX:
        return own.MAILBOX
    if facts.agent_bridged:
        return _talked(facts)
    return _without_agent(facts)


def _talked(facts: AttemptFacts) -> Row:
    if _upper(facts.fs_cause) in causes.MEDIA_FAULTS:
        return own.MEDIA_FAULT
    return own.NOTSURE if facts.amd is AmdResult.NOTSURE else own.TALKED


def _without_agent(facts: AttemptFacts) -> Row:
    left = causes.QUEUE_LEFT.get(_upper(facts.queue_left))
    if left is not None and left.quiet.status is CallStatus.ANSWERED:
        return left
    if facts.ivr_entered and facts.dtmf_count <= 0 and facts.ended_by is EndedBy.REMOTE:
        return own.IVR
    if facts.agent_lost or facts.local_error is LocalError.AGENT_LEG:
        return own.AGENT_GONE
    if left is not None:
        return left
    return _talked(facts) if facts.agentless else _abandoned(facts)


def _abandoned(facts: AttemptFacts) -> Row:
    if facts.cancel_reason is CancelReason.OVERFLOW:
        return own.OVERFLOW
    return own.AMD_HANGUP if facts.amd is AmdResult.HANGUP else own.NO_AGENT


def _announced(facts: AttemptFacts) -> Row | None:
    return causes.ANNOUNCEMENTS[facts.announcement] if facts.announcement is not None else None


def _agent_went(facts: AttemptFacts) -> Row | None:
    if not facts.agent_lost or facts.cancel_reason is CancelReason.RING_TIMEOUT:
        return None
    return own.AGENT_LEG if facts.cancel_reason is not None or _network_is_silent(facts) else None


def _network_is_silent(facts: AttemptFacts) -> bool:
    """Tell whether nothing came from the far side that explains the end; a 487 only echoes a CANCEL."""
    cause = causes.Q850.get(facts.q850 or 0)
    return (
        facts.sip_status in (None, _TERMINATED)
        and (cause is None or not cause.final)
        and _fs(facts) in ("", "ORIGINATOR_CANCEL", "NORMAL_CLEARING")
        and _upper(facts.dialstatus) in ("", "CANCEL")
    )


def _cancelled(facts: AttemptFacts) -> Row | None:
    if facts.ended_by is EndedBy.REMOTE and facts.sip_status not in (None, _TERMINATED):
        return None  # the far end's own refusal crossed our CANCEL: who ended it decides (A1)
    if facts.cancel_reason is CancelReason.RING_TIMEOUT and not facts.rang:
        return own.NO_RINGING if _trunk_spoke(facts) else own.TRUNK_SILENT
    if facts.cancel_reason is not None:
        return own.CANCELS[facts.cancel_reason]
    return _implied_cancel(facts)


def _trunk_spoke(facts: AttemptFacts) -> bool:
    return facts.progressed or facts.q850 is not None or facts.sip_status not in (None, _REQUEST_TIMEOUT)


def _implied_cancel(facts: AttemptFacts) -> Row | None:
    """Recognise a CANCEL of ours that came without a reason, as a PBX reports it (statuses.md 2.7, 2.8)."""
    if facts.sip_status not in (None, _TERMINATED):
        return None
    name = _fs(facts)
    if name in causes.FREESWITCH_LOCAL:
        return causes.freeswitch_row(name)
    if facts.ended_by is EndedBy.AGENT and _network_is_silent(facts):
        return own.CANCELS[CancelReason.AGENT_HANGUP]
    return _dialer_cancel(facts, name) if facts.ended_by is EndedBy.DIALER else None


def _dialer_cancel(facts: AttemptFacts, fs_name: str) -> Row | None:
    if fs_name == "NO_ANSWER" or facts.q850 == _RANG_OUT_CAUSE:
        return causes.FREESWITCH_ORIGINATE_TIMEOUT
    if _upper(facts.dialstatus) == "NOANSWER":
        return causes.DIALSTATUS_TIMEOUT
    if not _network_is_silent(facts):
        return None
    return own.CANCELS[CancelReason.CULL] if fs_name or facts.dialstatus else own.UNSTATED


def _q850(facts: AttemptFacts) -> Row | None:
    if facts.q850 is None:
        return None
    if causes.sip_row(facts.sip_status or 0, facts.reason_text) is causes.SIP_NETWORK_BLOCKED:
        return None  # its cause is always 21, as if a person had rejected the call (ATIS-1000099)
    cause = causes.q850_row(facts.q850, facts.q850_location)
    if cause is causes.Q850_USER_REJECTED:
        return cause
    pair = causes.SIP_AND_Q850.get((facts.sip_status or 0, facts.q850))
    return pair or (cause if cause is not None and cause.final else None)


def _sip(facts: AttemptFacts) -> Row | None:
    if facts.sip_status is None:
        return None
    silent = not (facts.progressed or facts.rang)
    if facts.sip_status == _REQUEST_TIMEOUT and silent and facts.ended_by is EndedBy.DIALER:
        return causes.SIP_LOCAL_TIMEOUT
    return causes.sip_row(facts.sip_status, facts.reason_text)


def _pbx(facts: AttemptFacts) -> Row | None:
    by_name = causes.freeswitch_row(facts.fs_cause) if facts.fs_cause else None
    return by_name or causes.DIALSTATUS.get(_upper(facts.dialstatus))


def _unspecific(facts: AttemptFacts) -> Row | None:
    return causes.Q850.get(facts.q850) if facts.q850 is not None else None


_Rule = Callable[[AttemptFacts], Row | None]
_BEFORE_OVERRIDES: Final[tuple[_Rule, ...]] = (_local, _answered, _announced, _agent_went, _cancelled)
_AFTER_OVERRIDES: Final[tuple[_Rule, ...]] = (_q850, _sip, _pbx, _unspecific)
