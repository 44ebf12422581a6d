from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from simulator.wire.course import Course, Step
from simulator.wire.ledger import COLUMNS, Ending, Ledger, Row, csv_header, expected, foreseen, to_csv, to_jsonl
from statuses.outcomes import Announcement, CallStatus


def row(**facts: object) -> Row:
    return Row("c1", "0240000000", "+84950000001", "answer", 100.0, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"status": 486, "q850": 17}, CallStatus.BUSY),
        ({"status": 480, "tried": True}, CallStatus.NOT_AVAILABLE),
        ({"status": 480, "ringing_at": 1.0}, CallStatus.NO_ANSWERED),
        ({"status": 480, "q850": 31, "announcement": Announcement.LOCKED}, CallStatus.PHONE_BLOCK),
        ({"status": 200, "answered_at": 2.0, "heard": True}, CallStatus.ANSWERED),
        ({"status": 200, "answered_at": 2.0, "heard": True, "q850": 17}, CallStatus.ANSWERED),
        ({"status": 200, "answered_at": 2.0}, CallStatus.BUSY_LINE),
        ({"status": 200, "answered_at": 2.0, "announcement": Announcement.MAILBOX}, CallStatus.VOICEMAIL),
        ({}, CallStatus.CONGESTION),
        ({"tried": True}, CallStatus.NOT_AVAILABLE),
        ({"ringing_at": 1.0}, CallStatus.CANCEL),
        ({"status": 487, "cancelled": True, "ringing_at": 1.0}, CallStatus.CANCEL),
        ({"status": 487, "cancelled": True, "tried": True}, CallStatus.NOT_AVAILABLE),
        ({"status": 487, "cancelled": True, "tried": True, "cancel_reason": "cull"}, CallStatus.CANCEL),
        ({"status": 487, "cancelled": True, "ringing_at": 1.0, "cancel_reason": "whatever"}, CallStatus.CANCEL),
        ({"status": 408, "tried": True}, CallStatus.NOT_AVAILABLE),
    ],
)
def test_the_expected_status_follows_from_what_the_carrier_saw(facts: dict[str, object], status: CallStatus) -> None:
    assert expected(row(**facts)) is status


def test_provisional_responses_are_noted_by_what_they_say() -> None:
    one = row()
    for status, at in ((100, 1.0), (180, 2.0), (180, 3.0), (199, 4.0)):
        one.say(status, at)
    assert (one.tried, one.ringing_at) == (True, 2.0)
    other = row()
    other.say(199, 1.0)
    assert (other.tried, other.ringing_at) == (False, None)


@pytest.mark.parametrize("by", Ending)
def test_a_ghost_is_an_answered_call_whose_caller_went_away(by: Ending) -> None:
    one = row(status=200, answered_at=101.0, answers=1, heard=True)
    one.close(by, 110.0)
    assert (one.ended_by, one.ended_at, one.expected) == (by, 110.0, CallStatus.ANSWERED)
    assert one.ghost == (by is Ending.LOST)


def test_a_hang_up_of_the_callee_was_when_it_said_bye() -> None:
    one = row(status=200, answered_at=101.0, ended_at=105.0)
    one.close(Ending.CALLEE, 105.5)
    assert one.ended_at == 105.0


def test_a_call_that_was_never_answered_is_no_ghost_even_if_its_caller_vanished() -> None:
    one = row(tried=True)
    one.close(Ending.LOST, 132.0)
    assert not one.ghost


def test_a_course_left_to_itself_comes_to_a_status() -> None:
    assert foreseen(Course("x", (Step(0, 180), Step(1, 200)))) is CallStatus.ANSWERED
    assert foreseen(Course("x", (Step(0, 180),))) is CallStatus.CANCEL
    assert foreseen(Course("x", (Step(0, 180),), late_answer=True)) is CallStatus.BUSY_LINE
    assert foreseen(Course("x")) is CallStatus.CONGESTION


def test_rows_are_written_as_json_lines_and_csv() -> None:
    one = row(status=486, q850=17, reason_text='busy, "really"')
    one.close(Ending.CALLEE, 103.5)
    read = json.loads(to_jsonl(one))
    assert (read["call_id"], read["status"], read["ended_by"], read["expected"]) == ("c1", 486, "callee", "busy")
    lines = (csv_header() + to_csv(one)).decode().splitlines()
    (read,) = csv.DictReader(lines)
    assert list(read) == list(COLUMNS)
    assert (read["reason_text"], read["answered_at"], read["q850"]) == ('busy, "really"', "", "17")


def test_the_ledger_counts_and_passes_on() -> None:
    rows: list[Row] = []
    ledger = Ledger(rows.append)
    for facts in ({"status": 200, "answered_at": 1.0, "answers": 1}, {"status": 486}, {"status": 486}, {}):
        one = row(**facts)
        one.close(Ending.LOST, 2.0)
        ledger.take(one)
    assert (ledger.calls, ledger.answered, ledger.ghosts) == (4, 1, 1)
    assert ledger.by_status == {200: 1, 486: 2, 0: 1}
    assert len(rows) == 4


def test_the_page_explains_every_column() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "carrier.md").read_text(encoding="utf-8")
    table = page.split("| column | meaning |")[1].split("##")[0]
    assert [name for name in COLUMNS if f"`{name}`" not in table] == []
