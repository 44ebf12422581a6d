"""Timers fire in order, once, and cancelled ones cost no memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telephony_adapters.sip.timers import Timer, Timers


@given(st.lists(st.tuples(st.sampled_from(["set", "after", "cancel", "fire"]), st.integers(0, 9), st.integers(0, 3))))
def test_whatever_is_set_and_cancelled_fires_once_in_the_order_of_moments_then_of_setting(
    steps: list[tuple[str, int, int]],
) -> None:
    timers = Timers()
    armed: dict[int, Timer] = {}
    now = 0
    for number, (what, which, ahead) in enumerate(steps):
        match what:
            case "set":
                armed[number] = timers.set(now + which, "what", number)
            case "after":
                armed[number] = timers.after([1, 4, 32][which % 3], now, "what", number)
            case "cancel" if armed:
                timer = armed.pop(sorted(armed)[which % len(armed)])
                timers.cancel(timer)
                timers.cancel(timer)
            case "fire":
                now += ahead
                due = sorted((timer[0], number) for number, timer in armed.items() if timer[0] <= now)
                assert [whom for _, whom in timers.due(now)] == [number for _, number in due]
                for _, whom in due:
                    del armed[whom]
            case _:
                pass
        assert len(timers) == len(armed)
        assert timers.next() == min((timer[0] for timer in armed.values()), default=None)


def test_a_clock_that_was_set_back_disturbs_no_order() -> None:
    timers = Timers()
    timers.after(5, 100, "what", "late")
    timers.after(5, 90, "what", "early")
    assert [whom for _, whom in timers.due(200)] == ["early", "late"]


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
    for number in range(25_000):
        timers.cancel(timers.set(1e9, "what", number))
        timers.cancel(timers.after(1e9, 0, "what", number))
    keep = timers.set(2e9, "what", "kept")
    assert timers.kept <= 10_002
    assert len(timers) == 1
    assert timers.next() == 2e9
    timers.cancel(keep)
    assert timers.next() is None
