"""Agents who choose whom to call: their leg first, then the customer (S2-13); leads offered for a look (preview)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialer.core import events, manual
from dialer.core.agents import AgentState
from dialer.core.effects import (
    AgentOrder,
    BeginAttempts,
    CommandAgent,
    Connect,
    Hangup,
    LeaseLeads,
    Originate,
    ReleaseLeads,
    SeekLead,
    SettleAttempt,
    Summon,
)
from dialer.core.hand import SUMMON_LIMIT_S
from dialer.core.trunks import TrunkLimit
from dialer.core.types import CallWindow, CampaignKind, Declined, HoldReason, Offering, Refusal, Slot, Supervision
from statuses.lead import ErrorKind, Trigger
from statuses.outcomes import AmdResult, CallStatus, CancelReason, EndedBy
from tests.dialer.core.bench_engine import SETTINGS, Bench, lead
from tests.dialer.core.hand_bench import MANUAL, PHONE, PREVIEW, HandBench

NIGHT = CallWindow(weekdays=((Slot(60, 61),),) * 7)


def started(settings: object = MANUAL, agents: int = 1, **more: object) -> HandBench:
    bench = HandBench(settings, **more)  # type: ignore[arg-type]
    bench.start(agents=agents)
    return bench


def state_of(bench: HandBench, agent: str = "a1") -> AgentState | None:
    found = bench.engine.state.roster.get(agent)
    return None if found is None else found.state


@pytest.mark.req("S2-13")
def test_the_agents_leg_comes_first_then_the_customer_who_is_joined_at_once() -> None:
    bench = started()
    bench.dial(request=7)
    (intent,) = bench.of(BeginAttempts)[0].intents
    assert (intent.phone, intent.by_hand) == (PHONE, True)
    assert [type(e) for e in bench.done if isinstance(e, BeginAttempts | Summon | Originate)] == [BeginAttempts, Summon]
    assert state_of(bench) is AgentState.RESERVED
    call = bench.up()
    assert [(o.call_id, o.phone) for o in bench.of(Originate)] == [(call, PHONE)]
    bench.tell(events.CallRinging(call))
    assert bench.of(Connect) == []
    bench.tell(events.CallAnswered(call, amd=AmdResult.MACHINE))
    assert bench.of(Connect) == [Connect(call, "a1")]
    bench.tell(events.CallConnected(call, "a1"))
    assert state_of(bench) is AgentState.TALKING
    assert (bench.answers()[7].code, bench.answers()[7].call_id) == (None, call)
    bench.wait(40)
    bench.tell(events.CallEnded(call, sip_status=200, q850=16, ended_by=EndedBy.REMOTE))
    record = bench.settled(call).record
    assert (record.verdict.status, record.agent_id) == (CallStatus.ANSWERED, "a1")
    assert state_of(bench) is AgentState.WRAP_UP
    bench.tell(events.AgentWrappedUp("a1", Trigger.CALLBACK_ASKED, callback_at=bench.now + 60))
    assert bench.lead_settled()[0].result.trigger is Trigger.CALLBACK_ASKED


def test_nothing_is_leased_or_paced_in_a_manual_campaign() -> None:
    bench = started(agents=3, leads=20)
    bench.wait(60)
    assert bench.of(LeaseLeads) == []
    assert bench.calls == []
    assert (bench.engine.figures(bench.now).reason, bench.engine.is_quiet) == (None, True)


def test_the_rule_of_two_seconds_does_not_apply_for_the_agent_is_there() -> None:
    bench = started()
    bench.dial()
    call = bench.up()
    bench.tell(events.CallRinging(call), events.CallAnswered(call))
    bench.wait(4)
    bench.tell(events.CallConnected(call, "a1"))
    bench.wait(30)
    bench.tell(events.CallEnded(call, ended_by=EndedBy.REMOTE))
    assert bench.engine.figures(bench.now).abandoned == 0


def test_a_leg_that_does_not_come_up_costs_the_lead_nothing_and_sets_the_agent_aside() -> None:
    bench = started()
    bench.dial()
    call = bench.of(Summon)[0].call_id
    bench.tell(events.ConnectFailed(call, "a1"))
    record = bench.settled(call).record
    assert bench.calls == []
    assert (record.verdict.status, record.verdict.sub_reason, record.verdict.counts) == (
        CallStatus.FAILED, "agent_leg", False,
    )  # fmt: skip
    assert (record.lead_trigger, record.error_kind) == (Trigger.ERROR, ErrorKind.AGENT)
    assert state_of(bench) is AgentState.NOT_READY
    assert bench.orders()[-1].code == "unreachable"
    assert bench.engine.is_quiet


def test_a_leg_that_never_comes_up_is_given_up() -> None:
    bench = started()
    bench.dial()
    bench.wait(SUMMON_LIMIT_S + 1)
    (record,) = [settled.record for settled in bench.of(SettleAttempt)]
    assert record.verdict.sub_reason == "agent_leg"
    assert [h.call_id for h in bench.of(Hangup)] == [record.call_id], "the switch must not go on ringing the phone"


def test_an_agent_who_hangs_up_before_the_answer_cancels_the_call_and_it_does_not_count() -> None:
    bench = started()
    bench.dial()
    call = bench.up()
    bench.tell(events.CallRinging(call), events.AgentHungUp("a1"))
    assert [(h.call_id, h.reason) for h in bench.of(Hangup)] == [(call, CancelReason.AGENT_HANGUP)]
    bench.tell(events.CallEnded(call, sip_status=487, ended_by=EndedBy.DIALER))
    record = bench.settled(call).record
    assert (record.verdict.status, record.verdict.cancel_reason) == (CallStatus.CANCEL, CancelReason.AGENT_HANGUP)
    assert (record.facts.ended_by, record.verdict.counts, record.lead_trigger) == (
        EndedBy.AGENT, False, Trigger.VOIDED,
    )  # fmt: skip
    assert state_of(bench) is AgentState.READY


def test_an_agent_who_hangs_up_before_the_intent_is_durable_calls_nobody() -> None:
    bench = started()
    bench.refuse_begin = True
    bench.dial()
    (intent,) = bench.of(BeginAttempts)[0].intents
    bench.tell(events.AgentHungUp("a1"), events.AttemptsBegun((intent.call_id,)))
    assert bench.of(Summon) == []
    assert bench.settled(intent.call_id).record.verdict.status is CallStatus.CANCEL
    assert state_of(bench) is AgentState.READY


@pytest.mark.parametrize("ringing", [False, True])
def test_an_agent_lost_before_the_answer_is_a_leg_that_failed(ringing: bool) -> None:
    bench = started()
    bench.dial()
    call = bench.of(Summon)[0].call_id
    if ringing:
        bench.up()
        bench.tell(events.CallRinging(call))
    bench.tell(events.AgentLost("a1"))
    bench.tell(events.CallEnded(call, sip_status=487 if ringing else None, ended_by=EndedBy.DIALER))
    record = bench.settled(call).record
    assert (record.verdict.status, record.verdict.sub_reason) == (CallStatus.FAILED, "agent_leg")
    assert record.error_kind is ErrorKind.AGENT


def test_a_customer_whose_answer_crosses_the_loss_of_the_agent_is_abandoned_by_the_law() -> None:
    bench = started(agents=2)
    bench.dial()
    call = bench.up()
    bench.tell(events.AgentLost("a1"), events.CallAnswered(call))
    assert bench.of(Connect) == []
    assert bench.of(Hangup) == [Hangup(call, CancelReason.AGENT_HANGUP)] * 2
    bench.tell(events.CallEnded(call, ended_by=EndedBy.DIALER))
    assert bench.settled(call).record.verdict.status is CallStatus.BUSY_LINE
    assert bench.engine.figures(bench.now).abandoned == 1


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        ([events.AgentLost("a1")], Declined.NOT_SIGNED_IN),
        ([events.AgentPaused("a1", "lunch")], Declined.NOT_READY),
        ([events.CampaignPaused()], HoldReason.CAMPAIGN_NOT_RUNNING),
        ([events.HoldChanged(HoldReason.STORE_SLOW)], HoldReason.STORE_SLOW),
        ([events.SettingsChanged(msgspec.structs.replace(MANUAL, window=NIGHT))], HoldReason.WINDOW),
        ([events.SettingsChanged(msgspec.structs.replace(MANUAL, hotlines=()))], HoldReason.NO_HOTLINE),
        ([events.SettingsChanged(msgspec.structs.replace(MANUAL, max_calls=0))], HoldReason.CAMPAIGN_CAP),
    ],
)
def test_what_forbids_a_call_is_told_in_words_and_nobody_is_looked_for(prepare: list[events.Event], code: str) -> None:
    bench = started()
    bench.tell(*prepare)
    bench.dial(request=3)
    assert bench.of(SeekLead) == []
    assert (bench.orders()[-1].order, bench.orders()[-1].code) == (AgentOrder.REFUSED, code)
    assert bench.answers()[3].code == code


def test_a_second_call_waits_for_the_first_and_for_its_wrap_up() -> None:
    bench = started()
    call = bench.talk()
    bench.dial(phone="+84901000002", request=1)
    bench.tell(events.CallEnded(call, ended_by=EndedBy.REMOTE))
    bench.dial(phone="+84901000002", request=2)
    assert [bench.answers()[n].code for n in (1, 2)] == [Declined.AGENT_BUSY, Declined.WRAP_UP_FIRST]
    bench.tell(events.AgentWrappedUp("a1"))
    bench.dial(phone="+84901000002", request=3)
    assert bench.answers()[3].code is None


def test_a_full_trunk_refuses_the_call_and_says_so() -> None:
    bench = started(agents=2, trunks=(TrunkLimit("one", channels=1, cps=50.0, burst=50),))
    bench.dial()
    bench.dial("a2", "+84901000002", request=5)
    assert bench.answers()[5].code == HoldReason.TRUNK_CAPACITY
    assert state_of(bench, "a2") is AgentState.READY


def test_what_the_guards_of_the_number_refuse_frees_the_agent_and_is_told() -> None:
    bench = started()
    bench.refuse = HoldReason.DNC
    bench.dial(request=4)
    assert bench.answers()[4].code == HoldReason.DNC
    assert (state_of(bench), bench.calls, bench.of(BeginAttempts)) == (AgentState.READY, [], [])


def test_a_refusal_at_the_last_guard_frees_agent_and_trunk() -> None:
    bench = started()
    bench.refuse_begin = True
    bench.dial(request=4)
    (intent,) = bench.of(BeginAttempts)[0].intents
    bench.tell(events.AttemptsBegun((), (Refusal(intent.call_id, intent.lead_id, HoldReason.NUMBER_CAP),)))
    assert bench.answers()[4].code == HoldReason.NUMBER_CAP
    bench.wait(1)
    assert (state_of(bench), bench.pool.room(bench.now)[0]) == (AgentState.READY, 50)


def test_a_lead_found_for_an_agent_who_is_gone_goes_back() -> None:
    bench = started()
    bench.silent = True
    bench.dial(request=6)
    bench.tell(events.AgentLost("a1"))
    assert bench.answers()[6].code == Declined.NOT_SIGNED_IN
    bench.silent = False
    bench.tell(events.LeadFound("a1", lead(5, phone=PHONE)))
    assert bench.of(ReleaseLeads) == [ReleaseLeads((5,))]
    assert bench.engine.is_quiet


def test_agents_of_a_paced_campaign_do_not_choose() -> None:
    bench = started(SETTINGS)
    bench.dial(request=1)
    assert bench.answers()[1].code == Declined.NOT_BY_HAND


def test_a_call_that_becomes_durable_after_hours_is_voided_and_the_agent_is_free() -> None:
    bench = started()
    bench.refuse_begin = True
    bench.dial(request=1)
    (intent,) = bench.of(BeginAttempts)[0].intents
    bench.tell(events.CampaignPaused(), events.AttemptsBegun((intent.call_id,)))
    assert bench.of(Summon) == []
    assert bench.answers()[1].call_id == intent.call_id
    assert (bench.settled(intent.call_id).record.lead_trigger, state_of(bench)) == (Trigger.VOIDED, AgentState.READY)


# --- preview


def offers(bench: Bench) -> list[tuple[str, int | None]]:
    return [(order.agent_id, order.lead_id) for order in bench.of(CommandAgent) if order.order is AgentOrder.OFFER]


def test_each_ready_agent_is_offered_one_lead_and_accepting_begins_its_call() -> None:
    bench = started(PREVIEW, agents=2, leads=5)
    assert offers(bench) == [("a1", 1), ("a2", 2)]
    order = bench.orders()[0]
    assert (order.call_id, order.offer_s, order.phone) == (None, 15.0, "+84700000001")
    assert bench.calls == []
    bench.tell(events.AgentAccepted("a1", lead_id=1))
    call = bench.up()
    assert bench.of(Originate)[0].phone == "+84700000001"
    bench.answer(call)
    assert (state_of(bench), state_of(bench, "a2")) == (AgentState.TALKING, AgentState.RINGING)


def test_a_lead_that_is_turned_down_goes_to_the_next_agent_and_not_to_this_one_again() -> None:
    bench = started(PREVIEW, agents=2, leads=2)
    bench.tell(events.AgentRejected("a1", lead_id=1))
    bench.wait(1)
    assert state_of(bench) is AgentState.READY, "there is no other lead for this agent"
    bench.tell(events.AgentRejected("a2", lead_id=2))
    bench.wait(1)
    assert offers(bench)[2:] == [("a1", 2), ("a2", 1)]


def test_an_agent_who_says_nothing_is_set_aside_and_the_lead_goes_on() -> None:
    bench = started(PREVIEW, agents=2, leads=1)
    bench.wait(15.5)
    assert state_of(bench) is AgentState.NOT_READY
    assert (bench.orders()[-1].order, bench.orders()[-1].code) == (AgentOrder.WITHDRAW, "missed")
    assert offers(bench) == [("a1", 1), ("a2", 1)]
    bench.tell(events.AgentAccepted("a1", lead_id=1))
    assert bench.of(BeginAttempts) == [], "too late"


def test_a_pause_takes_the_offers_and_the_leads_back() -> None:
    bench = started(PREVIEW, agents=2, leads=5)
    bench.tell(events.CampaignPaused())
    bench.wait(1)
    assert sorted(lead_id for released in bench.of(ReleaseLeads) for lead_id in released.lead_ids) == [1, 2, 3, 4, 5]
    assert (state_of(bench), bench.engine.is_quiet) == (AgentState.READY, True)


def test_a_lead_that_people_take_away_is_withdrawn_from_the_agent_who_looks_at_it() -> None:
    bench = started(PREVIEW, leads=1)
    assert bench.engine.leased_leads == (1,)
    bench.tell(events.LeadsWithdrawn((1,)))
    assert bench.orders()[-1].order is AgentOrder.WITHDRAW
    assert bench.engine.is_quiet
    bench.tell(events.AgentAccepted("a1", lead_id=1))
    assert bench.of(BeginAttempts) == []


def test_an_agent_lost_while_looking_gives_the_lead_back() -> None:
    bench = started(PREVIEW, agents=2, leads=1)
    bench.tell(events.AgentLost("a1"))
    bench.wait(1)
    assert offers(bench) == [("a1", 1), ("a2", 1)]


def test_an_agent_who_may_not_call_the_accepted_lead_now_hears_why_and_keeps_being_offered() -> None:
    bench = started(PREVIEW, agents=2, leads=2, trunks=(TrunkLimit("one", channels=1, cps=50.0, burst=50),))
    bench.tell(events.AgentAccepted("a1", lead_id=1), events.AgentAccepted("a2", lead_id=2))
    refused = [order for order in bench.orders("a2") if order.order is AgentOrder.REFUSED]
    assert [order.code for order in refused] == [HoldReason.TRUNK_CAPACITY]


def test_the_agent_who_arranged_a_callback_is_offered_it() -> None:
    bench = HandBench(PREVIEW, leads=1)
    bench.queue[0] = msgspec.structs.replace(bench.queue[0], callback_agent="a2")
    bench.start(agents=2)
    assert offers(bench) == [("a2", 1)]


# --- laws

_AGENTS = ("a1", "a2", "a3")
_WHAT = [
    "dial",
    "talk",
    "talk",
    "accept",
    "ready",
    "pause",
    "lost",
    "hang_up",
    "give",
    "send",
    "sent",
    "up",
    "down",
    "ring",
    "answer",
    "join",
    "fail",
    "end",
    "wrap",
    "reject",
    "wait",
    "listen",
]
_MOVES = st.lists(st.tuples(st.sampled_from(_WHAT), st.integers(0, 2), st.integers(0, 3)), max_size=60)


class Anything:
    """A world in which every side may say anything at any time."""

    def __init__(self, kind: CampaignKind, offering: Offering) -> None:
        self.bench = HandBench(
            msgspec.structs.replace(PREVIEW, kind=kind, offering=offering),
            leads=6 if kind is CampaignKind.PREVIEW else 0,
        )
        self.bench.start(agents=3)
        self.up: set[str] = set()

    def talk(self, agent: str, phone: str) -> None:
        """Bring a talk about, if the agent may have one."""
        bench, before = self.bench, len(self.bench.of(Summon))
        bench.dial(agent, phone)
        bench.tell(*(events.AgentAccepted(agent, lead_id=n) for n in range(1, 7)))
        for summon in bench.of(Summon)[before:]:
            self.up.add(summon.call_id)
            bench.tell(events.AgentOnLine(summon.call_id, agent))
            bench.answer(summon.call_id)

    def move(self, what: str, agent: str, n: int) -> None:
        bench = self.bench
        calls = [effect.call_id for effect in bench.of(Summon)]
        call = calls[n % len(calls)] if calls else "none"
        facts: dict[str, events.Event] = {
            "ready": events.AgentReady(agent), "pause": events.AgentPaused(agent), "lost": events.AgentLost(agent),
            "hang_up": events.AgentHungUp(agent), "give": events.AgentTransferred(agent, _AGENTS[n % 3]),
            "send": events.AgentTransferred(agent, None, "+84901000099"), "sent": events.CallTransferred(call, n > 0),
            "down": events.ConnectFailed(call, agent), "ring": events.CallRinging(call),
            "join": events.CallConnected(call, agent), "fail": events.ConnectFailed(call, agent),
            "wrap": events.AgentWrappedUp(agent), "accept": events.AgentAccepted(agent, lead_id=n + 1),
            "reject": events.AgentRejected(agent, lead_id=n + 1),
            "listen": events.SupervisionAsked(agent, "boss", Supervision.LISTEN),
        }  # fmt: skip
        if what == "dial":
            bench.dial(agent, f"+8490100000{n}")
        elif what == "talk":
            self.talk(agent, f"+8490100000{n}")
        elif what == "wait":
            bench.wait((0.3, 5.0, 16.0, 61.0)[n])
        elif what == "up":
            self.up.add(call)
            bench.tell(events.AgentOnLine(call, agent))
        elif what in {"answer", "end"}:
            placed = call in bench.calls
            bench.tell(events.CallAnswered(call) if what == "answer" and placed else events.CallEnded(call))
        else:
            bench.tell(facts[what])


@given(st.sampled_from([CampaignKind.MANUAL, CampaignKind.PREVIEW]), st.sampled_from(list(Offering)), _MOVES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_agent_has_two_calls_no_call_leaves_before_its_agents_leg_and_each_ends_once(
    kind: CampaignKind, offering: Offering, moves: list[tuple[str, int, int]]
) -> None:
    world = Anything(kind, offering)
    bench, state = world.bench, world.bench.engine.state
    for what, who, n in moves:
        world.move(what, _AGENTS[who], n)
        holders = [call.agent.agent_id for call in state.calls.values() if call.agent is not None]
        assert len(holders) == len(set(holders)), "an agent has two calls"
        assert set(bench.calls) <= world.up, "a customer was called before the agent was on the line"
    for agent in _AGENTS:
        bench.tell(events.AgentLost(agent))
    for call in tuple(state.calls):
        bench.tell(events.CallEnded(call))
    bench.tell(events.CampaignStopped())
    bench.wait(200)
    ended = [effect.record.call_id for effect in bench.of(SettleAttempt)]
    begun = [intent.call_id for effect in bench.of(BeginAttempts) for intent in effect.intents]
    assert sorted(ended) == sorted(begun), "each attempt ends once"
    assert bench.pool.room(bench.now + 60)[0] == 50, "every channel was given back"
    assert (state.wishes, state.previews, state.calls) == ({}, {}, {})
    settled = [effect.result.call_id for effect in bench.lead_settled()]
    told = [effect.record.call_id for effect in bench.of(SettleAttempt) if effect.record.lead_trigger is None]
    assert sorted(settled) == sorted(told), "each talk's lead hears what became of it, once"


def test_only_these_kinds_are_dialed_by_hand() -> None:
    assert {CampaignKind.MANUAL, CampaignKind.PREVIEW} == manual.BY_HAND


def test_the_figures_say_who_is_signed_in_and_what_they_do() -> None:
    bench = started(PREVIEW, agents=2, leads=1)
    bench.tell(events.AgentPaused("a2", "lunch"))
    seen = {agent.agent_id: agent for agent in bench.engine.figures(bench.now).agents}
    assert (seen["a1"].state, seen["a1"].lead_id, seen["a1"].call_id) == ("ringing", 1, None)
    assert (seen["a2"].state, seen["a2"].code) == ("not_ready", "lunch")
    bench.tell(events.AgentAccepted("a1", lead_id=1))
    call = bench.up()
    (agent, _) = bench.engine.figures(bench.now).agents
    assert (agent.state, agent.call_id, agent.lead_id) == ("reserved", call, 1)


def test_an_agent_who_hangs_up_while_the_leg_comes_up_is_free_whatever_time_passes() -> None:
    bench = started()
    bench.dial()
    call = bench.of(Summon)[0].call_id
    bench.wait(SUMMON_LIMIT_S - 5)
    bench.tell(events.AgentHungUp("a1"))
    bench.wait(6)
    bench.tell(events.CallEnded(call))
    assert state_of(bench) is AgentState.READY


@pytest.mark.parametrize(
    "change",
    [events.CampaignPaused(), events.SettingsChanged(msgspec.structs.replace(MANUAL, window=NIGHT))],
    ids=["paused", "window"],
)
def test_nobody_is_called_once_the_campaign_may_not_call_and_the_agents_leg_goes(change: events.Event) -> None:
    bench = started()
    bench.dial()
    bench.tell(change)
    call = bench.up()
    assert bench.of(Originate) == []
    assert [order.call_id for order in bench.of(Hangup)] == [call]
    assert bench.settled(call).record.verdict.status is CallStatus.CANCEL
    assert state_of(bench) is AgentState.READY
    assert bench.orders()[-1].order is AgentOrder.REFUSED


def test_a_call_whose_prompts_cannot_be_named_leaves_no_agents_leg_up() -> None:
    bench = started(msgspec.structs.replace(MANUAL, overflow_prompt="say:vi:Chào {company}"))
    bench.dial()
    call = bench.up()
    assert [order.call_id for order in bench.of(Hangup)] == [call]
    assert bench.settled(call).record.verdict.status is CallStatus.FAILED
    assert state_of(bench) is AgentState.READY


def test_the_answer_to_an_earlier_wish_begins_no_call_and_ends_no_later_wish() -> None:
    bench = started()
    bench.silent = True
    bench.dial(phone=PHONE)
    bench.tell(events.AgentLost("a1"), events.AgentReady("a1"))
    bench.dial(phone="+84901000002")
    bench.tell(events.LeadFound("a1", lead(1, phone=PHONE), None, 0, PHONE))
    bench.tell(events.LeadFound("a1", None, HoldReason.DNC, 0, PHONE))
    assert (bench.of(BeginAttempts), bench.of(ReleaseLeads)) == ([], [ReleaseLeads((1,))])
    assert state_of(bench) is AgentState.RESERVED
    bench.tell(events.LeadFound("a1", lead(2, phone="+84901000002"), None, 0, "+84901000002"))
    assert [intent.phone for effect in bench.of(BeginAttempts) for intent in effect.intents] == ["+84901000002"]
