"""The very engine in a virtual world: outcomes, determinism, invariants over many seeds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dialer.core.types import CampaignKind
from simulator.desks import DeskState
from simulator.profile import AgentProfile, Burst, CarrierProfile, Fate, Outage, Shares, TrunkProfile
from simulator.report import report, to_json
from simulator.scenario import CampaignPlan, OwnTrunk, Scenario, changed, load, shipped
from simulator.world import World
from statuses.lead import LeadState
from statuses.outcomes import CallStatus
from tests.simulator.worlds import START, constant, only, plan, run

STATUSES = {
    Fate.ANSWER: CallStatus.ANSWERED,
    Fate.RING_OUT: CallStatus.NO_ANSWERED,
    Fate.REJECT: CallStatus.BUSY,
    Fate.SWITCHED_OFF: CallStatus.NOT_AVAILABLE,
    Fate.LOCKED: CallStatus.PHONE_BLOCK,
    Fate.WRONG_NUMBER_MESSAGE: CallStatus.INVALID_NUMBER,
    Fate.MAILBOX: CallStatus.VOICEMAIL,
    Fate.CONGESTION: CallStatus.CONGESTION,
    Fate.MEDIA_FAULT: CallStatus.FAILED,
}


@pytest.mark.parametrize("fate", STATUSES)
def test_a_carrier_with_one_fate_gives_one_status_through_the_engine(fate: Fate) -> None:
    world = run(only(fate), plan(pacer="progressive"))
    (lane,) = world.lanes
    assert lane.meter.statuses.total() > 5
    assert set(lane.meter.statuses) == {STATUSES[fate]}
    assert lane.engine.state.totals.strays == 0


@pytest.mark.req("S0-6.8", "S1-6.8")
def test_cancel_is_our_ring_timer_before_the_network_gives_up() -> None:
    world = run(only(Fate.RING_OUT, ring_out_after=constant(60.0)), plan(ring_timeout_s=20.0))
    assert set(world.lanes[0].meter.rules) == {"cancel.ring_timeout"}
    assert set(world.lanes[0].meter.statuses) == {CallStatus.CANCEL}


@pytest.mark.req("S0-6.4", "S1-6.4")
def test_busy_line_is_a_person_whom_no_agent_took_in_time() -> None:
    hurried = only(Fate.ANSWER, patience=constant(0.1), connect_s=0.5)
    world = run(hurried, plan(pacer="progressive"))
    assert set(world.lanes[0].meter.statuses) == {CallStatus.BUSY_LINE}


@pytest.mark.req("S0-6.12", "S1-6.12")
def test_a_machine_is_voicemail_when_the_switch_detects_it() -> None:
    world = run(only(Fate.MACHINE, amd=True, amd_missed=0.0), plan(pacer="progressive"))
    assert set(world.lanes[0].meter.statuses) == {CallStatus.VOICEMAIL}


@pytest.mark.req("S0-6.6", "S1-6.6")
def test_a_caller_id_that_is_not_provisioned_is_a_failure_of_ours() -> None:
    world = run(only(Fate.ANSWER, known_hotlines=("another",)), plan())
    assert set(world.lanes[0].meter.rules) == {"local.no_hotline"}
    assert set(world.lanes[0].meter.statuses) == {CallStatus.FAILED}


@pytest.mark.req("S0-6.5", "S1-6.5")
def test_one_scenario_produces_all_twelve_statuses_and_ivr_comes_from_the_campaign_without_agents() -> None:
    world = World(load("all-statuses"), seed=7)
    world.run()
    people, message = (set(lane.meter.statuses) for lane in world.lanes)
    assert people == set(CallStatus) - {CallStatus.IVR}
    assert message == set(CallStatus), "Busy line: who answered as we hung up, and heard nothing of the message"


@pytest.mark.req("S0-6.5", "S1-6.5")
@pytest.mark.parametrize(("listens_s", "status"), [(7.9, CallStatus.IVR), (8.1, CallStatus.ANSWERED)])
def test_ivr_is_a_person_who_hangs_up_before_the_message_ends(listens_s: float, status: CallStatus) -> None:
    carrier = only(Fate.ANSWER, prompt_s=8.0, prompt_patience=constant(listens_s))
    world = run(carrier, message_plan())
    (lane,) = world.lanes
    assert set(lane.meter.statuses) == {status}
    assert (lane.meter.abandoned, lane.engine.state.totals.abandoned) == (0, 0)
    done = LeadState.SUCCESS if status is CallStatus.ANSWERED else LeadState.CALLED_NO_SUCCESS
    assert {state for state, count in lane.book.states().items() if count} == {done}


def test_a_campaign_without_agents_holds_no_more_calls_at_once_than_it_may() -> None:
    world = run(only(Fate.ANSWER, prompt_patience=constant(60.0)), message_plan(max_calls=7))
    assert world.lanes[0].meter.statuses.total() == 60
    assert world.carrier.gates["trunk-1"].peak == 7


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_shipped_scenario_runs(name: str) -> None:
    world = World(changed(load(name), hours=0.1), seed=7)
    world.run()
    assert all(lane.meter.bridged > 0 for lane in world.lanes if len(lane.desks))
    assert all(lane.meter.answered > 0 for lane in world.lanes)
    assert all(lane.engine.state.totals.strays == 0 for lane in world.lanes)


def test_the_same_seed_gives_the_same_report_byte_for_byte_and_another_seed_another() -> None:
    scenario = changed(load("all-statuses"), hours=0.3)

    def told(seed: int) -> str:
        world = World(scenario, seed=seed)
        world.run()
        return to_json(report(world))

    assert told(7) == told(7)
    assert told(7) != told(8)


def test_predictive_beats_progressive_on_the_same_callees_and_keeps_the_abandonment_limit() -> None:
    told = {}
    for pacer in ("progressive", "predictive"):
        world = World(changed(load("small"), pacer=pacer, hours=2.0), seed=11)
        world.run()
        told[pacer] = report(world).campaigns[0]
    progressive, predictive = told["progressive"], told["predictive"]
    assert progressive.occupancy is not None
    assert predictive.occupancy is not None
    assert predictive.occupancy > progressive.occupancy + 0.05
    assert progressive.abandoned == 0
    assert (predictive.abandonment or 0.0) <= predictive.abandon_limit


def test_people_who_answer_are_joined_after_the_time_that_a_join_takes() -> None:
    world = run(only(Fate.ANSWER, connect_s=0.15), plan(pacer="progressive"))
    meter = world.lanes[0].meter
    assert meter.bridged == meter.answered > 5
    assert {round(wait, 6) for wait in meter.waits} == {0.15}
    assert meter.talk_s == pytest.approx(60.0 * meter.bridged)


def test_leads_agents_and_attempts_add_up() -> None:
    world = World(changed(load("all-statuses"), hours=1.0), seed=3)
    world.run()
    lane, message = world.lanes
    states = lane.book.states()
    assert sum(states.values()) == 4000
    assert sum(message.book.states().values()) == 500
    assert message.book.states()[LeadState.IN_PROGRESS] == 0
    assert states[LeadState.IN_PROGRESS] == 0
    assert len(world.exchange) == 0
    assert sum(lane.seconds.values()) == pytest.approx(15 * 3600.0)
    assert lane.seconds[DeskState.TALKING] > 0.0
    assert lane.meter.statuses.total() == lane.engine.state.totals.placed


def test_nobody_is_called_while_the_window_is_closed() -> None:
    asked: list[float] = []
    hours = plan(slots=("08:10-08:20",), leads=5000, pacer="progressive")
    world = World(Scenario("x", START, 0.5, only(Fate.ENGAGED), (hours,)), seed=7)
    original = world.exchange.originate

    def note(call_id: str, *, now: float, **rest: Any) -> None:
        asked.append(now - world.started_at)
        original(call_id, now=now, **rest)

    world.exchange.originate = note  # type: ignore[method-assign]
    world.run()
    assert 600.0 <= min(asked) < 610.0
    assert 1100.0 < max(asked) < 1200.0


def test_several_campaigns_share_trunks_and_numbers_but_not_agents() -> None:
    plans = (plan(name="one", pacer="progressive"), plan(name="two", pacer="ratio"))
    scenario = Scenario(
        "two", START, 0.5, only(Fate.ENGAGED), plans, (TrunkProfile(channels=5),), (OwnTrunk(channels=5, cps=5.0),)
    )
    world = World(scenario, seed=7)
    world.run()
    assert [lane.settings.campaign_id for lane in world.lanes] == [1, 2]
    assert all(lane.meter.statuses.total() > 0 for lane in world.lanes)
    assert world.carrier.gates["trunk-1"].peak <= 5


def test_progress_is_told_from_nothing_towards_all() -> None:
    world = World(changed(load("small"), hours=0.2), seed=7)
    shares: list[float] = []
    world.run(shares.append)
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert 0.8 < shares[-1] < 1.0
    assert len(shares) == 12


def message_plan(**changes: object) -> CampaignPlan:
    settings: dict[str, object] = {
        "kind": CampaignKind.AUTODIALER, "pacer": "agentless", "prompt": "reminder", "leads": 60,
        "agents": AgentProfile(count=0),
    }  # fmt: skip
    return plan(**(settings | changes))


@st.composite
def rough_worlds(draw: st.DrawFn) -> Scenario:
    """Draw short worlds in which much goes wrong."""
    share = st.floats(0.0, 0.3)
    weights = {fate.value: draw(st.floats(0.0, 1.0)) for fate in Fate}
    total = sum(weights.values()) or 1.0
    shares = Shares(**{name: weight / total for name, weight in weights.items()}) if any(weights.values()) else None
    carrier = CarrierProfile(
        shares=shares or Shares(answer=1.0),
        lost_ringing=draw(share), late_answer=draw(share), connect_fails=draw(share), amd=draw(st.booleans()),
        bursts=(Burst(60.0, 30.0, 120.0, draw(st.floats(0.0, 1.0)), 3.0),),
        outages=(Outage(200.0, draw(st.floats(1.0, 60.0))),),
        patience=constant(draw(st.sampled_from([0.05, 1.0, 5.0, 30.0]))),
        connect_s=draw(st.sampled_from([0.0, 0.15, 3.0, 8.0])),
        talk=constant(draw(st.sampled_from([1.0, 20.0, 200.0]))),
    )  # fmt: skip
    agents = AgentProfile(
        count=draw(st.integers(0, 12)), arrive_within_s=30.0, link_lost=draw(share), away=constant(20.0),
        break_every=constant(120.0), break_length=constant(30.0), leave_at_s=300.0, leave_share=draw(share),
        callback=0.2, callback_after=constant(60.0),
    )  # fmt: skip
    made = CampaignPlan(
        leads=draw(st.integers(0, 60)), agents=agents,
        pacer=draw(st.sampled_from(["predictive", "ratio", "progressive"])),
        retry_gap_s=30.0, error_gap_s=10.0, per_24h=draw(st.integers(1, 4)), max_attempts=draw(st.integers(1, 5)),
        overflow_prompt=draw(st.sampled_from([None, "sorry"])), ring_timeout_s=draw(st.sampled_from([5.0, 30.0])),
        wrap_up_limit_s=draw(st.sampled_from([1.0, 60.0])), slots=("08:00-08:08",),
    )  # fmt: skip
    trunk = TrunkProfile(channels=draw(st.integers(0, 8)), cps=draw(st.sampled_from([0.0, 1.0])))
    return Scenario("rough", START, 0.15, carrier, (made,), (trunk,), (OwnTrunk(channels=10, cps=5.0),))


@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(rough_worlds(), st.integers(0, 2**32))
def test_no_rough_world_breaks_an_invariant_or_leaves_a_call_behind(scenario: Scenario, seed: int) -> None:
    world = World(scenario, seed=seed)
    world.run()
    (lane,) = world.lanes
    assert len(world.exchange) == 0
    assert lane.engine.is_quiet
    states = lane.book.states()
    assert states[LeadState.IN_PROGRESS] == 0
    assert sum(states.values()) == scenario.campaigns[0].leads
