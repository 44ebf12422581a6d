"""When a call's facts were: as the switch says, however late they are heard of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core import events
from dialer.core.effects import RecordProgress
from tests.dialer.core.bench_engine import Bench

TIMES = st.none() | st.floats(-100.0, 100.0)


def test_the_record_has_the_times_of_the_switch_not_those_at_which_they_were_heard() -> None:
    bench = Bench()
    bench.start()
    (call_id,) = bench.calls
    placed = bench.now
    bench.wait(2.0)
    bench.tell(events.CallRinging(call_id, placed + 0.5), events.CallAnswered(call_id, at=placed + 1.0))
    bench.tell(events.CallConnected(call_id, "a1"))
    bench.wait(5.0)
    bench.tell(events.CallEnded(call_id, sip_status=200, at=placed + 6.0))
    record = bench.settled(call_id).record
    assert (record.ringing_at, record.answered_at, record.ended_at) == (placed + 0.5, placed + 1.0, placed + 6.0)
    assert bench.of(RecordProgress)[0].at == placed + 1.0


@given(rang=TIMES, answered=TIMES, ended=TIMES)
def test_the_times_of_a_record_are_in_order_whatever_the_switch_says(
    rang: float | None, answered: float | None, ended: float | None
) -> None:
    bench = Bench()
    bench.start()
    (call_id,) = bench.calls
    at = [None if one is None else bench.now + one for one in (rang, answered, ended)]
    bench.wait(1.0)
    bench.tell(events.CallRinging(call_id, at[0]), events.CallAnswered(call_id, at=at[1]))
    bench.tell(events.CallConnected(call_id, "a1"))
    bench.wait(1.0)
    bench.tell(events.CallEnded(call_id, sip_status=200, at=at[2]))
    record = bench.settled(call_id).record
    assert record.ringing_at is not None
    assert record.answered_at is not None
    assert record.bridged_at is not None
    times = [record.started_at, record.ringing_at, record.answered_at, record.bridged_at, record.ended_at]
    assert times == sorted(times)
    assert record.ended_at <= bench.now


@pytest.mark.parametrize("at", [None, 1e12])
def test_nothing_was_later_than_it_was_heard(at: float | None) -> None:
    bench = Bench()
    bench.start()
    (call_id,) = bench.calls
    bench.tell(events.CallEnded(call_id, sip_status=486, at=at))
    assert bench.settled(call_id).record.ended_at == bench.now
