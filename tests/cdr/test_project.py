from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.encode import OutboxEvent, attempt_settled, disposition_set, lead_changed
from cdr.memory import MemoryEventLog
from cdr.project import CALL_EVENTS, CALLS, DEAD_LETTERS, LEAD_STATUS, Column, Rows, project
from dialer.core.types import AttemptRecord
from dialer.ports import LogRecord
from tests.cdr.samples import CAMPAIGN, START, any_attempt, change, life, result, talk


def records(*values: bytes) -> list[LogRecord]:
    return [LogRecord(2, 10 + place, "k", value) for place, value in enumerate(values)]


def of(*events: OutboxEvent) -> list[LogRecord]:
    return records(*(event.value for event in events))


def as_dicts(rows: Rows) -> list[dict[str, Any]]:
    return [dict(zip(rows.columns, values, strict=True)) for values in zip(*rows.data, strict=True)]


def test_every_record_becomes_a_call_event_at_its_place() -> None:
    events = list(life(1))
    rows = as_dicts(project(of(*events)).call_events)
    assert [(row["log_partition"], row["log_offset"]) for row in rows] == [(2, 10 + n) for n in range(len(events))]
    assert [row["event_id"] for row in rows] == [event.event_id for event in events]
    assert rows[0]["data"] == '{"trunk":"sim","attempt_no":1,"list_id":4,"customer_id":10001}'


def test_only_whole_cdrs_become_calls_with_the_version_of_the_writer() -> None:
    record = talk()
    done = disposition_set(result(record, disposition="SALE"), record, START, CAMPAIGN)
    calls = as_dicts(project(of(*attempt_settled(record, CAMPAIGN), done)).calls)
    assert [(row["call_id"], row["version"], row["disposition"]) for row in calls] == [
        ("call-000001", 1, ""), ("call-000001", 2, "SALE"),
    ]  # fmt: skip


def test_a_lead_change_becomes_a_lead_status_row() -> None:
    moved, gone = change(5, 3, "callback", callback_at=START), change(5, 4, None)
    rows = as_dicts(project(of(lead_changed(moved, CAMPAIGN), lead_changed(gone, CAMPAIGN))).lead_status)
    assert [(row["lead_id"], row["version"], row["state"], row["removed"]) for row in rows] == [
        (5, 3, "callback", False), (5, 4, "", True),
    ]  # fmt: skip
    assert rows[0]["callback_at"] == int(START) * 1_000_000


def test_what_cannot_be_read_becomes_a_dead_letter_and_disturbs_nothing() -> None:
    good = attempt_settled(talk(), CAMPAIGN)[-1].value
    projection = project(records(b"\xff{", good, b"{}"))
    dead = as_dicts(projection.dead_letters)
    assert [(row["log_offset"], row["value"]) for row in dead] == [(10, "\\xff{"), (12, "{}")]
    assert all(row["reason"] for row in dead)
    assert (projection.call_events.count, projection.calls.count) == (1, 1)


def test_bytes_that_are_no_text_in_a_field_that_nobody_knows_are_a_dead_letter() -> None:
    ringing = next(event.value for event in life(1) if b"call.ringing" in event.value)
    broken = ringing.replace(b'"data":{}', b'"data":{"x":"\xff"}')
    assert broken != ringing
    projection = project(records(broken, ringing))
    assert [row["reason"] for row in as_dicts(projection.dead_letters)] == ["not JSON (UnicodeDecodeError)"]
    assert projection.call_events.count == 1


def test_a_whole_cdr_without_a_call_and_a_change_without_a_lead_are_dead_letters() -> None:
    cdr = attempt_settled(talk(), CAMPAIGN)[-1].value.replace(b'"call_id":"call-000001"', b'"call_id":null')
    moved = lead_changed(change(5, 3, "paused"), CAMPAIGN).value.replace(b'"lead_id":5', b'"lead_id":null')
    projection = project(records(cdr, moved))
    assert [row["reason"] for row in as_dicts(projection.dead_letters)] == [
        "cdr.finalized without a call_id", "lead.state_changed without a lead_id",
    ]  # fmt: skip
    assert projection.call_events.count == 0


@given(st.lists(any_attempt(), max_size=4), st.lists(st.binary(max_size=30), max_size=4), st.randoms())
def test_every_record_is_told_exactly_once_and_always_alike(
    attempts: list[AttemptRecord], noise: list[bytes], chance: Any
) -> None:
    values = [event.value for record in attempts for event in attempt_settled(record, CAMPAIGN)] + noise
    chance.shuffle(values)
    span = records(*values)
    projection = project(span)
    places = [row["log_offset"] for rows in (projection.call_events, projection.dead_letters) for row in as_dicts(rows)]
    assert sorted(places) == [record.offset for record in span]
    assert project(span) == projection
    assert projection.calls.count == len(attempts)


@pytest.mark.parametrize(
    ("number", "table", "columns"),
    [
        ("0001", "call_events", CALL_EVENTS),
        ("0002", "calls", CALLS),
        ("0003", "lead_status", LEAD_STATUS),
        ("0004", "dead_letters", DEAD_LETTERS),
    ],
)
def test_the_columns_and_types_are_those_of_the_table(number: str, table: str, columns: tuple[Column, ...]) -> None:
    text = files("cdr").joinpath("sql", f"{number}_{table}.sql").read_text()
    found = dict(re.findall(r"^    ([a-z]\w+) (.+?)(?: CODEC\(.*\))?,?$", text, re.MULTILINE))
    assert {column.name: column.type for column in columns} == found


def test_the_log_of_the_simulator_has_the_same_shape() -> None:
    log = MemoryEventLog()
    first = log.append("1", b"{}")
    assert first == LogRecord(0, 1, "1", b"{}")
