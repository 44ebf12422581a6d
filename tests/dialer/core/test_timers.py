"""Named timers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dialer.core.timers import Timers


def test_setting_again_moves_a_timer() -> None:
    timers = Timers()
    timers.set("a", 5.0)
    timers.set("a", 9.0)
    assert timers.next() == 9.0
    assert timers.pop(8.0) is None
    assert timers.pop(9.0) == "a"
    assert timers.next() is None


def test_set_earlier_never_postpones() -> None:
    timers = Timers()
    timers.set("a", 5.0)
    timers.set_earlier("a", 7.0)
    assert timers.next() == 5.0
    timers.set_earlier("a", 3.0)
    assert timers.next() == 3.0


@given(st.lists(st.tuples(st.sampled_from(("set", "cancel", "pop")), st.integers(0, 5), st.floats(0, 100))))
def test_timers_behave_like_a_plain_table(steps: list[tuple[str, int, float]]) -> None:
    timers, table = Timers(), dict[int, float]()
    for what, key, at in steps:
        if what == "set":
            timers.set(key, at)
            table[key] = at
        elif what == "cancel":
            timers.cancel(key)
            table.pop(key, None)
        else:
            popped = timers.pop(at)
            if popped is None:
                assert all(due > at for due in table.values())
            else:
                assert isinstance(popped, int)
                due = table.pop(popped)
                assert due <= at
                assert all(due <= other for other in table.values())
        assert timers.next() == min(table.values(), default=None)
