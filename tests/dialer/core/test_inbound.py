"""Calls to the hotlines: answered, queued, served or missed; and the laws of the queue."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core import events
from dialer.core.agents import AgentState
from dialer.core.effects import (
    Answer,
    BeginInbound,
    CommandAgent,
    Connect,
    Hangup,
    Hold,
    LeaseLeads,
    Play,
    ReleaseLeads,
    SettleAttempt,
)
from dialer.core.inbound import ANSWER_LIMIT_S
from dialer.core.script import ScriptText
from dialer.core.types import CallWindow, CampaignKind, CampaignSettings, HoldReason, Offering, Slot, Strategy
from statuses.lead import Trigger
from statuses.outcomes import CallStatus, CancelReason, EndedBy, LocalError
from tests.dialer.core.bench_engine import SETTINGS, Bench, lead
from tests.dialer.core.scripts import MENU

INBOUND = msgspec.structs.replace(SETTINGS, kind=CampaignKind.INBOUND, queue_s=60.0)
BLENDED = msgspec.structs.replace(SETTINGS, inbound=True, queue_s=60.0)


def bench_of(agents: int = 1, of: CampaignSettings = INBOUND, **changes: object) -> Bench:
    bench = Bench(msgspec.structs.replace(of, **changes))
    bench.start(agents=agents)
    return bench


def test_a_call_is_written_down_before_it_is_answered_and_joined_to_the_agent() -> None:
    bench = bench_of()
    bench.arrive("c1", "0900000001")
    assert bench.of(BeginInbound) == [BeginInbound("c1", "+84900000001", "+842471000001", "sim", bench.now)]
    assert bench.of(Answer) == [Answer("c1")]
    kinds = [type(effect) for effect in bench.done]
    assert kinds.index(BeginInbound) < kinds.index(Answer) < kinds.index(Connect)
    bench.tell(events.CallConnected("c1", "a1"))
    bench.wait(30)
    bench.tell(events.CallEnded("c1", sip_status=200, ended_by=EndedBy.REMOTE))
    record = bench.settled("c1").record
    assert (record.verdict.status, record.verdict.counts, record.lead_trigger) == (CallStatus.ANSWERED, False, None)
    assert (record.direction, record.attempt_no) == ("inbound", 0)
    bench.tell(events.AgentWrappedUp("a1", Trigger.CALLBACK_ASKED, callback_at=bench.now + 60))
    assert [done.result.trigger for done in bench.lead_settled()] == [Trigger.CALLBACK_ASKED]


def test_nothing_is_dialed_and_the_reason_is_known() -> None:
    bench = bench_of()
    bench.wait(30)
    assert bench.of(LeaseLeads) == []
    assert bench.engine.figures(bench.now).reason is HoldReason.INBOUND_ONLY


def test_callers_wait_with_music_and_the_longest_waiting_is_served_first() -> None:
    bench = bench_of(agents=0)
    for name in ("c1", "c2", "c3"):
        bench.arrive(name)
        bench.wait(5)
    assert [hold.call_id for hold in bench.of(Hold)] == ["c1", "c2", "c3"]
    assert bench.engine.figures(bench.now).waiting == 3
    bench.tell(events.CallEnded("c1"))
    bench.tell(events.AgentReady("a1"))
    assert [connect.call_id for connect in bench.of(Connect)] == ["c2"]


def test_who_has_waited_long_enough_hears_so_and_is_missed() -> None:
    bench = bench_of(agents=0, overflow_prompt="busy", overflow_s=9.0)
    bench.arrive("c1")
    bench.wait(60)
    assert bench.of(Play) == [Play("c1", "busy")]
    assert bench.of(Hold)[-1] == Hold("c1", on=False)
    bench.tell(events.PromptEnded("c1"))
    assert bench.of(Hangup) == [Hangup("c1", CancelReason.OVERFLOW)]
    bench.tell(events.CallEnded("c1", ended_by=EndedBy.DIALER))
    record = bench.settled("c1").record
    assert (record.verdict.status, record.verdict.sub_reason) == (CallStatus.BUSY_LINE, "overflow")
    assert record.lead_trigger is Trigger.MISSED_CALL
    assert record.queue_left_at == pytest.approx((record.answered_at or 0.0) + 60)


def test_a_caller_who_is_being_joined_when_the_time_is_over_is_joined() -> None:
    bench = bench_of(agents=0)
    bench.arrive("c1")
    bench.wait(59)
    bench.tell(events.AgentReady("a1"))
    bench.wait(2)
    bench.tell(events.CallConnected("c1", "a1"))
    bench.wait(10)
    assert bench.of(Hangup) == []


def test_a_caller_whose_agent_fails_after_the_time_is_over_is_let_go() -> None:
    bench = bench_of(agents=0)
    bench.arrive("c1")
    bench.wait(59)
    bench.tell(events.AgentReady("a1"))
    bench.wait(2)
    bench.tell(events.ConnectFailed("c1", "a1"))
    assert bench.of(Hangup) == [Hangup("c1", CancelReason.OVERFLOW)]


@pytest.mark.parametrize("slow", [False, True])
def test_who_hangs_up_before_the_answer_is_missed_too(slow: bool) -> None:
    bench = bench_of()
    bench.slow_inbound = slow
    bench.tell(events.CallArrived("c1", "0900000001", "+842471000001"))
    bench.wait(1)
    over = bench.now
    bench.tell(events.CallEnded("c1", ended_by=EndedBy.REMOTE))
    bench.wait(2)
    if slow:
        assert bench.engine.has_work
        bench.write_down(bench.of(BeginInbound)[0])
        assert bench.of(Answer) == []
    record = bench.settled("c1").record
    assert (record.verdict.status, record.verdict.rule) == (CallStatus.BUSY_LINE, "inbound.caller_left")
    assert (record.lead_trigger, record.ended_at) == (Trigger.MISSED_CALL, over)
    assert bench.engine.is_quiet


def test_a_call_that_may_not_be_taken_is_declined() -> None:
    bench = bench_of()
    bench.slow_inbound = True
    bench.tell(events.CallArrived("c1", "0900000001", "+842471000001"))
    bench.tell(events.InboundBegun("c1", None, None))
    assert bench.of(Hangup) == [Hangup("c1", CancelReason.ADMIN)]
    assert bench.engine.is_quiet
    bench.tell(events.InboundBegun("c1", None, None))
    assert bench.engine.state.totals.strays == 1


def test_a_switch_that_does_not_answer_loses_the_call() -> None:
    bench = bench_of()
    bench.tell(events.CallArrived("c1", "0900000001", "+842471000001"))
    bench.wait(ANSWER_LIMIT_S + 11)
    assert bench.settled("c1").record.verdict.rule == "inbound.declined"


def test_a_call_that_arrives_twice_is_one_call() -> None:
    bench = bench_of()
    bench.arrive("c1")
    bench.tell(events.CallArrived("c1", "0900000001", "+842471000001"))
    assert len(bench.of(BeginInbound)) == 1


def test_blended_agents_serve_callers_and_pacing_sees_fewer_of_them() -> None:
    bench = bench_of(agents=0, of=BLENDED)
    bench.arrive("c1")
    bench.tell(events.AgentReady("a1"), events.AgentReady("a2"))
    bench.wait(1)
    assert bench.of(Connect)[0] == Connect("c1", "a1")
    assert len(bench.calls) == 1


def test_nobody_calls_a_person_who_calls_us() -> None:
    bench = Bench(BLENDED, leads=0)
    bench.queue = []
    bench.start(agents=0)
    bench.engine.state.hopper.fill((lead(900),), None)
    bench.arrive("c1")
    assert bench.of(ReleaseLeads) == [ReleaseLeads((900,))]


def test_callers_teach_nothing_about_the_people_whom_we_call_and_cost_no_legal_budget() -> None:
    bench = bench_of(agents=0, of=BLENDED)
    before = bench.engine.state.estimators.estimates()
    for n in range(9):
        bench.arrive(f"c{n}")
        bench.wait(3)
        bench.tell(events.CallEnded(f"c{n}", ended_by=EndedBy.REMOTE))
    state = bench.engine.state
    assert state.estimators.estimates() == before
    assert state.budget.counts(bench.now) == (0, 0)
    assert (state.totals.abandoned, state.totals.answered, state.totals.finished) == (0, 0, 0)
    assert state.pool.room(bench.now)[0] == 50


def test_calls_are_taken_outside_the_calling_hours() -> None:
    closed = CallWindow(timezone="Asia/Ho_Chi_Minh", weekdays=((Slot(0, 1),),) * 7)
    bench = bench_of(of=BLENDED, window=closed)
    bench.arrive("c1")
    assert bench.of(Connect) == [Connect("c1", "a1")]


def test_a_campaign_with_a_message_plays_it_to_callers() -> None:
    message = msgspec.structs.replace(
        BLENDED, kind=CampaignKind.AUTODIALER, pacer="agentless", prompt="hello", max_calls=1
    )
    bench = Bench(message, leads=0)
    bench.start(agents=0)
    bench.arrive("c1")
    assert bench.of(Play) == [Play("c1", "hello")]
    bench.tell(events.CallEnded("c1", ended_by=EndedBy.REMOTE))
    record = bench.settled("c1").record
    assert (record.verdict.status, record.lead_trigger) == (CallStatus.IVR, Trigger.MISSED_CALL)


def test_a_dropped_engine_gives_back_only_the_trunks_that_its_own_calls_hold() -> None:
    bench = bench_of()
    bench.arrive("c1")
    bench.engine.give_back_trunks()
    assert bench.pool.room(bench.now)[0] == 50


FACT_NAMES = (
    *("arrive", "arrive", "begin", "answer", "end", "connect", "fail", "prompt", "wait"),
    *("ready", "ready", "pause", "lost", "wrap", "accept", "accept", "reject", "stop", "start"),
)
FACTS = st.lists(st.tuples(st.sampled_from(FACT_NAMES), st.integers(0, 7)), max_size=90)


@settings(max_examples=200, deadline=None)
@given(FACTS, st.sampled_from(Strategy), st.sampled_from(Offering), st.booleans(), st.booleans())
def test_whatever_happens_every_caller_ends_once_and_no_agent_has_two_calls(
    facts: list[tuple[str, int]],
    strategy: Strategy,
    offering: Offering,
    blended: bool,
    slow: bool,
) -> None:
    of = BLENDED if blended else INBOUND
    bench = Bench(msgspec.structs.replace(of, strategy=strategy, offering=offering, queue_s=20.0, offer_s=8.0))
    bench.slow_inbound = slow
    bench.start(agents=2)
    callers: list[str] = []
    for what, n in facts:
        _apply(bench, callers, what, n)
        _check(bench)
    _finish(bench)
    ended = [s.record.call_id for s in bench.of(SettleAttempt) if s.record.direction == "inbound"]
    assert sorted(ended) == sorted(callers)
    assert bench.engine.is_quiet or len(bench.engine.state.hopper)
    joined = [s.record for s in bench.of(SettleAttempt) if s.record.bridged_at is not None]
    talks = [record.call_id for record in joined if record.lead_trigger is None]
    assert sorted(talks) == sorted(s.result.call_id for s in bench.lead_settled())
    for record in (s.record for s in bench.of(SettleAttempt)):
        assert [offer.outcome for offer in record.offers].count("accepted") <= 1 + record.facts.agent_lost * 9
        assert not (record.direction == "inbound" and record.verdict.counts)
    assert not bench.engine.state.roster.in_state(AgentState.RINGING)


def _check(bench: Bench) -> None:
    """Look at what must hold after each fact."""
    state = bench.engine.state
    for call in state.calls.values():
        for name in call.asked:
            agent = state.roster.get(name)
            assert agent is not None
            assert (agent.state, agent.call) == (AgentState.RINGING, call)
        assert (call.call_id in state.asking) is bool(call.asked)
    for kind in (AgentState.READY, AgentState.NOT_READY):
        assert all(agent.call is None for agent in state.roster.in_state(kind).values())
    busy = [
        agent.call
        for kind in (AgentState.RESERVED, AgentState.TALKING, AgentState.WRAP_UP)
        for agent in state.roster.in_state(kind).values()
    ]
    assert len({id(call) for call in busy}) == len(busy)
    ready = state.roster.in_state(AgentState.READY)
    assert not (ready and any(not call.declined for call in state.waiting.values()))
    idle = [agent.idle_since for agent in ready.values()]
    assert idle == sorted(idle)


def _apply(bench: Bench, callers: list[str], what: str, n: int) -> None:  # noqa: C901, PLR0912 -- one row a fact
    state = bench.engine.state
    live = [*state.calls, *state.arrivals]
    call = live[n % len(live)] if live else "stray"
    held = state.calls.get(call)
    agent = f"a{n % 4}"
    asked = list(held.asked) if held is not None else []
    match what:
        case "arrive":
            callers.append(f"in{len(callers)}")
            bench.arrive(callers[-1])
        case "begin" if state.arrivals:
            first = next(iter(state.arrivals))
            bench.write_down(next(e for e in bench.of(BeginInbound) if e.call_id == first))
        case "answer":
            bench.tell(events.CallAnswered(call))
        case "end":
            bench.tell(events.CallEnded(call, ended_by=EndedBy.REMOTE))
        case "connect":
            bench.tell(events.CallConnected(call, held.agent.agent_id if held and held.agent else agent))
        case "fail":
            bench.tell(events.ConnectFailed(call, held.agent.agent_id if held and held.agent else agent))
        case "prompt":
            bench.tell(events.PromptEnded(call))
        case "wait":
            bench.wait(n * 3.0)
        case "ready":
            bench.tell(events.AgentReady(agent))
        case "pause":
            bench.tell(events.AgentPaused(agent))
        case "lost":
            bench.tell(events.AgentLost(agent))
        case "wrap":
            bench.tell(events.AgentWrappedUp(agent))
        case "accept":
            bench.tell(events.AgentAccepted(asked[n % len(asked)] if asked else agent, call))
        case "reject":
            bench.tell(events.AgentRejected(asked[n % len(asked)] if asked else agent, call))
        case "stop":
            bench.tell(events.CampaignStopped())
        case "start":
            bench.tell(events.CampaignStarted())


def _finish(bench: Bench) -> None:
    bench.tell(events.CampaignStopped())
    for effect in bench.of(BeginInbound):
        if effect.call_id in bench.engine.state.arrivals:
            bench.write_down(effect)
    for call_id in tuple(bench.engine.state.calls):
        bench.tell(events.CallEnded(call_id))
    bench.wait(120)


def test_each_desk_that_was_told_of_an_offer_is_told_of_its_end() -> None:
    bench = bench_of(agents=3, strategy=Strategy.RING_ALL)
    bench.arrive("c1")
    bench.tell(events.CallEnded("c1"))
    told = [command.order.value for command in bench.of(CommandAgent)]
    assert told == ["offer"] * 3 + ["withdraw"] * 3


@pytest.mark.parametrize("agents", [1, 0])
def test_a_script_that_names_what_the_caller_does_not_have_leads_to_the_agents_or_the_apology(agents: int) -> None:
    text = ScriptText("menu", 1, MENU.replace("{name}", "{company}"))
    scripted = msgspec.structs.replace(
        SETTINGS, kind=CampaignKind.AUTODIALER, pacer="agentless", script="menu", inbound=True, overflow_prompt="sorry"
    )
    bench = Bench(scripted, leads=0, script=text)
    bench.start(agents=agents)
    bench.arrive("c1")
    assert [order.agent_id for order in bench.of(Connect)] == ["a1"] * agents
    assert [play.prompt for play in bench.of(Play)] == ["sorry"] * (1 - agents)
    bench.tell(events.CallEnded("c1", sip_status=200, ended_by=EndedBy.DIALER))
    record = bench.settled("c1").record
    assert record.lead_trigger is Trigger.MISSED_CALL
    assert (record.facts.local_error is LocalError.TEMPLATE) == (agents == 0)
