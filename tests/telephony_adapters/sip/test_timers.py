"""Timers fire in order, once, and cancelled ones cost no memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telephony_adapters.sip.timers import Timers


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans())), st.integers(0, 25))
def test_what_is_due_fires_once_in_the_order_of_moments_then_of_setting(
    wanted: list[tuple[int, bool]], now: int
) -> None:
    timers = Timers()
    armed = [(timers.set(at, "what", number), keep) for number, (at, keep) in enumerate(wanted)]
    for timer, keep in armed:
        if not keep:
            timers.cancel(timer)
            timers.cancel(timer)
    kept = sorted((at, number) for number, (at, keep) in enumerate(wanted) if keep)
    assert len(timers) == len(kept)
    assert timers.next() == (kept[0][0] if kept else None)
    assert [whom for _, whom in timers.due(now)] == [number for at, number in kept if at <= now]
    assert len(timers) == sum(at > now for at, _ in kept)
    assert list(timers.due(now)) == []


def test_a_timer_that_is_set_meanwhile_fires_in_the_same_turn_when_it_is_due() -> None:
    timers = Timers()
    timers.set(1, "first", 0)
    fired = []
    for what, whom in timers.due(5):
        fired.append(what)
        if whom < 3:
            timers.set(1 + whom, f"after {whom}", whom + 1)
    assert fired == ["first", "after 0", "after 1", "after 2"]


def test_nobody_and_what_has_fired_can_be_cancelled() -> None:
    timers = Timers()
    timer = timers.set(1, "what", "whom")
    assert list(timers.due(1)) == [("what", "whom")]
    timers.cancel(timer)
    timers.cancel(None)
    assert len(timers) == 0
    assert timers.next() is None


def test_cancelled_timers_are_swept_out() -> None:
    timers = Timers()
    for number in range(50_000):
        timers.cancel(timers.set(1e9, "what", number))
    keep = timers.set(2e9, "what", "kept")
    assert len(timers._heap) <= 10_002
    assert len(timers) == 1
    assert timers.next() == 2e9
    timers.cancel(keep)
    assert timers.next() is None
