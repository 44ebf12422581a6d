from __future__ import annotations

import msgspec
import pytest

from dialer.core import events
from dialer.core.effects import Record, SettleAttempt
from dialer.core.recording import record
from dialer.core.settling import orphan_record
from dialer.core.types import AttemptIntent, OpenAttempt
from statuses.outcomes import EndedBy
from tests.dialer.core.bench_engine import SETTINGS, START, Bench

RECORDS = msgspec.structs.replace(SETTINGS, record=True)


def talking(bench: Bench) -> str:
    """Bring one call to its agent."""
    bench.start()
    call_id = bench.calls[0]
    bench.tell(events.CallAnswered(call_id), events.CallConnected(call_id, "a1"))
    return call_id


def end(bench: Bench, call_id: str) -> bool:
    """End the call and return whether its record says that a recording may follow."""
    bench.tell(events.CallEnded(call_id, ended_by=EndedBy.REMOTE))
    return bench.of(SettleAttempt)[0].record.recorded


def test_a_talk_is_recorded_from_the_join_where_the_campaign_says_so() -> None:
    bench = Bench(RECORDS)
    call_id = talking(bench)
    assert bench.of(Record) == [Record(call_id)]
    assert end(bench, call_id)


def test_nobody_is_recorded_who_does_not_talk_with_an_agent() -> None:
    bench = Bench(RECORDS)
    bench.start()
    bench.tell(events.CallAnswered(bench.calls[0]))
    assert bench.of(Record) == []
    assert not end(bench, bench.calls[0])


def test_other_campaigns_record_nothing() -> None:
    bench = Bench()
    call_id = talking(bench)
    assert bench.of(Record) == []
    assert not end(bench, call_id)


def test_a_recording_that_goes_on_is_not_ordered_again() -> None:
    bench = Bench(RECORDS)
    call_id = talking(bench)
    state = bench.engine.state
    record(state, state.calls[call_id], limit_s=30.0)
    assert bench.engine.take_effects() == []
    bench.tell(events.RecordingEnded(call_id, 5.0))
    record(state, state.calls[call_id], limit_s=30.0)
    assert bench.engine.take_effects() == [Record(call_id, 30.0)], "a talk after a message that was recorded"


@pytest.mark.parametrize(("seconds", "unrecorded"), [(12.5, 0), (None, 1)])
def test_what_the_switch_did_not_record_is_counted(seconds: float | None, unrecorded: int) -> None:
    bench = Bench(RECORDS)
    call_id = talking(bench)
    bench.tell(events.RecordingEnded(call_id, seconds), events.RecordingEnded("a stranger's", 1.0))
    assert bench.engine.state.totals.unrecorded == unrecorded
    assert end(bench, call_id), "it was ordered, so a recording may follow"


def test_of_an_attempt_that_somebody_answered_before_the_crash_a_recording_may_follow() -> None:
    intent = AttemptIntent("c1", 7, 7, 1, "+84700000007", "+842471000001", "sim", 1, START)
    assert orphan_record(OpenAttempt(intent, answered_at=START + 5), START + 60).recorded
    assert not orphan_record(OpenAttempt(intent), START + 60).recorded
