"""Decide whether and when a lead is called again (statuses.md 2.11 default retry set, 3.1 inputs, N2 to N7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from statuses.classify import Verdict
from statuses.lead import ErrorKind, Trigger, trigger_for
from statuses.outcomes import CONTENT_FAULTS, CallStatus

DEFAULT_RETRY: Final = frozenset(
    {
        CallStatus.NO_ANSWERED,
        CallStatus.CANCEL,
        CallStatus.BUSY,
        CallStatus.NOT_AVAILABLE,
        CallStatus.VOICEMAIL,
        CallStatus.BUSY_LINE,
        CallStatus.IVR,
        CallStatus.CONGESTION,
    }
)
"""The statuses after which a lead is called again, unless the campaign says otherwise."""


class RetryOrder(StrEnum):
    """Which leads go first: new ones, or retries that are due (PITEL: normal, recall)."""

    NEW_FIRST = "new_first"
    DUE_FIRST = "due_first"


@dataclass(frozen=True, slots=True)
class RetryRule:
    """After one status: wait `gap_s` seconds, and call again at most `limit` times for this status (None: no limit)."""

    gap_s: float
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a campaign calls again; gaps in seconds, `max_attempts` is the total number of calls (N7).

    `short_talk_s`: an answered call with less talk is called again (A11). Errors of ours do not consume attempts; they
    have `error_retries` of their own. `busy_line_min_gap_s` is the least gap after an abandoned call (N2).
    """

    max_attempts: int = 3
    gap_s: float = 3600.0
    per_status: Mapping[CallStatus, RetryRule] = field(default_factory=dict)
    retry_on: frozenset[CallStatus] = DEFAULT_RETRY
    short_talk_s: float | None = None
    order: RetryOrder = RetryOrder.NEW_FIRST
    error_retries: int = 2
    error_gap_s: float = 300.0
    busy_line_min_gap_s: float = 900.0

    def __post_init__(self) -> None:
        """Refuse a policy that makes no sense."""
        if self.max_attempts < 1 or self.error_retries < 0:
            raise ValueError("retry policy: max_attempts must be 1 or more and error_retries 0 or more")
        gaps = (self.gap_s, self.error_gap_s, self.busy_line_min_gap_s, *(r.gap_s for r in self.per_status.values()))
        if not all(0.0 <= gap < float("inf") for gap in gaps):
            raise ValueError("retry policy: every gap must be a number of seconds, 0 or more")


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """Whether to call again, not before `next_at` (UTC epoch seconds), and in one word why or why not."""

    retry: bool
    next_at: float | None
    reason: str


def decide(
    policy: RetryPolicy,
    verdict: Verdict,
    *,
    attempts: int,
    error_attempts: int,
    status_attempts: int,
    talk_s: float,
    now: float,
) -> RetryDecision:
    """Decide about the lead whose call just ended; every count includes that call.

    `attempts` have counted, `error_attempts` ended in an error of ours, `status_attempts` ended with this same status.
    """
    trigger, kind = trigger_for(verdict)
    if trigger is Trigger.VOIDED:
        return RetryDecision(retry=True, next_at=now + policy.error_gap_s, reason="voided")
    refusal = (
        _final(kind)
        or _unwanted(policy, verdict, kind, talk_s)
        or _over_limits(policy, verdict.status, attempts, status_attempts)
        or ("error_retries" if trigger is Trigger.ERROR and error_attempts > policy.error_retries else None)
    )
    if refusal is not None:
        return RetryDecision(retry=False, next_at=None, reason=refusal)
    by_choice = verdict.status is not CallStatus.ANSWERED or verdict.status in policy.retry_on
    reason = verdict.status.value if by_choice else "short_talk"
    return RetryDecision(retry=True, next_at=now + _gap_s(policy, verdict.status, trigger), reason=reason)


def _final(kind: ErrorKind | None) -> str | None:
    return {ErrorKind.NUMBER: "wrong_number", ErrorKind.RECONCILE: "reconcile"}.get(kind) if kind is not None else None


def _over_limits(policy: RetryPolicy, status: CallStatus, attempts: int, status_attempts: int) -> str | None:
    if attempts >= policy.max_attempts:
        return "max_attempts"
    rule = policy.per_status.get(status)
    return "status_limit" if rule is not None and rule.limit is not None and status_attempts > rule.limit else None


def _unwanted(policy: RetryPolicy, verdict: Verdict, kind: ErrorKind | None, talk_s: float) -> str | None:
    status, sub_reason = verdict.status, verdict.sub_reason
    if status is CallStatus.ANSWERED and status not in policy.retry_on:
        return None if policy.short_talk_s is not None and talk_s < policy.short_talk_s else "answered"
    # A failed hotline or agent heals by itself, and nobody was called where content was missing that people put back
    # (T13), whatever the campaign retries.
    heals = status is CallStatus.FAILED and (
        kind in (ErrorKind.AGENT, ErrorKind.HOTLINE) or sub_reason in CONTENT_FAULTS
    )
    return None if heals or status in policy.retry_on else "status_not_retried"


def _gap_s(policy: RetryPolicy, status: CallStatus, trigger: Trigger) -> float:
    rule = policy.per_status.get(status)
    usual = policy.error_gap_s if trigger is Trigger.ERROR else policy.gap_s
    gap = rule.gap_s if rule is not None else usual
    return max(gap, policy.busy_line_min_gap_s) if status is CallStatus.BUSY_LINE else gap


def queue_key(
    order: RetryOrder, *, last_status: CallStatus | None, due_at: float, lead_id: int
) -> tuple[int, int, float, int]:
    """Return the sort key of a due lead: by `order`, abandoned people first among retries (N2), then by due time."""
    is_retry = last_status is not None
    first = is_retry if order is RetryOrder.NEW_FIRST else not is_retry
    return int(first), int(is_retry and last_status is not CallStatus.BUSY_LINE), due_at, lead_id
