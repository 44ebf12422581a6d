"""The eleven states of a lead in a campaign and the table T1 to T26, as data (statuses.md 3.1, 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, TypeAlias


class LeadState(StrEnum):
    """What the campaign knows about one of its customers."""

    NOT_CALLED = "not_called"
    IN_PROGRESS = "in_progress"
    CALLED_NO_SUCCESS = "called_no_success"
    CALLBACK = "callback"
    SUCCESS = "success"
    RETRY_EXHAUSTED = "retry_exhausted"
    DO_NOT_RECALL = "do_not_recall"
    CALL_ERROR = "call_error"
    PAUSED = "paused"
    BLACKLISTED = "blacklisted"
    DNC = "dnc"


class ErrorKind(StrEnum):
    """Whose fault a CALL_ERROR is (N3); RECONCILE marks a lead whose last call has no known outcome (T26)."""

    NUMBER = "number"
    HOTLINE = "hotline"
    CONTENT = "content"
    AGENT = "agent"
    RECONCILE = "reconcile"


class Trigger(StrEnum):
    """What moves a lead."""

    ADDED = "added"
    ADDED_BLACKLISTED = "added_blacklisted"
    ADDED_DNC = "added_dnc"
    PICKED = "picked"
    ANSWERED = "answered"
    CALLBACK_ASKED = "callback_asked"
    DO_NOT_RECALL = "do_not_recall"
    NO_SUCCESS = "no_success"
    ERROR = "error"
    VOIDED = "voided"
    PAUSE = "pause"
    START = "start"
    BLACKLIST = "blacklist"
    DNC = "dnc"
    UNLISTED = "unlisted"
    REMOVE = "remove"
    DEDUPE = "dedupe"
    RAISE_MAX = "raise_max"
    SUPPRESSION_EXPIRED = "suppression_expired"
    CAMPAIGN_STOPPED = "campaign_stopped"
    WORKER_LOST = "worker_lost"
    MISSED_CALL = "missed_call"
    """The customer called us and nobody took the call."""


_S, _T, _E = LeadState, Trigger, ErrorKind

DIALABLE: Final = frozenset({_S.NOT_CALLED, _S.CALLED_NO_SUCCESS, _S.CALLBACK})
"""States that the dialer picks from; CALL_ERROR joins them while `is_dialable` says so."""
TERMINAL: Final = frozenset({_S.SUCCESS, _S.RETRY_EXHAUSTED, _S.DO_NOT_RECALL})
"""States that end a lead; CALL_ERROR joins them when the number itself is wrong."""
HELD: Final = frozenset({_S.PAUSED, _S.BLACKLISTED, _S.DNC})
"""States that hold a lead back and remember where it was."""
RESULTS: Final = frozenset(
    {_T.ANSWERED, _T.CALLBACK_ASKED, _T.DO_NOT_RECALL, _T.NO_SUCCESS, _T.ERROR, _T.VOIDED},
)
"""Triggers that say what a call came to; after T26 they may still come, once."""
AGENTS_SAY: Final = frozenset({_T.ANSWERED, _T.CALLBACK_ASKED, _T.DO_NOT_RECALL})
"""What an agent's wrap-up may come to (T6 to T8)."""


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """What is stored about a lead; `attempts` have counted, with the one being settled if it counts.

    `remembered` is where the lead was before IN_PROGRESS or before it was held. `pending` is PAUSE or REMOVE asked for
    during a call (T16, T21), or PAUSE that still stands under BLACKLISTED or DNC (T20). `state` None: no such row yet.
    """

    state: LeadState | None
    remembered: LeadState | None = None
    attempts: int = 0
    max_attempts: int = 3
    error_kind: ErrorKind | None = None
    pending: Trigger | None = None


Guard: TypeAlias = Callable[[LeadFacts, ErrorKind | None], bool]
Target: TypeAlias = LeadState | Literal["remembered", "same", "removed"]


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table of statuses.md 3.2: `wait` is what becomes pending until the call is over."""

    rule: str
    sources: frozenset[LeadState | None]
    trigger: Trigger
    target: Target
    guard: Guard | None = None
    wait: Trigger | None = None

    def accepts(self, facts: LeadFacts, trigger: Trigger, error_kind: ErrorKind | None) -> bool:
        """Tell whether the row applies."""
        return (
            self.trigger is trigger
            and facts.state in self.sources
            and (self.guard is None or self.guard(facts, error_kind))
        )


def _attempts_left(facts: LeadFacts, _: ErrorKind | None) -> bool:
    return facts.attempts < facts.max_attempts


def _none_left(facts: LeadFacts, _: ErrorKind | None) -> bool:
    return facts.attempts >= facts.max_attempts


def _settled(facts: LeadFacts, _: ErrorKind | None) -> bool:
    return facts.error_kind is not _E.RECONCILE


def _settled_and_left(facts: LeadFacts, kind: ErrorKind | None) -> bool:
    return _settled(facts, kind) and _attempts_left(facts, kind)


def _may_try_again(facts: LeadFacts, _: ErrorKind | None) -> bool:
    return facts.error_kind not in (_E.NUMBER, _E.RECONCILE)


def _wrong_number(_: LeadFacts, kind: ErrorKind | None) -> bool:
    return kind is _E.NUMBER


def _our_error(_: LeadFacts, kind: ErrorKind | None) -> bool:
    return kind in (_E.HOTLINE, _E.CONTENT, _E.AGENT)


def _pause_waits(facts: LeadFacts, _: ErrorKind | None) -> bool:
    return facts.pending is _T.PAUSE


def _not_final(facts: LeadFacts, _: ErrorKind | None) -> bool:
    return not is_terminal(facts.state, facts.error_kind)


def is_terminal(state: LeadState | None, error_kind: ErrorKind | None = None) -> bool:
    """Tell whether the lead has ended: TERMINAL, or CALL_ERROR because of the number."""
    return state in TERMINAL or (state is _S.CALL_ERROR and error_kind is _E.NUMBER)


def is_dialable(state: LeadState | None, error_kind: ErrorKind | None = None) -> bool:
    """Tell whether the dialer may pick the lead once it is due: DIALABLE, or a CALL_ERROR that is not final (T13)."""
    if error_kind is _E.RECONCILE:
        return False
    return state in DIALABLE or (state is _S.CALL_ERROR and error_kind is not _E.NUMBER)


def _of(*states: LeadState | None) -> frozenset[LeadState | None]:
    return frozenset(states)


_ALL: Final = frozenset[LeadState | None](LeadState)
_CALLING: Final = _of(_S.IN_PROGRESS)
_RESTING: Final = _ALL - _CALLING
_OPEN: Final = _RESTING - TERMINAL

_CALLED_BACK: Final = _of(_S.NOT_CALLED, _S.CALLED_NO_SUCCESS, _S.CALLBACK, _S.RETRY_EXHAUSTED, _S.CALL_ERROR)

TRANSITIONS: Final = (
    Transition("T1", _of(None), _T.ADDED, _S.NOT_CALLED),
    Transition("T2", _of(None), _T.ADDED_BLACKLISTED, _S.BLACKLISTED),
    Transition("T3", _of(None), _T.ADDED_DNC, _S.DNC),
    Transition("T4", _of(_S.NOT_CALLED, _S.CALLED_NO_SUCCESS), _T.PICKED, _S.IN_PROGRESS, _settled_and_left),
    Transition("T5", _of(_S.CALLBACK), _T.PICKED, _S.IN_PROGRESS, _settled),
    Transition("T6", _CALLING, _T.ANSWERED, _S.SUCCESS),
    Transition("T7", _CALLING, _T.CALLBACK_ASKED, _S.CALLBACK),
    Transition("T8", _CALLING, _T.DO_NOT_RECALL, _S.DO_NOT_RECALL),
    Transition("T9", _CALLING, _T.NO_SUCCESS, _S.CALLED_NO_SUCCESS, _attempts_left),
    Transition("T10", _CALLING, _T.NO_SUCCESS, _S.RETRY_EXHAUSTED, _none_left),
    Transition("T11", _CALLING, _T.ERROR, _S.CALL_ERROR, _wrong_number),
    Transition("T12", _CALLING, _T.ERROR, _S.CALL_ERROR, _our_error),
    Transition("T13", _of(_S.CALL_ERROR), _T.PICKED, _S.IN_PROGRESS, _may_try_again),
    Transition("T14", _CALLING, _T.VOIDED, "remembered"),
    Transition("T15", _of(_S.NOT_CALLED, _S.CALLED_NO_SUCCESS, _S.CALLBACK, _S.CALL_ERROR), _T.PAUSE, _S.PAUSED),
    Transition("T16", _CALLING, _T.PAUSE, "same", wait=_T.PAUSE),
    Transition("T17", _of(_S.PAUSED), _T.START, "remembered"),
    Transition("T17", _CALLING, _T.START, "same", _pause_waits),
    Transition("T18", _OPEN, _T.BLACKLIST, _S.BLACKLISTED, _not_final),
    Transition("T19", _OPEN, _T.DNC, _S.DNC, _not_final),
    Transition("T20", _of(_S.BLACKLISTED, _S.DNC), _T.UNLISTED, "remembered"),
    Transition("T21", _RESTING, _T.REMOVE, "removed"),
    Transition("T21", _CALLING, _T.REMOVE, "same", wait=_T.REMOVE),
    Transition("T22", _RESTING, _T.DEDUPE, "removed"),
    Transition("T23", _of(_S.RETRY_EXHAUSTED), _T.RAISE_MAX, _S.CALLED_NO_SUCCESS, _attempts_left),
    Transition("T24", _of(_S.DO_NOT_RECALL), _T.SUPPRESSION_EXPIRED, "same"),
    Transition("T25", _ALL, _T.CAMPAIGN_STOPPED, "same"),
    Transition("T26", _CALLING, _T.WORKER_LOST, "remembered"),
    Transition("T27", _CALLED_BACK, _T.MISSED_CALL, _S.CALLBACK, _may_try_again),
)
"""The table; the first row that accepts wins. Hours, gaps and due times (T4, T5, T13) are the caller's guards.

T27 is ours, for calls to us: who called in vain is called back, unless the lead has its end, is held, or is in a call.
"""
