"""The shape of a row in the cause tables, and what a status means where nothing else is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from statuses.outcomes import Attribution, CallStatus, CancelReason

USUAL_ATTRIBUTION: Final[Mapping[CallStatus, Attribution]] = MappingProxyType(
    {
        CallStatus.ANSWERED: Attribution.CALLEE,
        CallStatus.NO_ANSWERED: Attribution.CALLEE,
        CallStatus.BUSY: Attribution.CALLEE,
        CallStatus.BUSY_LINE: Attribution.US,
        CallStatus.IVR: Attribution.CALLEE,
        CallStatus.FAILED: Attribution.US,
        CallStatus.CONGESTION: Attribution.CARRIER,
        CallStatus.CANCEL: Attribution.US,
        CallStatus.INVALID_NUMBER: Attribution.CALLEE,
        CallStatus.PHONE_BLOCK: Attribution.CALLEE,
        CallStatus.NOT_AVAILABLE: Attribution.CALLEE,
        CallStatus.VOICEMAIL: Attribution.CALLEE,
    }
)
"""Whose side a status lies on, unless the row says otherwise."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One cell of a cause table."""

    status: CallStatus
    attribution: Attribution
    sub_reason: str | None = None
    cancel_reason: CancelReason | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what the cause means before any ringing was seen, and after.

    A row that is not `final` is used only when nothing more specific is known (statuses.md 2.4 rule 6).
    """

    rule: str
    meaning: str
    quiet: Outcome
    rung: Outcome
    final: bool = True

    def outcome(self, *, rang: bool) -> Outcome:
        """Return the cell for a call that rang, or did not."""
        return self.rung if rang else self.quiet


def cell(
    status: CallStatus,
    sub_reason: str | None = None,
    by: Attribution | None = None,
    cancel_reason: CancelReason | None = None,
) -> Outcome:
    """Make an outcome with the status's usual attribution unless `by` names another."""
    return Outcome(status, by or USUAL_ATTRIBUTION[status], sub_reason, cancel_reason)


def row(rule: str, meaning: str, quiet: Outcome, rung: Outcome | None = None, *, final: bool = True) -> Row:
    """Make a row; without `rung` the ringing makes no difference."""
    return Row(rule, meaning, quiet, rung or quiet, final)
