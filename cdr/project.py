"""Turn records of the log into rows of the tables: pure, so that the same range always gives the same block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec

from cdr.events import MAX_RECORD_BYTES, Cdr, Envelope, EventType, LeadMoved, RejectRecord, decode
from dialer.ports import LogRecord


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A record that was understood; `data` is typed by the event's type."""

    record: LogRecord
    event: Envelope[msgspec.Raw]
    data: Any


class DeadLetter(NamedTuple):
    """A record that never can be projected, and why; the reason holds nothing of the payload."""

    record: LogRecord
    reason: str


class Rows(msgspec.Struct, frozen=True):
    """A block for one table, by column."""

    table: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    data: list[list[Any]]
    count: int


class Projection(msgspec.Struct, frozen=True):
    """What a range of the log comes to, in the order in which it is inserted."""

    dead_letters: Rows
    calls: Rows
    lead_status: Rows
    call_events: Rows

    @property
    def blocks(self) -> tuple[Rows, ...]:
        """Return the blocks, empty ones too.

        Dead letters first: should a newer program replay the range, what it can read is in two places, not in none.
        """
        return self.dead_letters, self.calls, self.lead_status, self.call_events


class Column(NamedTuple):
    """A column of a table and where its value comes from."""

    name: str
    type: str
    value: Callable[[Any], Any]
    or_empty: bool = False
    """What is absent is told as the empty text."""


VALUE_MAX: Final = MAX_RECORD_BYTES
"""How much of a dead letter is kept beside its place in the log; what is longer can only be read there."""
_WORD: Final = "LowCardinality(String)"
_TIME: Final = "DateTime64(6, 'UTC')"
_MAYBE_TIME: Final = f"Nullable({_TIME})"


def _texts(*names: str, of: str = "data", kind: str = _WORD) -> list[Column]:
    return [Column(name, kind, attrgetter(f"{of}.{name}"), or_empty=True) for name in names]


def _plain(kind: str, *names: str, of: str = "data") -> list[Column]:
    return [Column(name, kind, attrgetter(f"{of}.{name}")) for name in names]


def _json(entry: Entry) -> str:
    return bytes(entry.event.data).decode()


_PLACE: Final = [
    Column("log_partition", "UInt32", attrgetter("record.partition")),
    Column("log_offset", "UInt64", attrgetter("record.offset")),
]
_WHO: Final = [
    *_plain("UInt64", "campaign_id", of="event"),
    Column("lead_id", "UInt64", lambda entry: entry.event.lead_id or 0),
    *_plain("String", "phone_e164", of="event"),
]

CALL_EVENTS: Final = (
    *_PLACE,
    *_plain("String", "event_id", of="event"),
    *_texts("schema_version", "tenant_id", "type", of="event"),
    *_texts("call_id", of="event", kind="String"),
    *_WHO,
    *_texts("hotline", of="event"),
    *_plain(_TIME, "occurred_at", of="event"),
    *_texts("source", of="event"),
    *_plain("UInt32", "seq", of="event"),
    Column("data", "String", _json),
)
CALLS: Final = (
    *_texts("call_id", of="event", kind="String"),
    *_plain("UInt32", "version"),
    *_WHO,
    *_texts("tenant_id", "hotline", of="event"),
    *_texts("campaign_name", "campaign_kind"),
    *_plain("UInt64", "list_id", "customer_id"),
    *_texts("trunk", "carrier", "app", "direction"),
    *_plain("UInt32", "attempt_no"),
    *_plain(_TIME, "started_at", "ended_at"),
    *_plain(_MAYBE_TIME, "ringing_at", "early_media_at", "answered_at", "bridged_at", "next_at", "callback_at"),
    *_plain("UInt64", "duration_ms", "billsec_ms", "waitsec_ms", "ring_ms", "wait_ms", "wrap_ms"),
    *_texts("agent_id", "extension", "status", "status_code", "rule_id", "attribution"),
    *_plain("Bool", "counts"),
    *_texts("sub_reason", "cancel_reason", "ended_by", "dialstatus", "fs_cause", "local_error", "amd_result"),
    *_texts("announcement", "retry_reason", "disposition", "lead_trigger"),
    *_plain("Nullable(UInt16)", "sip_status", "q850"),
    *_texts("sip_call_id", "reason_text", "note", "recording_url", kind="String"),
    Column("raw", "String", _json),
    *_PLACE,
)
LEAD_STATUS: Final = (
    *_WHO,
    *_plain("UInt64", "version", "list_id", "customer_id"),
    *_texts("tenant_id", of="event"),
    Column("state", _WORD, lambda entry: entry.data.state_to or ""),
    Column("removed", "Bool", lambda entry: entry.data.state_to is None),
    *_texts("state_from", "rule", "trigger", "last_status", "error_kind", "agent_id"),
    *_plain("UInt32", "attempts", "dialed"),
    *_plain(_MAYBE_TIME, "next_at", "callback_at"),
    Column("changed_at", _TIME, attrgetter("event.occurred_at")),
    *_PLACE,
)
DEAD_LETTERS: Final = (
    *_PLACE,
    Column("reason", "String", attrgetter("reason")),
    Column("value", "String", lambda letter: letter.record.value[:VALUE_MAX].decode("utf-8", "backslashreplace")),
)


def project(records: Sequence[LogRecord]) -> Projection:
    """Return the rows of a range; what cannot be read becomes a dead letter, never an exception."""
    entries: list[Entry] = []
    dead: list[DeadLetter] = []
    for record in records:
        try:
            entries.append(_entry(record))
        except RejectRecord as rejected:
            dead.append(DeadLetter(record, str(rejected)))
    return Projection(
        call_events=_rows("call_events", CALL_EVENTS, entries),
        calls=_rows("calls", CALLS, [entry for entry in entries if isinstance(entry.data, Cdr)]),
        lead_status=_rows(
            "lead_status", LEAD_STATUS, [entry for entry in entries if isinstance(entry.data, LeadMoved)]
        ),
        dead_letters=_rows("dead_letters", DEAD_LETTERS, dead),
    )


def _entry(record: LogRecord) -> Entry:
    understood = decode(record.value)
    event, data = understood.event, understood.data
    if isinstance(data, Cdr) and not event.call_id:
        raise RejectRecord(f"{event.type} without a call_id")
    if isinstance(data, LeadMoved) and event.lead_id is None:
        raise RejectRecord(f"{EventType.LEAD_STATE_CHANGED} without a lead_id")
    return Entry(record, event, data)


def _rows(table: str, columns: Sequence[Column], items: Sequence[Any]) -> Rows:
    return Rows(
        table=table,
        columns=tuple(column.name for column in columns),
        types=tuple(column.type for column in columns),
        data=[_values(column, items) for column in columns],
        count=len(items),
    )


def _values(column: Column, items: Sequence[Any]) -> list[Any]:
    values = map(column.value, items)
    return [value or "" for value in values] if column.or_empty else list(values)
