from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.events import CallEnded
from simulator.carrier import Carrier, TrunkGate
from simulator.profile import Burst, Callers, CarrierProfile, Fate, Habit, Outage, Shares, TrunkProfile
from simulator.scenario import load
from simulator.script import Script
from statuses.outcomes import AmdResult, LocalError
from tests.simulator.worlds import constant, only

MIX = load("vn-mobile").carrier


def script(carrier: Carrier, phone: str, attempt_no: int = 1, *, hotline: str = "h", now: float = 0.0) -> Script:
    return carrier.script("c", phone=phone, hotline=hotline, attempt_no=attempt_no, now=now)


def test_a_callees_fate_does_not_depend_on_the_order_of_the_calls() -> None:
    asked = [(f"+8400{n}", attempt) for n in range(50) for attempt in (1, 2, 3)]
    shuffled = asked.copy()
    random.Random(1).shuffle(shuffled)
    forward, backward = Carrier(MIX, seed=7, started_at=0.0), Carrier(MIX, seed=7, started_at=0.0)
    one = {call: script(forward, *call) for call in asked}
    two = {call: script(backward, *call) for call in shuffled}
    assert one == two
    other = Carrier(MIX, seed=8, started_at=0.0)
    assert any(script(other, *call) != one[call] for call in asked)


def test_fates_come_in_the_shares_of_the_profile() -> None:
    carrier, count = Carrier(MIX, seed=7, started_at=0.0), 20_000
    drawn = Counter(script(carrier, f"+8400{n}").fate for n in range(count))
    for fate in Fate:
        share = getattr(MIX.shares, fate.value)
        assert drawn[fate] / count == pytest.approx(share, abs=4 * (share / count) ** 0.5)


def test_a_wrong_number_is_wrong_at_every_attempt_while_a_busy_one_is_not_always_busy() -> None:
    profile = CarrierProfile(shares=Shares(wrong_number=0.3, locked=0.2, engaged=0.25, ring_out=0.25))
    carrier = Carrier(profile, seed=7, started_at=0.0)
    histories = [{script(carrier, f"+8400{n}", attempt).fate for attempt in range(1, 8)} for n in range(200)]
    lasting = [fates for fates in histories if fates & {Fate.WRONG_NUMBER, Fate.LOCKED}]
    assert len(lasting) == pytest.approx(100, abs=30)
    assert all(len(fates) == 1 for fates in lasting)
    assert any(len(fates) > 1 for fates in histories)


def test_changing_one_thing_leaves_everything_else_as_it_was() -> None:
    before = Carrier(only(Fate.ANSWER), seed=7, started_at=0.0)
    after = Carrier(only(Fate.ANSWER, agent_hangs_up=1.0), seed=7, started_at=0.0)
    for n in range(50):
        one, two = script(before, f"+8400{n}"), script(after, f"+8400{n}")
        assert (one.steps, one.talk_s, one.patience_s) == (two.steps, two.talk_s, two.patience_s)
        assert two.agent_hangs_up
        assert not one.agent_hangs_up


def end(found: Script) -> CallEnded:
    event = found.steps[-1][1]
    assert isinstance(event, CallEnded)
    return event


def test_a_burst_refuses_its_share_with_503_and_retry_after_and_comes_back() -> None:
    burst = Burst(from_s=100.0, for_s=50.0, every_s=1000.0, share=0.5, retry_after_s=9.0)
    carrier = Carrier(only(Fate.ENGAGED, bursts=(burst,)), seed=7, started_at=1000.0)

    def refused(now: float) -> int:
        ends = [end(script(carrier, f"+8400{n}", now=now)) for n in range(400)]
        assert {e.retry_after_s for e in ends if e.sip_status == 503} <= {9.0}
        return sum(e.sip_status == 503 for e in ends)

    assert refused(1099.0) == 0
    assert refused(1100.0) == pytest.approx(200, abs=50)
    assert refused(1150.0) == 0
    assert refused(2149.0) > 0


def test_people_with_a_habit_let_it_ring_in_their_hours_and_answer_in_others() -> None:
    profile = CarrierProfile(
        shares=only(Fate.ANSWER).shares,
        habits=(Habit(ends_in="13579", from_s=100.0, for_s=50.0, every_s=1000.0, share=0.8),),
    )
    carrier = Carrier(profile, seed=7, started_at=0.0)

    def fates(now: float, last: str) -> Counter[Fate | None]:
        return Counter(script(carrier, f"+8400{n}{last}", now=now).fate for n in range(2000))

    for now in (120.0, 1120.0):
        assert fates(now, "3")[Fate.RING_OUT] / 2000 == pytest.approx(0.8, abs=0.03)
        assert fates(now, "4") == {Fate.ANSWER: 2000}
    for now in (0.0, 160.0, 999.0):
        assert fates(now, "3") == {Fate.ANSWER: 2000}


def test_in_an_outage_nothing_comes_back_at_all() -> None:
    carrier = Carrier(only(Fate.ANSWER, outages=(Outage(10.0, 5.0),)), seed=7, started_at=0.0)
    found = script(carrier, "+84001", now=12.0)
    assert [(at, end(found).sip_status) for at, _ in found.steps] == [(32.0, 408)]
    assert script(carrier, "+84001", now=15.0).fate is Fate.ANSWER


def test_an_unknown_hotline_is_a_fault_of_ours_and_a_blocked_one_is_refused() -> None:
    profile = only(Fate.ANSWER, known_hotlines=("good", "bad"), blocked_hotlines=("bad",))
    carrier = Carrier(profile, seed=7, started_at=0.0)
    assert end(script(carrier, "+84001", hotline="other")).local_error is LocalError.NO_HOTLINE
    assert end(script(carrier, "+84001", hotline="bad")).sip_status in {403, 603}
    assert script(carrier, "+84001", hotline="good").fate is Fate.ANSWER


def test_shares_that_do_not_sum_to_one_are_refused_with_their_sum() -> None:
    with pytest.raises(ValueError, match=r"sum to 0\.7; make them sum to 1"):
        Carrier(CarrierProfile(shares=Shares(answer=0.2, engaged=0.5)), seed=7, started_at=0.0)


@given(
    st.integers(0, 5),
    st.floats(0.5, 20),
    st.lists(st.tuples(st.floats(0, 2), st.booleans()), max_size=60),
)
def test_the_far_side_of_a_trunk_never_admits_more_than_its_channels_and_rate(
    channels: int, cps: float, calls: list[tuple[float, bool]]
) -> None:
    gate = TrunkGate(TrunkProfile(channels=channels, cps=cps))
    now, admitted, live = 0.0, [], 0
    for gap, hangs_up in calls:
        now += gap
        if gate.admits(now):
            admitted.append(now)
            live += 1
        if hangs_up and live:
            gate.free()
            live -= 1
        assert gate.in_use == live
        assert not channels or gate.peak <= channels
    for i, first in enumerate(admitted):
        for j, last in enumerate(admitted[i:], 1):
            assert j <= max(1.0, cps) + (last - first) * cps + 1e-6


def test_an_unknown_trunk_has_no_caps() -> None:
    carrier = Carrier(only(Fate.ANSWER), seed=7, started_at=0.0, trunks=(TrunkProfile("small", channels=1),))
    assert [carrier.offer("small", 0.0) for _ in range(2)] == [True, False]
    assert all(carrier.offer("elsewhere", 0.0) for _ in range(5))
    carrier.free("small")
    assert carrier.offer("small", 1.0)
    assert end(carrier.over_cap("c", "small")).sip_status == 503


def test_keys_are_pressed_in_their_shares_each_prompt_anew() -> None:
    carrier = Carrier(only(Fate.ANSWER, keys={"1": 0.5, "2#": 0.2}), seed=7, started_at=0.0)
    pressed = [carrier.keys(f"+84{number}", 1, 1) for number in range(3000)]
    keys = [one[1] for one in pressed if one is not None]
    assert 0.47 < keys.count("1") / 3000 < 0.53
    assert 0.17 < keys.count("2#") / 3000 < 0.23
    assert all(0.3 <= one[0] <= 60.0 for one in pressed if one is not None)
    assert len({carrier.keys("+84001", 1, prompt) for prompt in range(1, 20)}) > 5
    assert carrier.keys("+84001", 1, 1) == carrier.keys("+84001", 1, 1)


def test_keys_that_more_than_everybody_presses_are_refused() -> None:
    with pytest.raises(ValueError, match=r"keys sum to 1\.2; make them sum to 1 at most"):
        Carrier(only(Fate.ANSWER, keys={"1": 0.6, "2": 0.6}), seed=7, started_at=0.0)


def test_machines_are_detected_where_that_is_asked_for() -> None:
    carrier = Carrier(only(Fate.MACHINE, amd_missed=0.0), seed=7, started_at=0.0)
    where = {"phone": "+84001", "hotline": "h", "attempt_no": 1, "now": 0.0}
    assert carrier.script("c", **where).amd is None  # type: ignore[arg-type]
    assert carrier.script("c", **where, amd=True).amd is AmdResult.MACHINE  # type: ignore[arg-type]


def test_a_caller_is_the_same_each_time_and_waits_as_callers_do() -> None:
    carrier = Carrier(only(Fate.ENGAGED, callers=Callers(patience=constant(20.0))), seed=7, started_at=0.0)
    (u, script), (again, _) = carrier.caller(1), carrier.caller(1)
    assert u == again != carrier.caller(2)[0]
    assert (script.fate, script.steps, script.patience_s, script.hold_patience_s) == (Fate.ANSWER, [], 20.0, None)
