"""Whether a trunk lives: the table, row by row, and what must hold whatever is heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuses.classify import AttemptFacts, classify
from telephony_adapters.trunks.health import (
    ALARM_NUMBERS,
    EXITS,
    TRANSITIONS,
    Health,
    Signal,
    State,
    TrunkChanged,
    Why,
    signal_of,
)

REST = 60.0
S = Signal


def health(*signals: Signal, limit: int = 2) -> Health:
    one = Health("a", failures_to_rest=limit, rest_s=REST)
    for signal in signals:
        one.tell(signal, 0.0)
    return one


def seen(one: Health) -> tuple[State, float | None, Why]:
    return one.state, one.until, one.why


@pytest.mark.parametrize(
    ("signals", "state", "until", "why"),
    [
        ((), State.UP, None, Why.NOTHING),
        ((S.SILENT,), State.SUSPECT, None, Why.OPTIONS),
        ((S.SILENT, S.ALIVE), State.UP, None, Why.NOTHING),
        ((S.SILENT, S.SILENT), State.DOWN, None, Why.OPTIONS),
        ((S.SILENT, S.SILENT, S.RESTED), State.DOWN, None, Why.OPTIONS),
        ((S.SILENT, S.SILENT, S.ALIVE), State.UP, None, Why.NOTHING),
        ((S.CALL_FAILED,), State.SUSPECT, None, Why.CALLS),
        ((S.CALL_FAILED, S.ALIVE), State.SUSPECT, None, Why.CALLS),
        ((S.CALL_FAILED, S.CALL_WORKED), State.UP, None, Why.NOTHING),
        ((S.CALL_FAILED, S.ALIVE, S.CALL_FAILED), State.DOWN, REST, Why.CALLS),
        ((S.CALL_FAILED, S.CALL_FAILED, S.CALL_FAILED), State.DOWN, REST, Why.CALLS),
        ((S.CALL_FAILED, S.CALL_FAILED, S.CALL_WORKED), State.UP, None, Why.NOTHING),
        ((S.CALL_FAILED, S.CALL_FAILED, S.ALIVE), State.PROBING, None, Why.NOTHING),
        ((S.CALL_FAILED, S.CALL_FAILED, S.RESTED), State.PROBING, None, Why.NOTHING),
        ((S.CALL_FAILED, S.CALL_FAILED, S.RESTED, S.ALIVE), State.PROBING, None, Why.NOTHING),
        ((S.CALL_FAILED, S.CALL_FAILED, S.RESTED, S.CALL_WORKED), State.UP, None, Why.NOTHING),
        ((S.CALL_FAILED, S.CALL_FAILED, S.RESTED, S.CALL_FAILED), State.DOWN, REST, Why.CALLS),
        ((S.CALL_FAILED, S.CALL_FAILED, S.RESTED, S.SILENT, S.SILENT), State.DOWN, None, Why.OPTIONS),
        ((S.CALL_FAILED, S.CALL_FAILED, S.SILENT, S.SILENT), State.DOWN, None, Why.OPTIONS),
        ((S.SILENT, S.SILENT, S.CALL_FAILED, S.CALL_FAILED), State.DOWN, None, Why.OPTIONS),
        ((S.SILENT, S.SILENT, S.ALIVE, S.SILENT), State.SUSPECT, None, Why.OPTIONS),
        ((S.RETRY_AFTER,), State.DOWN, REST, Why.RETRY_AFTER),
        ((S.RETRY_AFTER, S.ALIVE, S.CALL_WORKED), State.DOWN, REST, Why.RETRY_AFTER),
        ((S.RETRY_AFTER, S.RESTED), State.PROBING, None, Why.NOTHING),
        ((S.ALARM,), State.DOWN, REST, Why.ALARM),
        ((S.ALARM, S.RESTED), State.PROBING, None, Why.NOTHING),
        ((S.UNREGISTERED,), State.DOWN, None, Why.REGISTRATION),
        ((S.UNREGISTERED, S.ALIVE, S.RESTED), State.DOWN, None, Why.REGISTRATION),
        ((S.UNREGISTERED, S.RETRY_AFTER), State.DOWN, None, Why.REGISTRATION),
        ((S.UNREGISTERED, S.REGISTERED), State.UP, None, Why.NOTHING),
        ((S.DRAIN,), State.DRAINING, None, Why.OPERATOR),
        ((S.DRAIN, S.CALL_FAILED, S.CALL_FAILED, S.SILENT, S.SILENT), State.DRAINING, None, Why.OPERATOR),
        ((S.DRAIN, S.RESUME), State.UP, None, Why.NOTHING),
        ((S.DRAIN, S.CALL_FAILED, S.RESUME, S.CALL_FAILED), State.SUSPECT, None, Why.CALLS),
        ((S.DRAIN, S.UNREGISTERED, S.RESUME), State.DOWN, None, Why.REGISTRATION),
        ((S.UNREGISTERED, S.DRAIN, S.REGISTERED, S.RESUME), State.UP, None, Why.NOTHING),
    ],
)
def test_what_a_trunk_comes_to(signals: tuple[Signal, ...], state: State, until: float | None, why: Why) -> None:
    assert seen(health(*signals)) == (state, until, why)


def test_each_change_is_told_once() -> None:
    one = health()
    assert one.tell(S.CALL_FAILED, 1.0) == TrunkChanged("a", State.SUSPECT, None, "its calls fail")
    assert one.tell(S.SILENT, 2.0) is None
    assert one.tell(S.CALL_FAILED, 3.0) == TrunkChanged("a", State.DOWN, 63.0, "its calls fail")
    assert one.tell(S.CALL_FAILED, 5.0) is None, "calls that were on their way do not prolong the rest"
    assert one.tick(62.9) is None
    assert one.tick(63.0) == TrunkChanged("a", State.PROBING, None, "")
    assert one.tick(64.0) is None


def test_a_longer_rest_stands_and_none_is_longer_than_an_hour() -> None:
    one = health()
    one.tell(S.RETRY_AFTER, 0.0, rest_s=500.0)
    one.tell(S.RETRY_AFTER, 1.0, rest_s=5.0)
    assert one.until == 500.0
    one.tell(S.RETRY_AFTER, 2.0, rest_s=1e9)
    assert one.until == 3602.0


@pytest.mark.parametrize(
    ("status", "facts", "signal"),
    [
        (503, {}, S.CALL_FAILED),
        (503, {"made_here": True}, S.CALL_FAILED),
        (503, {"made_here": True, "rang": True}, S.CALL_WORKED),
        (408, {"made_here": True}, S.CALL_FAILED),
        (401, {}, S.CALL_FAILED),
        (407, {}, S.CALL_FAILED),
        (408, {}, S.CALL_WORKED),
        (200, {}, S.CALL_WORKED),
        (180, {}, S.CALL_WORKED),
        (486, {}, S.CALL_WORKED),
        (404, {}, S.CALL_WORKED),
        (500, {}, S.CALL_WORKED),
        (408, {"made_here": True, "cancelled": True}, None),
        (503, {"made_here": True, "cancelled": True}, None),
        (408, {"made_here": True, "cancelled": True, "progressed": True}, S.CALL_WORKED),
        (401, {"cancelled": True}, None),
        (407, {"cancelled": True}, None),
        (487, {"cancelled": True}, S.CALL_WORKED),
    ],
)
def test_which_responses_speak_of_the_trunk(status: int, facts: dict[str, bool], signal: Signal | None) -> None:
    assert signal_of(status, **facts) is signal


def test_many_different_numbers_refused_alike_take_the_trunk_down() -> None:
    one, gone, busy = health(), classify(AttemptFacts(sip_status=404)), classify(AttemptFacts(sip_status=486))
    told = [one.judged(f"n{n}", gone if n % 10 else busy, float(n)) for n in range(2 * ALARM_NUMBERS)]
    changes = [change for change in told if change is not None]
    assert [(change.state, change.why) for change in changes] == [(State.DOWN, Why.ALARM)]
    assert told.index(changes[0]) >= ALARM_NUMBERS
    few = health()
    assert [few.judged("the same", gone, float(n)) for n in range(99)] == [None] * 99


@given(st.lists(st.tuples(st.sampled_from(Signal), st.floats(0.0, 50.0)), max_size=60), st.integers(1, 4))
def test_whatever_is_heard_the_table_holds_and_there_is_a_way_back(
    heard: list[tuple[Signal, float]], limit: int
) -> None:
    one, now = health(limit=limit), 0.0
    for signal, wait in heard:
        now += wait
        before = seen(one)
        change = one.tell(signal, now)
        assert (change is not None) == (seen(one) != before)
        assert (one.state in {State.UP, State.PROBING}) == (one.why is Why.NOTHING)
        assert one.until is None or one.state is State.DOWN
    for signal in (S.RESUME, S.REGISTERED, S.ALIVE, S.RESTED, S.CALL_WORKED):
        one.tell(signal, now)
    assert one.state is State.UP


def test_every_way_down_has_a_way_out_and_no_row_is_for_nothing() -> None:
    assert set(EXITS) == set(Why) - {Why.NOTHING, Why.OPERATOR}
    assert all((state, signal) != (to, signal) or state is State.DOWN for (state, signal), to in TRANSITIONS.items())
