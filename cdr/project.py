"""Turn records of the log into rows of the tables: pure, so that the same range always gives the same block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress
from operator import attrgetter
from typing import Any, Final, NamedTuple, get_args

import msgspec

from cdr.events import MAX_RECORD_BYTES, Cdr, Data, Decoded, Envelope, EventType, LeadMoved, RejectRecord, decode
from dialer.ports import LogRecord


class Entries(NamedTuple):
    """Records that were understood, with what each came to, side by side."""

    record: list[LogRecord]
    event: list[Envelope[msgspec.Raw]]
    data: list[Any]
    text: list[str]
    """The data as it came."""

    def of(self, kind: type[Data]) -> Entries:
        """Return those with data of one kind."""
        chosen = [type(one) is kind for one in self.data]
        return Entries(*(list(compress(values, chosen)) for values in self))


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
    """A column of a table: a field of what was read, and what is made of its values."""

    name: str
    type: str
    field: str
    """Of the record, the event or its data, such as "event.call_id"."""
    made: Callable[[Iterable[Any]], list[Any]] = list


VALUE_MAX: Final = MAX_RECORD_BYTES
"""How much of a dead letter is kept beside its place in the log; what is longer can only be read there."""
_WORD: Final = "LowCardinality(String)"
_TIME: Final = "DateTime64(6, 'UTC')"
_MAYBE_TIME: Final = f"Nullable({_TIME})"


def _or_empty(values: Iterable[Any]) -> list[Any]:
    return [value or "" for value in values]


def _or_zero(values: Iterable[Any]) -> list[Any]:
    return [value or 0 for value in values]


def _are_none(values: Iterable[Any]) -> list[Any]:
    return [value is None for value in values]


def _maybe_absent(struct: type[msgspec.Struct]) -> frozenset[str]:
    """Name the fields that may be None: their texts are told as the empty one."""
    return frozenset(field.name for field in msgspec.structs.fields(struct) if type(None) in get_args(field.type))


_ABSENT: Final = {"event": _maybe_absent(Envelope), "data": _maybe_absent(Cdr) | _maybe_absent(LeadMoved)}


def _texts(*names: str, of: str = "data", kind: str = _WORD) -> list[Column]:
    return [Column(name, kind, f"{of}.{name}", _or_empty if name in _ABSENT[of] else list) for name in names]


def _plain(kind: str, *names: str, of: str = "data") -> list[Column]:
    return [Column(name, kind, f"{of}.{name}") for name in names]


_PLACE: Final = [
    Column("log_partition", "UInt32", "record.partition"),
    Column("log_offset", "UInt64", "record.offset"),
]
_WHO: Final = [
    *_plain("UInt64", "campaign_id", of="event"),
    Column("lead_id", "UInt64", "event.lead_id", _or_zero),
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
    Column("data", "String", "text"),
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
    Column("raw", "String", "text"),
    *_PLACE,
)
LEAD_STATUS: Final = (
    *_WHO,
    *_plain("UInt64", "version", "list_id", "customer_id"),
    *_texts("tenant_id", of="event"),
    Column("state", _WORD, "data.state_to", _or_empty),
    Column("removed", "Bool", "data.state_to", _are_none),
    *_texts("state_from", "rule", "trigger", "last_status", "error_kind", "agent_id"),
    *_plain("UInt32", "attempts", "dialed"),
    *_plain(_MAYBE_TIME, "next_at", "callback_at"),
    Column("changed_at", _TIME, "event.occurred_at"),
    *_PLACE,
)
DEAD_LETTERS: Final = (
    *_PLACE,
    Column("reason", "String", "reason"),
    Column("value", "String", "record.value", lambda values: [_shown(value) for value in values]),
)


def project(records: Sequence[LogRecord]) -> Projection:
    """Return the rows of a range; what cannot be read becomes a dead letter, never an exception."""
    every = Entries([], [], [], [])
    dead: list[LogRecord] = []
    reasons: list[str] = []
    for record in records:
        try:
            understood, text = _understood(record.value)
        except RejectRecord as rejected:
            dead.append(record)
            reasons.append(str(rejected))
            continue
        every.record.append(record)
        every.event.append(understood.event)
        every.data.append(understood.data)
        every.text.append(text)
    return Projection(
        call_events=_rows("call_events", CALL_EVENTS, every._asdict()),
        calls=_rows("calls", CALLS, every.of(Cdr)._asdict()),
        lead_status=_rows("lead_status", LEAD_STATUS, every.of(LeadMoved)._asdict()),
        dead_letters=_rows("dead_letters", DEAD_LETTERS, {"record": dead, "reason": reasons}),
    )


def _understood(value: bytes) -> tuple[Decoded, str]:
    understood = decode(value)
    event, kind = understood.event, type(understood.data)
    if kind is LeadMoved and event.lead_id is None:
        raise RejectRecord(f"{EventType.LEAD_STATE_CHANGED} without a lead_id")
    if kind is Cdr and not event.call_id:
        raise RejectRecord(f"{event.type} without a call_id")
    try:
        return understood, str(event.data, "utf-8")
    except UnicodeDecodeError:  # the decoder does not look into fields that it does not know
        raise RejectRecord("not JSON (UnicodeDecodeError)") from None


def _rows(table: str, columns: Sequence[Column], of: Mapping[str, Sequence[Any]]) -> Rows:
    return Rows(
        table=table,
        columns=tuple(column.name for column in columns),
        types=tuple(column.type for column in columns),
        data=[_values(column, of) for column in columns],
        count=len(of["record"]),
    )


def _values(column: Column, of: Mapping[str, Sequence[Any]]) -> list[Any]:
    source, _, field = column.field.partition(".")
    return column.made(map(attrgetter(field), of[source]) if field else of[source])


def _shown(value: bytes) -> str:
    return value[:VALUE_MAX].decode("utf-8", "backslashreplace")
