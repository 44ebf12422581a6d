from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.trunks import NO_TRUNK, TrunkLimit, TrunkPool
from dialer.core.types import HoldReason

NOW = 1_800_000_000.0
PHONE = "+84900000001"


def pool(*limits: TrunkLimit) -> TrunkPool:
    return TrunkPool(limits)


def wide(name: str, **more: Any) -> TrunkLimit:
    return TrunkLimit(name=name, channels=100_000, cps=100_000.0, burst=100_000, **more)


def takes(trunks: TrunkPool, count: int, now: float = NOW) -> list[str | None]:
    return [trunks.take(now, PHONE) for _ in range(count)]


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
    assert trunks.take(NOW + 0.24, PHONE) is None
    assert trunks.take(due, PHONE) == "a"
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
    assert trunks.take(NOW + 29.9, PHONE) is None
    assert trunks.next_token_at(NOW) == NOW + 30.0
    assert trunks.take(NOW + 30.0, PHONE) == "a"


def test_when_a_call_may_leave_the_next_token_is_now() -> None:
    assert pool(wide("a")).next_token_at(NOW) == NOW


def test_no_trunk_is_no_room() -> None:
    assert pool().room(NOW) == (0, HoldReason.TRUNK_CAPACITY)
    assert pool().take(NOW, PHONE) is None


def test_a_trunk_that_is_being_tried_takes_one_call_at_a_time() -> None:
    trunks = pool(wide("a"))
    trunks.close("a")
    trunks.open("a", 1)
    assert takes(trunks, 2) == ["a", None]
    trunks.give("a")
    assert trunks.take(NOW, PHONE) == "a"
    trunks.open("a")
    assert takes(trunks, 3) == ["a", "a", "a"]


def test_the_call_that_tries_a_trunk_comes_on_top_of_the_talks_that_are_still_on_it() -> None:
    trunks = pool(TrunkLimit("a", channels=5, cps=1000.0, burst=1000))
    assert takes(trunks, 3) == ["a"] * 3
    trunks.close("a")
    trunks.room(NOW + 1.0)
    trunks.open("a", 1)
    assert takes(trunks, 2, NOW + 2.0) == ["a", None]
    assert trunks.holds(NOW + 2.0, PHONE) is HoldReason.TRUNK_CAPACITY
    trunks.give("a", NOW)
    assert trunks.take(NOW + 3.0, PHONE) is None, "a talk that ends makes no room for a second one to try it"
    trunks.give("a", NOW + 2.0)
    assert takes(trunks, 2, NOW + 4.0) == ["a", None]
    trunks.close("a")
    trunks.give("a", NOW)
    assert trunks.take(NOW + 5.0, PHONE) is None, "a talk that ends opens no trunk"
    trunks.open("a")
    assert takes(trunks, 4, NOW + 5.0) == ["a", "a", "a", None]
    trunks.open("a", 1)
    assert trunks.take(NOW + 6.0, PHONE) is None, "never above its channels"


VIETTEL, VINA, ELSEWHERE = "+84860000001", "+84910000001", "+6500000001"


def test_the_longest_prefix_goes_first_and_a_full_trunk_leaves_it_to_the_next() -> None:
    trunks = pool(
        wide("all", priority=-1), wide("vn", prefixes=("84",)),
        TrunkLimit("viettel", channels=1, cps=9.0, burst=9, prefixes=("8486", "8496"), priority=9),
    )  # fmt: skip
    assert [trunks.take(NOW, phone) for phone in (VIETTEL, VIETTEL, VINA, ELSEWHERE)] == ["viettel", "vn", "vn", "all"]
    trunks.give("viettel")
    assert trunks.take(NOW, VIETTEL.removeprefix("+")) == "viettel", "the plus is not part of the number"


def test_a_number_that_no_trunk_serves_is_told_from_one_that_has_to_wait() -> None:
    trunks = pool(TrunkLimit("vn", channels=2, cps=1.0, prefixes=("84",)), wide("sg", prefixes=("65",)))
    assert (trunks.serves(VINA), trunks.serves("+1"), trunks.serves("+8")) == (True, False, False)
    assert trunks.take(NOW, "+1") is None
    assert trunks.holds(NOW, VINA) is None
    assert trunks.take(NOW, VINA) == "vn"
    assert trunks.holds(NOW, VINA) is HoldReason.TRUNK_CPS
    assert trunks.next_token_at(NOW, VINA) == pytest.approx(NOW + 1.0, abs=1e-5)
    assert trunks.next_token_at(NOW) == NOW, "somebody else's number may leave"
    assert trunks.take(NOW + 1.1, VINA) == "vn"
    assert trunks.holds(NOW + 2.2, VINA) is HoldReason.TRUNK_CAPACITY
    assert trunks.next_token_at(NOW + 2.2, VINA) is None


def test_a_closed_trunk_gets_no_call_until_it_is_opened() -> None:
    trunks = pool(wide("a"))
    assert trunks.take(NOW, PHONE) == "a"
    trunks.close("a")
    assert (trunks.take(NOW, PHONE), trunks.room(NOW)[0], trunks.next_token_at(NOW)) == (None, 0, None)
    trunks.give("a")
    trunks.back_off("a", NOW + 5.0)
    trunks.open("a")
    assert trunks.take(NOW, PHONE) is None, "a rest that it asked for stands"
    assert trunks.take(NOW + 5.0, PHONE) == "a"


def test_an_intent_without_a_trunk_has_no_channel_to_return() -> None:
    trunks = pool(wide("a"))
    before = trunks.room(NOW)
    trunks.give(NO_TRUNK)
    assert trunks.room(NOW) == before
    with pytest.raises(ValueError, match="a trunk needs a name"):
        pool(wide(NO_TRUNK))


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
        ({"prefixes": ("+84",)}, "prefixes"),
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
            name = trunks.take(now, PHONE)
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
            held += trunks.take(now, PHONE) is not None
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
        calls += trunks.take(now, PHONE) is not None
    assert calls <= limit.cps * (latest - first) + limit.burst + 1e-3


digits = st.text("12", min_size=1, max_size=3)
served = st.lists(digits, max_size=3).map(tuple)
routed = st.lists(
    st.builds(
        TrunkLimit, name=st.just("t"), channels=st.integers(0, 3), cps=st.floats(0.5, 9.0), burst=st.integers(1, 3),
        priority=st.integers(0, 1), prefixes=served,
    ),
    min_size=1, max_size=5,
)  # fmt: skip
orders = st.lists(st.tuples(st.sampled_from(("take", "take", "give", "close", "open", "wait")), digits), max_size=60)


def reach(limit: TrunkLimit, phone: str) -> int:
    """Return the length of the longest prefix that fits, -1 if none does: the rule written out the slow way."""
    return max((len(prefix) for prefix in limit.prefixes or ("",) if phone.startswith(prefix)), default=-1)


@given(routed, orders)
def test_a_call_takes_the_longest_prefix_and_the_first_priority_among_trunks_with_room(
    several: list[TrunkLimit], script: list[tuple[str, str]]
) -> None:
    named = [msgspec.structs.replace(one, name=f"t{n}") for n, one in enumerate(several)]
    trunks, now, held = TrunkPool(named), NOW, list[str]()
    alone = {limit.name: TrunkPool([msgspec.structs.replace(limit, prefixes=())]) for limit in named}
    for what, phone in script:
        name = named[len(phone) % len(named)].name
        if what == "wait":
            now += 0.1 * len(phone)
        elif what == "give" and held:
            back = held.pop(0)
            trunks.give(back)
            alone[back].give(back)
        elif what in {"close", "open"}:
            for one in (trunks, alone[name]):
                one.close(name) if what == "close" else one.open(name)
        elif what == "take":
            best = max(
                ((reach(limit, phone), -limit.priority) for limit in named
                 if reach(limit, phone) >= 0 and alone[limit.name].room(now)[0] > 0), default=None,
            )  # fmt: skip
            assert (trunks.holds(now, phone) is None) == (best is not None)
            assert (trunks.next_token_at(now, phone) == now) == (best is not None)
            got = trunks.take(now, phone)
            assert (got is None) == (best is None)
            if got is not None:
                limit = next(one for one in named if one.name == got)
                assert (reach(limit, phone), -limit.priority) == best
                assert alone[got].take(now, phone) == got
                held.append(got)
        assert trunks.room(now)[0] == sum(one.room(now)[0] for one in alone.values())
        assert trunks.serves(phone) == any(reach(limit, phone) >= 0 for limit in named)
