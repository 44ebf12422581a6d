"""Routes and gates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.trunks import TrunkPool
from telephony_adapters.trunks.health import Signal, State
from telephony_adapters.trunks.model import Trunk
from telephony_adapters.trunks.reading import table
from telephony_adapters.trunks.routes import Closed, ClosedReason, Gate, candidates, dialled, limit_of

NOW = 1_800_000_000.0
NUMBER = "84900000001"


def trunk(name: str = "a", **more: object) -> Trunk:
    return table(Trunk, {"server": "sip.a.vn", "channels": 3, "cps": 2} | more, "trunk", name=name)


@pytest.mark.parametrize(
    ("number_format", "digits", "leaves"),
    [
        ("e164", NUMBER, NUMBER),
        ("e164_plus", NUMBER, "+" + NUMBER),
        ("national", NUMBER, "0900000001"),
        ("national", "842471000001", "02471000001"),
        ("national", "6591234567", "006591234567"),
    ],
)
def test_how_a_number_leaves(number_format: str, digits: str, leaves: str) -> None:
    assert dialled(trunk(number_format=number_format), digits) == leaves


def test_the_engine_learns_of_a_trunk_what_it_needs() -> None:
    limit = limit_of(trunk(priority=4, weight=7, prefixes=["8490"], cps=9))
    assert (limit.name, limit.channels, limit.cps, limit.burst) == ("a", 3, 9.0, 9)
    assert (limit.priority, limit.weight, limit.prefixes) == (4, 7, ("8490",))


@given(st.integers(1, 60), st.floats(0.1, 50.0))
def test_the_calls_of_a_minute_are_a_rate_that_the_gate_never_has_to_refuse(most: int, cps: float) -> None:
    one = trunk(channels=100_000, calls_per_minute=most, cps=cps)
    pool, gate, now = TrunkPool([limit_of(one)]), Gate(one, patience_s=0.001), NOW
    for call in range(3 * most):
        now = max(now, pool.next_token_at(now) or now)
        assert pool.take(now, NUMBER) == "a"
        assert gate.admit(str(call), now) == pytest.approx(now, abs=1e-5)


def test_candidates_come_in_the_order_in_which_they_are_asked() -> None:
    trunks = [
        trunk("all"), trunk("later", priority=1), trunk("half", weight=3),
        trunk("mobifone", prefixes=["8490", "84"], priority=9), trunk("abroad", prefixes=["65"]),
    ]  # fmt: skip
    found = [(one.trunk.name, one.prefix, one.share) for one in candidates(trunks, NUMBER)]
    assert found == [("mobifone", "8490", 1.0), ("half", "", 0.75), ("all", "", 0.25), ("later", "", 1.0)]
    assert candidates([trunk("abroad", prefixes=["65"])], NUMBER) == []


def test_a_gate_gives_channels_and_takes_them_back() -> None:
    gate = Gate(trunk(cps=100))
    assert [gate.admit(call, NOW) for call in "123"] == [NOW] * 3
    assert gate.admit("4", NOW) == Closed(ClosedReason.CHANNELS, 1.0)
    gate.give("2")
    gate.give("?")
    assert gate.calls == 2
    assert gate.admit("4", NOW) == NOW


def test_calls_asked_for_in_one_breath_leave_one_after_the_other_and_late_ones_are_refused() -> None:
    gate = Gate(trunk(channels=99, cps=2, burst=1), patience_s=1.0)
    leaves = [gate.admit(str(n), NOW) for n in range(3)]
    assert leaves == [pytest.approx(NOW + 0.5 * n) for n in range(3)]
    refused = gate.admit("x", NOW)
    assert isinstance(refused, Closed)
    assert refused.reason is ClosedReason.RATE
    assert refused.rest_s == pytest.approx(1.5)
    assert gate.calls == 3


def test_the_ceiling_of_a_minute_closes_the_gate() -> None:
    gate = Gate(trunk(channels=99, cps=100, calls_per_minute=2))
    assert [gate.admit(str(n), NOW) for n in range(2)] == [NOW, NOW]
    assert gate.admit("x", NOW + 20.0) == Closed(ClosedReason.RATE, 40.0)
    assert gate.admit("x", NOW + 59.0) == NOW + 60.0


def test_a_trunk_that_is_down_or_drains_lets_no_call_through() -> None:
    gate = Gate(trunk(failures_to_rest=1, rest_s=30))
    gate.health.tell(Signal.CALL_FAILED, NOW)
    assert gate.admit("1", NOW + 10.0) == Closed(ClosedReason.DOWN, 20.0)
    gate.health.tell(Signal.SILENT, NOW)
    assert gate.admit("1", NOW + 10.0) == Closed(ClosedReason.DOWN, 30.0)
    gate.health.tell(Signal.DRAIN, NOW)
    assert gate.admit("1", NOW + 10.0) == Closed(ClosedReason.DRAINING, 30.0)


def test_a_trunk_that_comes_back_gets_one_call_at_a_time() -> None:
    gate = Gate(trunk(failures_to_rest=1, rest_s=30))
    gate.health.tell(Signal.CALL_FAILED, NOW)
    gate.health.tick(NOW + 30.0)
    assert gate.admit("1", NOW + 30.0) == NOW + 30.0
    assert gate.admit("2", NOW + 31.0) == Closed(ClosedReason.PROBING, 1.0)
    gate.give("1")
    assert gate.admit("2", NOW + 32.0) == NOW + 32.0
    gate.health.tell(Signal.CALL_WORKED, NOW + 33.0)
    assert gate.health.state is State.UP
    assert gate.admit("3", NOW + 33.0) == NOW + 33.0


limits = st.builds(
    trunk, channels=st.integers(1, 4), cps=st.floats(0.2, 20.0), burst=st.integers(0, 5),
    calls_per_minute=st.integers(0, 90),
)  # fmt: skip


@given(limits, st.floats(0.0, 3.0), st.lists(st.tuples(st.booleans(), st.floats(-1.0, 2.0)), max_size=80))
def test_whatever_is_asked_for_the_limits_hold(one: Trunk, patience_s: float, script: list[tuple[bool, float]]) -> None:
    gate, now, live, left = Gate(one, patience_s=patience_s), NOW, list[str](), list[float]()
    for call, (asks, wait) in enumerate(script):
        now += wait
        if asks:
            at = gate.admit(str(call), now)
            if not isinstance(at, Closed):
                assert now <= at <= now + patience_s + 1e-6
                live.append(str(call))
                left.append(at)
        elif live:
            gate.give(live.pop(0))
        assert gate.calls == len(live) <= one.channels
    for first in range(len(left)):
        for last in range(first, len(left)):
            assert last - first + 1 <= one.cps * (left[last] - left[first]) + one.at_once + 1e-3
    if one.calls_per_minute:
        assert all(b - a >= 60.0 - 1e-5 for a, b in zip(left, left[one.calls_per_minute :], strict=False))


@given(st.floats(1_700_000_000.0, 1_900_000_000.0))
def test_a_call_that_may_leave_leaves_now_and_not_a_microsecond_later(now: float) -> None:
    assert Gate(trunk()).admit("1", now) == now
