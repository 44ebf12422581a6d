"""Each invariant, broken on purpose: a watch that cannot bark guards nothing."""

from __future__ import annotations

import pytest

from dialer.core.types import CallWindow, NumberCaps, Slot
from dialer.core.window import WindowClock
from simulator.watch import InvariantBroken, Watch
from tests.simulator.worlds import START

OPEN = WindowClock(CallWindow())
CAPS = NumberCaps(per_24h=2)
NOW = START.timestamp()


@pytest.fixture
def watch() -> Watch:
    return Watch("a test", 7)


def invite(watch: Watch, call_id: str, phone: str = "+84001", now: float = NOW) -> None:
    watch.invited(call_id, phone, OPEN, CAPS, now)


def test_an_ordinary_day_passes(watch: Watch) -> None:
    for day in range(3):
        for call in range(2):
            now = NOW + day * 86_400 + call * 60
            invite(watch, f"c{day}-{call}", now=now)
            watch.reserved("agent-01", f"c{day}-{call}", now, earlier_runs=False)
            watch.settled(f"c{day}-{call}", now + 30, weighs=True)
    watch.finished(NOW)


def test_an_invite_outside_the_window_names_seed_scenario_and_call(watch: Watch) -> None:
    closed = WindowClock(CallWindow(weekdays=((Slot(600, 660),),) * 7))
    with pytest.raises(InvariantBroken, match=r"outside the call window \(scenario 'a test', seed 7, at .*, call c1\)"):
        watch.invited("c1", "+84001", closed, CAPS, NOW)


def test_a_second_invite_for_one_attempt(watch: Watch) -> None:
    invite(watch, "c1")
    with pytest.raises(InvariantBroken, match="second INVITE"):
        invite(watch, "c1", "+84002")


def test_a_second_call_to_a_number_in_flight(watch: Watch) -> None:
    invite(watch, "c1")
    with pytest.raises(InvariantBroken, match="being called"):
        invite(watch, "c2")


@pytest.mark.parametrize("weighs", [True, False])
def test_a_number_over_its_cap(watch: Watch, weighs: bool) -> None:
    for call in range(2):
        invite(watch, f"c{call}")
        watch.settled(f"c{call}", NOW, weighs=weighs)
    if weighs:
        with pytest.raises(InvariantBroken, match="more than 2 calls to one number in 24 h"):
            invite(watch, "c9")
    else:
        invite(watch, "c9")
        watch.settled("c9", NOW, weighs=False)
        watch.finished(NOW)


def test_an_agent_with_two_calls(watch: Watch) -> None:
    watch.reserved("agent-01", "c1", NOW, earlier_runs=False)
    assert watch.talk_of("agent-01") == "c1"
    with pytest.raises(InvariantBroken, match="agent-01 got a second call"):
        watch.reserved("agent-01", "c2", NOW, earlier_runs=True)


def test_a_settlement_of_nothing_or_twice(watch: Watch) -> None:
    with pytest.raises(InvariantBroken, match="not sent"):
        watch.settled("c1", NOW, weighs=True)
    invite(watch, "c1")
    watch.settled("c1", NOW, weighs=True)
    with pytest.raises(InvariantBroken, match="second one"):
        watch.settled("c1", NOW, weighs=True)


def test_a_call_that_is_never_settled(watch: Watch) -> None:
    invite(watch, "c1")
    with pytest.raises(InvariantBroken, match="1 calls were never settled"):
        watch.finished(NOW)


def test_no_phone_number_is_in_a_message(watch: Watch) -> None:
    invite(watch, "c1", "+84001")
    with pytest.raises(InvariantBroken) as caught:
        invite(watch, "c2", "+84001")
    assert "+84" not in str(caught.value)


def test_an_offer_to_an_agent_who_talks(watch: Watch) -> None:
    watch.reserved("agent-01", "c1", NOW, earlier_runs=False)
    watch.asked("agent-01", "c1", NOW, earlier_runs=True)
    with pytest.raises(InvariantBroken, match="second call while one was running"):
        watch.asked("agent-01", "c2", NOW, earlier_runs=True)


def test_a_call_that_came_in_is_settled_once_and_weighs_nothing(watch: Watch) -> None:
    watch.arrived("in", NOW)
    assert watch.is_open("in")
    with pytest.raises(InvariantBroken, match="arrived twice"):
        watch.arrived("in", NOW)
    watch.settled("in", NOW, weighs=True)
    assert not watch.is_open("in")
    with pytest.raises(InvariantBroken, match="or a second one"):
        watch.settled("in", NOW, weighs=True)
    watch.arrived("other", NOW)
    with pytest.raises(InvariantBroken, match="never settled"):
        watch.finished(NOW)
