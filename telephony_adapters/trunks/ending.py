"""Read the end of a call off its last message, for `statuses.classify`: CallEnded (statuses.md 2.4 to 2.6)."""

from __future__ import annotations

from typing import Final

from dialer.core.events import CallEnded
from statuses.outcomes import EndedBy
from telephony_adapters.sip.message import Message, Response
from telephony_adapters.sip.reason import parse_reasons, parse_retry_after, q850

NORMAL_CLEARING: Final = 16
_UNAVAILABLE: Final = 503


def ended_call(call_id: str, status: int | None, message: Message | None, *, by: EndedBy) -> CallEnded:
    """Return how a call ended. `status` 200: it was answered, and is over; `message` None: nobody said so."""
    if message is None:
        cause = NORMAL_CLEARING if status == 200 else None  # noqa: PLR2004 -- SIP's OK
        return CallEnded(call_id, status, cause, ended_by=by)
    reasons = message.all("Reason")
    cause_of = q850(reasons)
    cause = cause_of.cause if cause_of is not None else None
    if cause is None and status == 200:  # noqa: PLR2004
        cause = NORMAL_CLEARING
    return CallEnded(
        call_id, status, cause,
        q850_location=(cause_of.location or None) if cause_of is not None else None,
        reason_text=_text(message, reasons), ended_by=by, retry_after_s=_retry_after(message, status),
    )  # fmt: skip


def _text(message: Message, reasons: list[str]) -> str | None:
    """Return what the far end says in words: the phrase of a refusal and the texts of its reasons (ATIS-1000099)."""
    words = [message.reason] if isinstance(message, Response) and message.status >= 300 else []  # noqa: PLR2004 -- refusals
    words += [reason.text for reason in parse_reasons(reasons) if reason.text]
    return "; ".join(word for word in words if word)[:200] or None


def _retry_after(message: Message, status: int | None) -> float | None:
    value = message.get("Retry-After") if status == _UNAVAILABLE else None
    parsed = parse_retry_after(value) if value else None
    return float(parsed.delay_s) if parsed is not None else None
