"""The carrier's own call records: one row per call, from what it saw, to compare with the dialer's call by call."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from simulator.wire.course import Course
from statuses.classify import AttemptFacts, classify
from statuses.outcomes import Announcement, CallStatus, CancelReason, EndedBy

_OK: Final = 200
_RINGING: Final = 180
_TIMED_OUT: Final = 408
_PROGRESS: Final = frozenset({100, 181, 182, 183})


class Ending(StrEnum):
    """Who ended a call."""

    CALLER = "caller"
    CALLEE = "callee"
    """The person, or the network with a refusal."""
    LOST = "lost"
    """The caller went away without a BYE: no ACK, no answer to ours, or past the profile's `longest_s`."""
    STOPPED = "stopped"
    """The carrier was stopped while the call was up."""


class Row(msgspec.Struct):
    """One INVITE and all that came of it; repeats with credentials belong to the same row. Times: epoch seconds."""

    call_id: str
    caller: str
    called: str
    fate: str
    invited_at: float
    attempt_no: int = 1
    tried: bool = False
    """A 100, 181, 182 or 183 was sent."""
    ringing_at: float | None = None
    """The first 180 was sent."""
    answered_at: float | None = None
    ended_at: float | None = None
    status: int | None = None
    """The final response, None = none was sent."""
    q850: int | None = None
    """The cause in its Reason header."""
    reason_text: str | None = None
    announcement: Announcement | None = None
    """The recording that the caller was told of."""
    ended_by: Ending | None = None
    cancelled: bool = False
    cancel_reason: str | None = None
    """The text of the Reason header of the caller's CANCEL or BYE."""
    answers: int = 0
    """2xx with different To tags."""
    acked: int = 0
    """Those that were acknowledged."""
    heard: bool = False
    """The callee had somebody to hear: the caller's SDP was not held."""
    challenges: int = 0
    """401 and 407 that were sent before."""
    rtp_in: int = 0
    rtp_out: int = 0
    ghost: bool = False
    """A 2xx that its caller left alone: no ACK within 32 s, or no BYE at all."""
    expected: CallStatus | None = None
    """The status that the dialer should have come to."""

    def say(self, status: int, now: float) -> None:
        """Note a provisional response that was sent."""
        if status == _RINGING:
            if self.ringing_at is None:
                self.ringing_at = now
        elif status in _PROGRESS:
            self.tried = True

    def close(self, by: Ending, now: float) -> None:
        """End the row and judge it; a hang-up of ours was at its own moment."""
        self.ended_by, self.ended_at = by, now if self.ended_at is None else self.ended_at
        self.ghost = by is Ending.LOST and self.answered_at is not None
        self.expected = expected(self)


def expected(row: Row) -> CallStatus:
    """Return what the twelve-status table makes of a call, from the carrier's facts alone (statuses.md 2.4)."""
    answered = row.answered_at is not None
    return _judged(
        row.status, None if answered else row.q850, row.reason_text, row.announcement,
        row.tried, row.ringing_at is not None, answered, row.ended_by is Ending.CALLER,
        row.cancelled, row.cancel_reason, row.heard,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _judged(  # noqa: PLR0913, PLR0917 - the key of a cache
    status: int | None, q850: int | None, reason_text: str | None, announcement: Announcement | None,
    tried: bool, rang: bool, answered: bool, by_caller: bool,  # noqa: FBT001
    cancelled: bool, cancel_reason: str | None, heard: bool,  # noqa: FBT001
) -> CallStatus:  # fmt: skip
    silent = status is None and not (rang or tried)
    stated = next((reason for reason in CancelReason if reason == cancel_reason), None)
    if stated is None and not answered and (cancelled or (status is None and not silent)):
        stated = CancelReason.RING_TIMEOUT
    facts = AttemptFacts(
        sip_status=_TIMED_OUT if silent else status, q850=q850, reason_text=reason_text, announcement=announcement,
        progressed=tried, rang=rang, answered=answered, agent_bridged=heard, cancel_reason=stated,
        ended_by=EndedBy.DIALER if silent or by_caller else EndedBy.REMOTE,
    )  # fmt: skip
    return classify(facts).status


def foreseen(course: Course) -> CallStatus:
    """Return the status of a course that is left to itself by a caller who talks when it answers."""
    row = Row("", "", "", course.name, 0.0)
    for step in course.steps:
        row.announcement = step.announcement or row.announcement
        if step.status < _OK:
            row.say(step.status, step.at_s)
            continue
        row.status, row.q850, row.reason_text = step.status, step.q850, step.text
        if step.status == _OK:
            row.answered_at, row.heard = step.at_s, True
    if course.late_answer and row.answered_at is None:
        row.answered_at = 0.0
    return expected(row)


COLUMNS: Final[Sequence[str]] = Row.__struct_fields__
_json = msgspec.json.Encoder()


def to_jsonl(row: Row) -> bytes:
    """Write a row as one line of JSON."""
    return _json.encode(row) + b"\n"


def to_csv(row: Row) -> bytes:
    """Write a row as one line of CSV; what is not known is empty."""
    values = msgspec.to_builtins(row)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow("" if values[name] is None else values[name] for name in COLUMNS)
    return text.getvalue().encode()


def csv_header() -> bytes:
    """Return the first line of a CSV file."""
    return (",".join(COLUMNS) + "\n").encode()


class Ledger:
    """Take rows as calls end; keep the totals; hand each row to `sink`."""

    def __init__(self, sink: Callable[[Row], None]) -> None:
        self._sink = sink
        self.calls = 0
        self.answered = 0
        self.ghosts = 0
        self.by_status: dict[int, int] = {}
        """Closed calls by final response; 0 = none was sent."""

    def take(self, row: Row) -> None:
        """Take a row that is closed."""
        self.calls += 1
        self.answered += row.answered_at is not None
        self.ghosts += row.ghost
        code = row.status or 0
        self.by_status[code] = self.by_status.get(code, 0) + 1
        self._sink(row)
