from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.trunks import TrunkLimit, TrunkPool
from dialer.core.types import HoldReason

NOW = 1_800_000_000.0


def pool(*limits: TrunkLimit) -> TrunkPool:
    return TrunkPool(limits)


def wide(name: str, **more: Any) -> TrunkLimit:
    return TrunkLimit(name=name, channels=100_000, cps=100_000.0, burst=100_000, **more)


def takes(trunks: TrunkPool, count: int, now: float = NOW) -> list[str | None]:
    return [trunks.take(now) for _ in range(count)]


def test_channels_bind_and_come_back() -> None:
    trunks = pool(TrunkLimit("a", channels=2, cps=100.0, burst=10))
    assert trunks.room(NOW) == (2, HoldReason.TRUNK_CAPACITY)
    assert takes(trunks, 3) == ["a", "a", None]
    assert trunks.next_token_at(NOW) is None
    trunks.give("a")
    assert trunks.room(NOW) == (1, HoldReason.TRUNK_CAPACITY)


def test_the_rate_binds_and_time_brings_tokens() -> None:
    trunks = pool(TrunkLimit("a", channels=100, cps=4.0, burst=2))
    assert trunks.room(NOW) == (2, HoldReason.TRUNK_CPS)
    assert takes(trunks, 3) == ["a", "a", None]
    due = trunks.next_token_at(NOW)
    assert due is not None
    assert due == pytest.approx(NOW + 0.25, abs=1e-5)
    assert trunks.take(NOW + 0.24) is None
    assert trunks.take(due) == "a"
    assert trunks.room(NOW + 60.0) == (2, HoldReason.TRUNK_CPS)


def test_the_first_priority_is_used_up_before_the_second() -> None:
    trunks = pool(wide("dear", priority=2), TrunkLimit("cheap", channels=2, cps=100.0, burst=9, priority=1))
    assert takes(trunks, 4) == ["cheap", "cheap", "dear", "dear"]


def test_equals_share_by_weight_and_evenly() -> None:
    trunks = pool(wide("a", weight=5), wide("b", weight=1), wide("c", weight=1))
    assert takes(trunks, 7) == ["a", "a", "b", "a", "c", "a", "a"]


def test_a_trunk_that_asked_for_rest_gets_it() -> None:
    trunks = pool(wide("a"))
    trunks.back_off("a", NOW + 30.0)
    trunks.back_off("a", NOW + 5.0)
    assert trunks.take(NOW + 29.9) is None
    assert trunks.next_token_at(NOW) == NOW + 30.0
    assert trunks.take(NOW + 30.0) == "a"


def test_when_a_call_may_leave_the_next_token_is_now() -> None:
    assert pool(wide("a")).next_token_at(NOW) == NOW


def test_no_trunk_is_no_room() -> None:
    assert pool().room(NOW) == (0, HoldReason.TRUNK_CAPACITY)
    assert pool().take(NOW) is None


def test_unknown_trunks_and_channels_never_taken_are_named() -> None:
    trunks = pool(wide("a"), wide("b"))
    with pytest.raises(ValueError, match="no trunk 'z'; there are: a, b"):
        trunks.give("z")
    with pytest.raises(ValueError, match="trunk 'a': a channel was returned that was never taken"):
        trunks.give("a")
    with pytest.raises(ValueError, match="same name"):
        pool(wide("a"), wide("a"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channels": -1}, "channels"),
        ({"cps": 0.0}, "cps"),
        ({"cps": float("nan")}, "cps"),
        ({"burst": 0}, "burst"),
        ({"weight": 0}, "weight"),
    ],
)
def test_impossible_limits_are_named(change: dict[str, Any], field: str) -> None:
    limit: dict[str, Any] = {"name": "a", "channels": 1, "cps": 1.0} | change
    with pytest.raises(ValueError, match=f"trunk 'a': {field}"):
        pool(TrunkLimit(**limit))


steps = st.lists(
    st.tuples(st.sampled_from(("take", "take", "take", "give", "wait")), st.floats(0.0, 3.0)), min_size=1, max_size=120
)
limits = st.builds(
    TrunkLimit,
    name=st.just("a"),
    channels=st.integers(0, 20),
    cps=st.floats(0.05, 200.0),
    burst=st.integers(1, 12),
)


def live(trunks: TrunkPool, script: list[tuple[str, float]]) -> list[tuple[float, str]]:
    """Play a script; check at each step that room, take and next_token_at agree; return (when, trunk) of the calls."""
    now, taken, calls = NOW, Counter[str](), []
    for what, wait in script:
        room, _ = trunks.room(now)
        due = trunks.next_token_at(now)
        assert (room > 0) == (due == now)
        if what == "wait":
            now += wait
        elif what == "take":
            name = trunks.take(now)
            assert (name is not None) == (room > 0)
            if name is not None:
                assert trunks.room(now)[0] == room - 1
                taken[name] += 1
                calls.append((now, name))
            elif due is not None:
                now = due
                assert trunks.room(now)[0] > 0
        elif taken:
            name = next(iter(taken))
            trunks.give(name)
            taken -= Counter((name,))
    return calls


@given(limits, steps)
def test_never_above_rate_times_time_plus_burst(limit: TrunkLimit, script: list[tuple[str, float]]) -> None:
    times = [when for when, _ in live(pool(limit), script)]
    for first in range(len(times)):
        for last in range(first, len(times)):
            assert last - first + 1 <= limit.cps * (times[last] - times[first]) + limit.burst + 1e-3


@given(limits, steps)
def test_never_above_the_channels(limit: TrunkLimit, script: list[tuple[str, float]]) -> None:
    trunks, now, held = pool(limit), NOW, 0
    for what, wait in script:
        if what == "wait":
            now += wait
        elif what == "take":
            held += trunks.take(now) is not None
        elif held:
            trunks.give("a")
            held -= 1
        assert held <= limit.channels
        assert trunks.room(now)[0] <= limit.channels - held


@given(st.lists(limits, min_size=1, max_size=4), steps)
def test_the_same_questions_get_the_same_answers(several: list[TrunkLimit], script: list[tuple[str, float]]) -> None:
    named = [TrunkLimit(f"t{n}", one.channels, one.cps, one.burst, n % 2, n + 1) for n, one in enumerate(several)]
    assert live(TrunkPool(named), script) == live(TrunkPool(named), script)


@given(limits, st.lists(st.floats(-50.0, 50.0), min_size=1, max_size=40))
def test_a_clock_that_steps_back_gives_no_tokens(limit: TrunkLimit, steps_s: list[float]) -> None:
    trunks, now, first, calls = pool(limit), NOW, NOW + steps_s[0], 0
    latest = first
    for step in steps_s:
        now += step
        latest = max(latest, now)
        calls += trunks.take(now) is not None
    assert calls <= limit.cps * (latest - first) + limit.burst + 1e-3
