from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dialer.core.pacing.base import Snapshot
from dialer.core.pacing.estimates import QUANTILES
from dialer.core.pacing.predictive import Predictive
from dialer.core.pacing.progressive import Progressive
from dialer.core.types import HoldReason
from tests.dialer.core.pacing.snapshots import busy_campaign, known, moment, moments


def dials(snapshot: Snapshot) -> int:
    return Predictive().allowance(snapshot, now=0.0).dials


def chance_of_no_agent(snapshot: Snapshot, new: int) -> float:
    """c(new), coin by coin from the formulas rather than from tables."""
    estimates, total = snapshot.estimates, 0.0
    for s, share in zip(estimates.horizons, QUANTILES, strict=True):
        wait = s + estimates.grace_s
        free = [estimates.p_free_within(age, wait, wrapping=False) for age in snapshot.talking]
        free += [estimates.p_free_within(age, wait, wrapping=True) for age in snapshot.wrapping]
        calls = [estimates.p_answers_within(age, s) for age in snapshot.ringing]
        law = {snapshot.waiting - snapshot.idle: 1.0}
        steps = [(p, 1) for p in [*calls, *[estimates.p_careful * share] * new]] + [(p, -1) for p in free]
        for p, step in steps:
            turned: dict[int, float] = {}
            for gap, mass in law.items():
                turned[gap] = turned.get(gap, 0.0) + mass * (1 - p)
                turned[gap + step] = turned.get(gap + step, 0.0) + mass * p
            law = turned
        total += sum(mass for gap, mass in law.items() if gap >= 0)
    return total / len(QUANTILES)


whole = st.lists(st.integers(0, 120).map(float), max_size=8).map(tuple)


@settings(max_examples=60)
@given(
    st.builds(
        moment,
        idle=st.integers(0, 5),
        talking=whole,
        wrapping=whole,
        ringing=whole,
        waiting=st.integers(0, 2),
        theta=st.floats(0.001, 0.4),
        max_ratio=st.just(100.0),
    )
)
def test_the_last_call_launched_was_worth_its_risk_and_the_next_is_not(
    snapshot: Snapshot,
) -> None:
    theta = snapshot.theta
    count = dials(snapshot)
    if count:
        assert chance_of_no_agent(snapshot, count - 1) <= theta + 1e-9
    if snapshot.agents and count < 40:
        assert chance_of_no_agent(snapshot, count) > theta - 1e-9


@given(moments)
def test_no_snapshot_upsets_it(snapshot: Snapshot) -> None:
    allowance = Predictive().allowance(snapshot, now=0.0)
    in_flight = len(snapshot.ringing) + snapshot.waiting
    assert allowance.dials >= Progressive().allowance(snapshot, now=0.0).dials
    assert allowance == Predictive().allowance(snapshot, now=9.0)
    if allowance.dials > max(0, snapshot.idle - in_flight):
        assert allowance.dials + in_flight <= math.ceil(snapshot.max_ratio * snapshot.agents)


@given(moments)
@example(
    moment(
        idle=34, talking=(0.0,) * 5, wrapping=(0.0,) * 10, ringing=(), waiting=0, theta=0.0, ratio=0.0, max_ratio=1.0
    )
)
def test_one_more_idle_agent_never_means_fewer_calls(snapshot: Snapshot) -> None:
    assert dials(msgspec.structs.replace(snapshot, idle=snapshot.idle + 1)) >= dials(snapshot)


@given(moments, st.floats(0.0, 0.5))
def test_more_accepted_risk_never_means_fewer_calls(snapshot: Snapshot, theta: float) -> None:
    low, high = sorted((snapshot.theta, theta))
    careful, bold = (msgspec.structs.replace(snapshot, theta=risk) for risk in (low, high))
    assert dials(careful) <= dials(bold)


@pytest.mark.parametrize("ringing", [(), (1.0, 3.0)])
def test_nobody_at_work_means_no_calls_and_says_so(ringing: tuple[float, ...]) -> None:
    allowance = Predictive().allowance(moment(ringing=ringing, theta=0.5), now=0.0)
    assert (allowance.dials, allowance.reason) == (0, HoldReason.NO_AGENT)


def test_several_lines_ring_for_few_idle_agents_when_few_people_answer() -> None:
    assert dials(moment(idle=5, estimates=known(0.1))) > dials(moment(idle=5, estimates=known(0.5))) >= 5


def test_it_dials_before_anybody_is_idle_when_some_are_about_to_be() -> None:
    assert dials(moment(wrapping=(12.0,) * 6, talking=(30.0,) * 6)) > 0
    assert dials(moment(wrapping=(0.0,), talking=(5.0,) * 6, theta=0.01)) == 0


def test_a_waiting_call_takes_the_place_of_an_idle_agent() -> None:
    assert dials(moment(idle=6, waiting=3)) <= dials(moment(idle=3))


def test_old_ringing_calls_do_not_hold_new_ones_back() -> None:
    assert dials(moment(idle=3, ringing=(24.0,) * 6, max_ratio=50.0)) > dials(moment(idle=3, ringing=(6.0,) * 6))


def test_the_highest_ratio_caps_and_is_named() -> None:
    allowance = Predictive().allowance(moment(idle=10, theta=0.5, max_ratio=1.5, estimates=known(0.1)), now=0.0)
    assert allowance.dials == 15
    assert allowance.detail.endswith("at most 1.5 calls per free agent")


def test_the_numbers_behind_the_decision_are_shown() -> None:
    detail = Predictive().allowance(moment(idle=3, ringing=(4.0,) * 5, waiting=1, theta=0.024), now=0.0).detail
    assert detail.startswith("3 idle, 0.0 more soon free, 5 ringing (")
    assert detail.endswith(" s), 1 waiting, accepted risk 2.4 %")


def test_exact_and_nearly_normal_decisions_agree_where_they_meet() -> None:
    for busy in range(44, 53):
        talking = tuple(float(7 * i % 180) for i in range(busy - 20))
        snapshot = moment(idle=4, talking=talking, ringing=tuple(float(i) for i in range(20)), theta=0.05)
        steps = [dials(msgspec.structs.replace(snapshot, idle=idle)) for idle in (4, 6, 8)]
        assert steps == sorted(steps)
        near = msgspec.structs.replace(snapshot, talking=(*talking, 1.0))
        assert abs(dials(near) - dials(snapshot)) <= 2


def test_five_hundred_agents_and_two_thousand_calls_give_a_bounded_answer() -> None:
    talking, ringing = tuple(float(i % 300) for i in range(480)), tuple(float(i % 26) for i in range(2000))
    assert 0 <= dials(moment(idle=20, talking=talking, ringing=ringing)) <= 6 * 500


def test_leads_that_answer_less_often_are_dialed_in_greater_number() -> None:
    dull, keen = moment(idle=5, upcoming=(0.05,) * 60), moment(idle=5, upcoming=(0.6,) * 60)
    assert dials(dull) > dials(moment(idle=5)) > dials(keen) >= 5


def test_a_ringing_call_that_hardly_answers_hardly_counts() -> None:
    ringing = (3.0,) * 6
    assert dials(moment(idle=3, ringing=ringing, chances=(0.02,) * 6)) > dials(moment(idle=3, ringing=ringing))


def test_agents_who_leave_after_their_call_are_no_supply() -> None:
    stay = moment(wrapping=(12.0,) * 6, talking=(30.0,) * 6)
    leave = moment(wrapping=(), talking=(30.0,) * 6, leaving=6)
    assert dials(leave) < dials(stay)
    assert dials(moment(leaving=4)) == 0


def test_idle_agents_who_often_leave_are_trusted_less() -> None:
    learned = busy_campaign(calls=1500)
    steady = learned.estimates()
    for _ in range(500):
        learned.idle_ended(20.0, stayed=False)
    assert dials(moment(idle=6, estimates=learned.estimates())) < dials(moment(idle=6, estimates=steady))


def test_doubtful_estimates_make_it_progressive_and_it_says_why() -> None:
    doubtful = msgspec.structs.replace(known(), doubt="impossible data came in (seconds of a talk: -5.0)")
    allowance = Predictive().allowance(moment(idle=6, ringing=(2.0,), estimates=doubtful), now=0.0)
    assert (allowance.dials, allowance.detail) == (
        5,
        "progressive, since impossible data came in (seconds of a talk: -5.0)",
    )


@pytest.mark.parametrize(("chances", "upcoming"), [((0.2,), ()), ((), (math.nan,))])
def test_chances_that_cannot_be_are_refused(chances: tuple[float, ...], upcoming: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="answer probabilit"):
        Predictive().allowance(moment(idle=6, ringing=(2.0, 3.0), chances=chances, upcoming=upcoming), now=0.0)
