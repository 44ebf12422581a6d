from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony_adapters.asterisk.moments import LATE_S, Moments

T0 = 1_795_659_302.0


def stamp(at: float) -> str:
    """Write a time as Asterisk does."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def test_one_clock_an_event_that_comes_late_happened_when_it_says() -> None:
    assert Moments().of(stamp(T0), T0 + 0.4) == pytest.approx(T0, abs=0.001)


def test_a_clock_a_little_ahead_never_tells_of_the_future() -> None:
    assert Moments().of(stamp(T0 + 0.3), T0) == T0


def test_two_clocks_the_quickest_event_says_how_far_they_are_apart() -> None:
    moments = Moments()
    moments.of(stamp(T0 - 60), T0 + 0.001)
    assert moments.of(stamp(T0 - 59), T0 + 1.5) == pytest.approx(T0 + 1.0, abs=0.01)


def test_a_clock_that_was_set_is_learned_anew() -> None:
    moments = Moments()
    moments.of(stamp(T0), T0)
    assert moments.of(stamp(T0 - 3600), T0 + 1) == pytest.approx(T0 + 1, abs=0.01)


@pytest.mark.parametrize("text", ["", "yesterday"])
def test_what_cannot_be_read_says_nothing(text: str) -> None:
    assert Moments().of(text, T0) is None


@given(apart=st.floats(-1e6, 1e6), lates=st.lists(st.floats(0.0, LATE_S / 2), min_size=1, max_size=10))
def test_never_after_now_and_never_later_than_it_was_heard(apart: float, lates: list[float]) -> None:
    moments = Moments()
    for number, late in enumerate(lates):
        now = T0 + 20 * number + late
        found = moments.of(stamp(now - late - apart), now)
        assert found is not None
        assert now - LATE_S - 1.1 <= found <= now
