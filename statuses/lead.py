"""Move a lead from state to state by the table T1 to T26, and say what a verdict means for it (statuses.md 3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from statuses.classify import Verdict
from statuses.lead_table import (
    AGENTS_SAY,
    DIALABLE,
    HELD,
    RESULTS,
    TERMINAL,
    TRANSITIONS,
    ErrorKind,
    LeadFacts,
    LeadState,
    Transition,
    Trigger,
    is_dialable,
    is_terminal,
)
from statuses.outcomes import CallStatus, LocalError

__all__ = [
    "AGENTS_SAY",
    "DIALABLE",
    "HELD",
    "RESULTS",
    "TERMINAL",
    "TRANSITIONS",
    "ErrorKind",
    "IllegalTransition",
    "LeadFacts",
    "LeadState",
    "LeadStep",
    "Transition",
    "Trigger",
    "allowed",
    "called_in",
    "is_dialable",
    "is_terminal",
    "step",
    "trigger_for",
]


@dataclass(frozen=True, slots=True)
class LeadStep:
    """What to store after a transition; `state` None: remove the row. `reconcile`: not dialed again by itself (T26).

    `rule` is the row of the table, "T9+T16" or "T9+T21" when a pause or a removal waited for the end of the call.
    """

    rule: str
    state: LeadState | None
    remembered: LeadState | None
    error_kind: ErrorKind | None
    pending: Trigger | None
    reconcile: bool = False


class IllegalTransition(ValueError):
    """The lead's state does not allow the trigger."""


def step(facts: LeadFacts, trigger: Trigger, *, error_kind: ErrorKind | None = None) -> LeadStep:
    """Return what the trigger does to the lead; `error_kind` goes with ERROR only.

    After T26 a result may still come, once, from a late CDR (VOIDED: nobody was called); it is applied as if the call
    had just ended. Raises IllegalTransition that names the state, the trigger and what is allowed.
    """
    if facts.error_kind is ErrorKind.RECONCILE and facts.state is not LeadState.IN_PROGRESS and trigger in RESULTS:
        return _late_result(facts, trigger, error_kind)
    row = next((row for row in TRANSITIONS if row.accepts(facts, trigger, error_kind)), None)
    if row is None:
        raise IllegalTransition(_refusal(facts, trigger, error_kind))
    if row.target == "removed":
        return LeadStep(row.rule, None, None, None, None)
    if row.target == "same":
        return _stay(row, facts)
    if facts.state is LeadState.IN_PROGRESS:
        return _leave_call(row, facts, error_kind)
    return _move(row, facts)


def called_in(facts: LeadFacts, trigger: Trigger) -> LeadStep:
    """Return what a call of the customer's does to the lead, which need not have been called: as a talk of ours would.

    ANSWERED leaves a lead that has its end there. Raises IllegalTransition, as `step` does, for a missed call of a lead
    that is not called by itself, and for a lead that is in a call of ours now: that call's end decides.
    """
    if trigger is Trigger.MISSED_CALL:
        return step(facts, trigger)
    if facts.state in (None, LeadState.IN_PROGRESS):
        raise IllegalTransition(_refusal(facts, trigger, None))
    if trigger is Trigger.ANSWERED and facts.state in TERMINAL:
        return _land("T6", facts.state, facts.error_kind, facts.remembered, facts.pending)
    return _late_result(facts, trigger, None)


def allowed(facts: LeadFacts) -> frozenset[Trigger]:
    """Return every trigger that `step` accepts now (ERROR with a fitting error_kind)."""
    late = RESULTS if facts.error_kind is ErrorKind.RECONCILE and facts.state is not LeadState.IN_PROGRESS else ()
    kinds = (None, *ErrorKind)
    return frozenset(row.trigger for row in TRANSITIONS for kind in kinds if row.accepts(facts, row.trigger, kind)) | {
        *late
    }


def _refusal(facts: LeadFacts, trigger: Trigger, error_kind: ErrorKind | None) -> str:
    possible = allowed(facts)
    if trigger is Trigger.ERROR and trigger in possible:
        return f"cannot apply error with kind {error_kind}; name number, hotline, content or agent"
    state = facts.state.value if facts.state is not None else "not in the campaign"
    kind = f", error kind {facts.error_kind}" if facts.error_kind is not None else ""
    return (
        f"cannot apply {trigger} to a lead that is {state} ({facts.attempts} of {facts.max_attempts} attempts{kind}); "
        f"allowed now: {', '.join(sorted(possible)) or 'nothing'}"
    )


def _land(
    rule: str,
    state: LeadState,
    kind: ErrorKind | None,
    remembered: LeadState | None = None,
    pending: Trigger | None = None,
) -> LeadStep:
    return LeadStep(rule, state, remembered, kind, pending, reconcile=kind is ErrorKind.RECONCILE)


def _stay(row: Transition, facts: LeadFacts) -> LeadStep:
    state = facts.state or LeadState.NOT_CALLED
    pending = facts.pending
    if row.wait is not None and pending is not Trigger.REMOVE:
        pending = row.wait
    elif row.trigger is Trigger.START:
        pending = None
    return _land(row.rule, state, facts.error_kind, facts.remembered, pending)


def _back(facts: LeadFacts) -> LeadState:
    """Return the state to go back to; a row that has lost its memory goes by its attempts."""
    if facts.remembered in DIALABLE or facts.remembered is LeadState.CALL_ERROR:
        return facts.remembered
    return LeadState.CALLED_NO_SUCCESS if facts.attempts > 0 else LeadState.NOT_CALLED


def _leave_call(row: Transition, facts: LeadFacts, error_kind: ErrorKind | None) -> LeadStep:
    state = row.target if isinstance(row.target, LeadState) else _back(facts)
    kind = {
        Trigger.ERROR: error_kind,
        Trigger.VOIDED: facts.error_kind,
        Trigger.WORKER_LOST: ErrorKind.RECONCILE,
    }.get(row.trigger)
    if facts.pending is Trigger.REMOVE:
        return LeadStep(f"{row.rule}+T21", None, None, None, None)
    if facts.pending is Trigger.PAUSE and not is_terminal(state, kind):
        return _land(f"{row.rule}+T16", LeadState.PAUSED, kind, state)
    return _land(row.rule, state, kind)


def _move(row: Transition, facts: LeadFacts) -> LeadStep:
    target = row.target
    if not isinstance(target, LeadState):
        return _release(row, facts)
    if target is LeadState.IN_PROGRESS:
        return _land(row.rule, target, facts.error_kind, facts.state)
    return _hold(row, target, facts) if target in HELD else _land(row.rule, target, None)


def _hold(row: Transition, state: LeadState, facts: LeadFacts) -> LeadStep:
    """Hold the lead; a pause that stood before a listing stands after it (T20), and the memory is of neither."""
    if facts.state is None:
        return _land(row.rule, state, None, LeadState.NOT_CALLED)
    inside = _back(facts) if facts.state in HELD else facts.state
    pending = Trigger.PAUSE if facts.state is LeadState.PAUSED else facts.pending
    return _land(row.rule, state, facts.error_kind, inside, pending)


def _release(row: Transition, facts: LeadFacts) -> LeadStep:
    if row.trigger is Trigger.UNLISTED and facts.pending is Trigger.PAUSE:
        return _land(row.rule, LeadState.PAUSED, facts.error_kind, _back(facts))
    return _land(row.rule, _back(facts), facts.error_kind)


def _late_result(facts: LeadFacts, trigger: Trigger, error_kind: ErrorKind | None) -> LeadStep:
    held = facts.state in HELD
    inside = _back(facts) if held else facts.state
    # The kind that CALL_ERROR had was overwritten by RECONCILE; any kind that may be tried again will do.
    kind = ErrorKind.HOTLINE if inside is LeadState.CALL_ERROR else None
    calling = replace(facts, state=LeadState.IN_PROGRESS, remembered=inside, error_kind=kind, pending=None)
    result = step(calling, trigger, error_kind=error_kind)
    if not held or is_terminal(result.state, result.error_kind):
        return result
    return replace(result, state=facts.state, remembered=result.state, pending=facts.pending)


_TRIGGERS: Final[Mapping[CallStatus, Trigger]] = MappingProxyType(
    {
        CallStatus.ANSWERED: Trigger.ANSWERED,
        CallStatus.CONGESTION: Trigger.ERROR,
        CallStatus.FAILED: Trigger.ERROR,
        CallStatus.INVALID_NUMBER: Trigger.ERROR,
    }
)
_KINDS: Final[Mapping[str, ErrorKind]] = MappingProxyType(
    {
        LocalError.AGENT_LEG.value: ErrorKind.AGENT,
        LocalError.NO_HOTLINE.value: ErrorKind.HOTLINE,
        LocalError.DAILY_CAP.value: ErrorKind.HOTLINE,
        "switch_crash": ErrorKind.HOTLINE,
        "switch_shutdown": ErrorKind.HOTLINE,
    }
)


def trigger_for(verdict: Verdict) -> tuple[Trigger, ErrorKind | None]:
    """Return what a verdict does to the lead when no agent says otherwise (statuses.md 3.2, default mapping).

    An answered call that the retry policy calls too short is NO_SUCCESS instead; the caller decides that.
    """
    if verdict.status is CallStatus.CANCEL and not verdict.counts:
        return Trigger.VOIDED, None
    if verdict.status is CallStatus.FAILED and verdict.sub_reason == LocalError.LOST.value:
        return Trigger.WORKER_LOST, ErrorKind.RECONCILE
    trigger = _TRIGGERS.get(verdict.status, Trigger.NO_SUCCESS)
    return trigger, _error_kind(verdict) if trigger is Trigger.ERROR else None


def _error_kind(verdict: Verdict) -> ErrorKind:
    if verdict.status is CallStatus.INVALID_NUMBER:
        return ErrorKind.NUMBER
    if verdict.status is CallStatus.CONGESTION:
        return ErrorKind.HOTLINE
    return _KINDS.get(verdict.sub_reason or "", ErrorKind.CONTENT)
