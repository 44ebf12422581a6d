"""The engine turned by hand: what it does with each fact, and what it never does."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core import events
from dialer.core.effects import (
    BeginAttempts,
    Connect,
    Hangup,
    LeaseLeads,
    Originate,
    Play,
    RecordProgress,
    ReleaseLeads,
    SettleAttempt,
)
from dialer.core.types import CallWindow, HoldReason, Refusal, Slot
from statuses.lead import Trigger
from statuses.outcomes import AmdResult, Announcement, CallStatus, CancelReason, EndedBy
from statuses.retry import RetryPolicy
from tests.dialer.core.bench_engine import SETTINGS, START, Bench, lead


def figures_reason(bench: Bench) -> HoldReason | None:
    return bench.engine.figures(bench.now).reason


def test_nothing_is_dialed_before_the_start() -> None:
    bench = Bench()
    bench.tell(events.AgentReady("a1"))
    bench.wait(60)
    assert bench.calls == []
    assert figures_reason(bench) is HoldReason.CAMPAIGN_NOT_RUNNING


def test_no_agent_no_call() -> None:
    bench = Bench()
    bench.tell(events.CampaignStarted())
    bench.wait(60)
    assert bench.calls == []
    assert figures_reason(bench) is HoldReason.NO_AGENT


def test_progressive_places_one_call_an_idle_agent_and_writes_it_down_first() -> None:
    bench = Bench()
    bench.start(agents=3)
    assert len(bench.calls) == 3
    order = [type(effect) for effect in bench.done if isinstance(effect, BeginAttempts | Originate)]
    assert order.index(BeginAttempts) < order.index(Originate)
    assert bench.pool.room(bench.now)[0] <= 47


def test_an_intent_that_the_store_refuses_is_never_placed() -> None:
    bench = Bench()
    bench.refuse_begin = True
    bench.start()
    (intent,) = bench.of(BeginAttempts)[0].intents
    bench.tell(events.AttemptsBegun((), (Refusal(intent.call_id, intent.lead_id, HoldReason.DNC),)))
    assert bench.calls == []
    assert len(bench.of(SettleAttempt)) == 0


def test_answered_call_reaches_the_longest_idle_agent_and_ends_in_success() -> None:
    bench = Bench()
    bench.start(agents=2)
    call = bench.calls[0]
    bench.wait(5)
    bench.answer(call)
    assert bench.of(Connect)[0].agent_id == "a1"
    assert [p.agent_id for p in bench.of(RecordProgress)] == [None, "a1"]
    bench.wait(60)
    bench.tell(events.CallEnded(call, sip_status=200, q850=16, ended_by=EndedBy.REMOTE))
    record = bench.settled(call).record
    assert record.verdict.status is CallStatus.ANSWERED
    assert record.lead_trigger is None
    assert record.answered_at is not None
    assert record.ended_at - record.answered_at == pytest.approx(60)
    assert bench.lead_settled() == []
    bench.wait(11)
    (done,) = bench.lead_settled()
    assert done.result.trigger is Trigger.ANSWERED
    assert done.result.wrap_s == pytest.approx(10)


def test_the_agents_word_after_the_talk_decides_the_lead() -> None:
    bench = Bench()
    bench.start()
    call = bench.calls[0]
    bench.answer(call)
    bench.wait(30)
    bench.tell(events.CallEnded(call, ended_by=EndedBy.AGENT))
    bench.tell(events.AgentWrappedUp("a1", Trigger.CALLBACK_ASKED, "HG", "sau 5 giờ", START + 7200))
    (done,) = bench.lead_settled()
    assert (done.result.trigger, done.result.callback_at, done.result.note) == (
        Trigger.CALLBACK_ASKED,
        START + 7200,
        "sau 5 giờ",
    )
    bench.wait(0.3)
    assert len(bench.calls) == 2


def test_short_talk_is_retried_unless_the_agent_says_otherwise() -> None:
    policy = RetryPolicy(short_talk_s=10.0, gap_s=600.0)
    bench = Bench(msgspec.structs.replace(SETTINGS, retry=policy))
    bench.start()
    call = bench.calls[0]
    bench.answer(call)
    bench.wait(3)
    bench.tell(events.CallEnded(call, ended_by=EndedBy.REMOTE))
    ended = bench.now
    bench.wait(11)
    (done,) = bench.lead_settled()
    assert done.result.trigger is Trigger.NO_SUCCESS
    assert done.result.next_at == pytest.approx(ended + 600)
    assert bench.settled(call).record.verdict.status is CallStatus.ANSWERED


@pytest.mark.req("S0-6.8", "S1-6.8")
def test_ring_timer_cancels_and_counts_as_cancel() -> None:
    bench = Bench()
    bench.start()
    call = bench.calls[0]
    bench.tell(events.CallRinging(call))
    bench.wait(20.1)
    assert [(h.call_id, h.reason) for h in bench.of(Hangup)] == [(call, CancelReason.RING_TIMEOUT)]
    bench.tell(events.CallEnded(call, sip_status=487, ended_by=EndedBy.DIALER))
    record = bench.settled(call).record
    assert record.verdict.status is CallStatus.CANCEL
    assert record.verdict.counts
    assert record.lead_trigger is Trigger.NO_SUCCESS


def test_a_call_that_the_trunk_itself_let_ring_no_longer_is_held_against_the_lead_like_one_that_rang_out() -> None:
    bench = Bench()
    bench.start()
    call = bench.calls[0]
    bench.tell(events.CallRinging(call))
    bench.wait(10)
    bench.tell(events.CallEnded(call, sip_status=487, ended_by=EndedBy.DIALER))
    record = bench.settled(call).record
    assert (record.verdict.cancel_reason, record.verdict.counts) == (CancelReason.RING_TIMEOUT, True)
    assert record.lead_trigger is Trigger.NO_SUCCESS


def test_a_call_that_never_rings_is_given_up_too() -> None:
    bench = Bench()
    bench.start()
    bench.wait(31)
    assert len(bench.of(Hangup)) == 1


@pytest.mark.req("S0-6.4", "S1-6.4")
def test_nobody_free_within_two_seconds_is_an_abandoned_call() -> None:
    bench = Bench(msgspec.structs.replace(SETTINGS, pacer="ratio", ratio=2.0))
    bench.start(answers=200)
    first, second = bench.calls[:2]
    bench.answer(first)
    bench.answer(second)
    assert bench.engine.figures(bench.now).waiting == 1
    bench.wait(2.1)
    assert [(h.call_id, h.reason) for h in bench.of(Hangup)] == [(second, CancelReason.OVERFLOW)]
    bench.tell(events.CallEnded(second, sip_status=200, ended_by=EndedBy.DIALER))
    assert bench.settled(second).record.verdict.status is CallStatus.BUSY_LINE
    figures = bench.engine.figures(bench.now)
    assert (figures.answered, figures.abandoned) == (201, 1)


def test_the_overflow_message_plays_before_the_hang_up() -> None:
    changed = msgspec.structs.replace(SETTINGS, pacer="ratio", ratio=2.0, overflow_prompt="sorry", overflow_s=6.0)
    bench = Bench(changed)
    bench.start(answers=200)
    first, second = bench.calls[:2]
    bench.answer(first)
    bench.answer(second)
    bench.wait(2.1)
    assert [(p.call_id, p.prompt) for p in bench.of(Play)] == [(second, "sorry")]
    assert bench.of(Hangup) == []
    bench.wait(6.1)
    assert [h.call_id for h in bench.of(Hangup)] == [second]


def test_an_agent_who_frees_up_in_time_takes_the_waiting_call() -> None:
    bench = Bench(msgspec.structs.replace(SETTINGS, pacer="ratio", ratio=2.0))
    bench.start(answers=200)
    first, second = bench.calls[:2]
    bench.answer(first)
    bench.answer(second)
    bench.tell(events.AgentReady("a2"))
    assert bench.of(Connect)[-1] == Connect(second, "a2")
    bench.tell(events.CallConnected(second, "a2"))
    bench.wait(5)
    assert bench.of(Hangup) == []
    assert bench.engine.figures(bench.now).abandoned == 0


def test_a_callback_prefers_the_agent_who_arranged_it() -> None:
    bench = Bench(leads=0)
    bench.queue = [lead(1, callback_agent="a2")]
    bench.start(agents=3)
    bench.answer(bench.calls[0], connect=False)
    assert bench.of(Connect) == [Connect(bench.calls[0], "a2")]


def test_a_changed_legal_limit_holds_at_once_and_keeps_the_count() -> None:
    bench = Bench()
    bench.start(answers=200)
    stricter = msgspec.structs.replace(SETTINGS.legal, abandon_limit=0.01)
    bench.tell(events.SettingsChanged(msgspec.structs.replace(SETTINGS, legal=stricter)))
    figures = bench.engine.figures(bench.now)
    assert (figures.abandon_limit, figures.answered) == (0.01, 200)
    assert bench.engine.state.budget.limit == 0.01


def test_a_dropped_engine_gives_its_trunk_channels_back() -> None:
    bench = Bench(channels=3)
    bench.start(agents=3)
    assert bench.pool.room(bench.now)[0] == 0
    bench.engine.give_back_trunks()
    bench.wait(1)
    assert bench.pool.room(bench.now)[0] == 3


def test_an_unreachable_agent_is_set_aside_and_the_customer_gets_another() -> None:
    bench = Bench()
    bench.start(agents=2)
    bench.answer(bench.calls[0], connect=False)
    bench.tell(events.ConnectFailed(bench.calls[0], "a1"))
    assert bench.of(Connect)[-1] == Connect(bench.calls[0], "a2")
    assert bench.engine.figures(bench.now).paused == 1


def test_an_agent_lost_before_the_talk_is_replaced_and_a_talk_goes_on_without_the_desk() -> None:
    bench = Bench()
    bench.start(agents=2)
    one, two = bench.calls[:2]
    bench.answer(one, connect=False)
    bench.tell(events.AgentLost("a1"))
    assert bench.of(Connect)[-1] == Connect(one, "a2")
    bench.tell(events.CallConnected(one, "a2"))
    bench.tell(events.AgentLost("a2"))
    bench.wait(40)
    bench.tell(events.CallEnded(one, ended_by=EndedBy.REMOTE))
    assert bench.settled(one).record.verdict.status is CallStatus.ANSWERED
    assert bench.lead_settled()[0].result.trigger is Trigger.ANSWERED
    assert two


def test_an_agent_who_returns_during_the_talk_is_talking_not_idle() -> None:
    bench = Bench()
    bench.start()
    call = bench.calls[0]
    bench.answer(call)
    bench.tell(events.AgentLost("a1"), events.AgentReady("a1"))
    bench.wait(3)
    figures = bench.engine.figures(bench.now)
    assert (figures.talking, figures.idle, len(bench.calls)) == (1, 0, 1)
    bench.tell(events.CallEnded(call, ended_by=EndedBy.REMOTE))
    bench.wait(11)
    assert len(bench.lead_settled()) == 1
    assert len(bench.calls) == 2


def test_an_agent_whose_call_hung_up_before_the_join_takes_the_one_who_waits() -> None:
    bench = Bench(msgspec.structs.replace(SETTINGS, pacer="ratio", ratio=2.0))
    bench.start(answers=200)
    first, second = bench.calls[:2]
    bench.answer(first, connect=False)
    bench.answer(second, connect=False)
    bench.tell(events.CallEnded(first, ended_by=EndedBy.REMOTE))
    assert bench.of(Connect)[-1] == Connect(second, "a1")


def test_a_break_asked_for_while_reserved_is_not_forgotten() -> None:
    bench = Bench()
    bench.start()
    bench.answer(bench.calls[0], connect=False)
    bench.tell(events.AgentPaused("a1"), events.CallEnded(bench.calls[0], ended_by=EndedBy.REMOTE))
    bench.wait(5)
    assert bench.engine.figures(bench.now).paused == 1
    assert len(bench.calls) == 1


def test_a_campaign_waits_for_its_start() -> None:
    bench = Bench(msgspec.structs.replace(SETTINGS, starts_at=START + 3600))
    bench.start()
    bench.wait(60)
    assert bench.calls == []
    assert figures_reason(bench) is HoldReason.SCHEDULED
    bench.wait(3600)
    assert bench.calls


def test_an_intent_that_becomes_durable_when_everybody_has_left_is_voided() -> None:
    bench = Bench()
    bench.refuse_begin = True
    bench.start()
    (intent,) = bench.of(BeginAttempts)[0].intents
    bench.tell(events.AgentLost("a1"), events.AttemptsBegun((intent.call_id,)))
    assert bench.calls == []
    assert bench.settled(intent.call_id).record.lead_trigger is Trigger.VOIDED


def test_leads_go_back_when_nobody_is_left_to_take_calls() -> None:
    bench = Bench()
    bench.start()
    bench.tell(events.AgentPaused("a1"))
    bench.wait(1)
    assert bench.of(ReleaseLeads)
    assert bench.engine.leased_leads == ()


def test_other_settings_leave_a_benched_hotline_benched() -> None:
    bench = Bench(msgspec.structs.replace(SETTINGS, hotlines=("h1", "h2")))
    bench.engine.state.hotlines.bench("h1", START + 600)
    bench.tell(events.SettingsChanged(msgspec.structs.replace(SETTINGS, hotlines=("h1", "h2"), wrap_up_s=31.0)))
    assert bench.engine.state.hotlines.healthy(START) == ("h2",)


def test_what_nobody_expected_is_counted_where_people_see_it() -> None:
    bench = Bench()
    bench.start()
    bench.tell(events.CallRinging("unknown"), events.AgentWrappedUp("a1"))
    assert bench.engine.figures(bench.now).strays == 2


def test_a_machine_is_let_go_and_called_voicemail() -> None:
    bench = Bench()
    bench.start()
    call = bench.calls[0]
    bench.tell(events.CallRinging(call), events.CallAnswered(call, AmdResult.MACHINE))
    assert bench.of(Connect) == []
    bench.tell(events.CallEnded(call, sip_status=200, ended_by=EndedBy.DIALER))
    assert bench.settled(call).record.verdict.status is CallStatus.VOICEMAIL
    assert bench.engine.figures(bench.now).answered == 0


def test_a_machine_found_during_the_talk_frees_the_agent_and_settles_the_lead_once() -> None:
    bench = Bench()
    bench.start()
    call = bench.calls[0]
    bench.answer(call)
    bench.tell(events.MachineDetected(call, AmdResult.MACHINE))
    bench.tell(events.CallEnded(call, ended_by=EndedBy.DIALER))
    bench.wait(30)
    assert bench.settled(call).record.verdict.status is CallStatus.VOICEMAIL
    assert bench.lead_settled() == []
    assert bench.engine.figures(bench.now).answered == 0


def test_announcement_outranks_the_code() -> None:
    bench = Bench()
    bench.start()
    call = bench.calls[0]
    bench.tell(events.EarlyMediaHeard(call, Announcement.LOCKED))
    bench.tell(events.CallEnded(call, sip_status=480, ended_by=EndedBy.REMOTE))
    assert bench.settled(call).record.verdict.status is CallStatus.PHONE_BLOCK


@pytest.mark.parametrize(("amd", "abandoned"), [(None, 1), (AmdResult.MACHINE, 0)])
def test_a_200_that_crosses_our_cancel_is_hung_up_and_nobodys_agent_is_taken(
    amd: AmdResult | None, abandoned: int
) -> None:
    bench = Bench()
    bench.start()
    call = bench.calls[0]
    bench.tell(events.CallRinging(call))
    bench.wait(20.1)
    assert len(bench.of(Hangup)) == 1
    bench.tell(events.CallAnswered(call, amd=amd))
    assert bench.of(Hangup)[-1] == Hangup(call, CancelReason.RING_TIMEOUT)
    assert (len(bench.of(Hangup)), bench.of(Connect), bench.of(Play)) == (2, [], [])
    bench.tell(events.CallEnded(call, sip_status=200, ended_by=EndedBy.DIALER))
    record = bench.settled(call).record
    assert record.verdict.status is (CallStatus.BUSY_LINE if abandoned else CallStatus.VOICEMAIL)
    assert record.answered_at is not None
    assert bench.engine.figures(bench.now).abandoned == abandoned


def test_a_switch_that_never_confirms_a_hang_up_loses_its_call() -> None:
    bench = Bench()
    bench.start()
    bench.tell(events.CallRinging(bench.calls[0]))
    bench.wait(20.1 + 10.5)
    assert bench.settled(bench.calls[0]).record.verdict.status is CallStatus.CANCEL
    assert len(bench.calls) == 2


def test_stop_cancels_what_rings_and_pause_lets_it_go_on() -> None:
    for fact, cancelled in ((events.CampaignPaused(), 0), (events.CampaignStopped(), 1)):
        bench = Bench()
        bench.start()
        bench.tell(events.CallRinging(bench.calls[0]), fact)
        assert len(bench.of(Hangup)) == cancelled
        assert bench.of(ReleaseLeads), "leads that wait in the hopper go back"
        bench.wait(30)
        assert len(bench.calls) == 1


def test_an_intent_that_becomes_durable_after_the_stop_is_voided() -> None:
    bench = Bench()
    bench.refuse_begin = True
    bench.start()
    (intent,) = bench.of(BeginAttempts)[0].intents
    bench.tell(events.CampaignStopped())
    bench.tell(events.AttemptsBegun((intent.call_id,)))
    assert bench.calls == []
    record = bench.settled(intent.call_id).record
    assert record.lead_trigger is Trigger.VOIDED
    assert not record.verdict.counts


def test_the_window_is_checked_at_launch_and_opens_by_itself() -> None:
    # START is 2027-01-15 15:00 in Ho Chi Minh City, a Friday; the window closes at 15:05.
    window = CallWindow(weekdays=((Slot(480, 905),),) * 7)
    bench = Bench(msgspec.structs.replace(SETTINGS, window=window), leads=60)
    bench.start()
    bench.wait(360)
    placed = bench.of(BeginAttempts)
    assert placed
    assert all(intent.begun_at < START + 300 for batch in placed for intent in batch.intents)
    assert figures_reason(bench) is HoldReason.WINDOW
    opens = bench.engine.figures(bench.now).next_open_at
    assert opens == START + 17 * 3600
    bench.wait(opens + 1 - bench.now)
    assert [i.begun_at for b in bench.of(BeginAttempts)[len(placed) :] for i in b.intents]


def test_an_intent_that_a_slow_store_makes_durable_after_hours_is_voided() -> None:
    window = CallWindow(weekdays=((Slot(480, 905),),) * 7)  # closes 300 s after START
    bench = Bench(msgspec.structs.replace(SETTINGS, window=window))
    bench.refuse_begin = True
    bench.start()
    (intent,) = bench.of(BeginAttempts)[0].intents
    bench.tell(events.HoldChanged(HoldReason.STORE_SLOW))
    bench.now = START + 301
    bench.tell(events.AttemptsBegun((intent.call_id,)))
    assert bench.calls == []
    assert bench.settled(intent.call_id).record.lead_trigger is Trigger.VOIDED


def test_trunk_limits_say_so() -> None:
    bench = Bench(channels=2)
    bench.start(agents=5)
    assert len(bench.calls) == 2
    assert figures_reason(bench) is HoldReason.TRUNK_CAPACITY


def test_without_a_hotline_nothing_leaves_and_the_reason_is_known() -> None:
    bench = Bench(msgspec.structs.replace(SETTINGS, hotlines=()))
    bench.start()
    assert bench.calls == []
    assert figures_reason(bench) is HoldReason.NO_HOTLINE


def test_a_withdrawn_lead_is_not_dialed() -> None:
    bench = Bench(leads=3)
    bench.tell(events.CampaignStarted(), events.LeadsLeased(tuple(bench.queue)))
    bench.queue = []
    bench.tell(events.LeadsWithdrawn((1, 2)))
    bench.tell(events.AgentReady("a1"), events.AgentReady("a2"))
    bench.wait(2)
    assert [o.phone for o in bench.of(Originate)] == ["+84700000003"]


def test_an_empty_store_is_asked_again_later_and_the_engine_says_it_is_dry() -> None:
    bench = Bench(leads=0)
    bench.start()
    assert bench.engine.is_dry
    asked = len(bench.of(LeaseLeads))
    bench.wait(40)
    assert len(bench.of(LeaseLeads)) > asked


def test_a_hold_from_outside_brakes_and_lifts() -> None:
    bench = Bench()
    bench.tell(events.CampaignStarted(), events.HoldChanged(HoldReason.STORE_SLOW), events.AgentReady("a1"))
    bench.wait(5)
    assert bench.calls == []
    bench.tell(events.HoldChanged(None))
    bench.wait(1)
    assert len(bench.calls) == 1


def test_wrap_up_keeps_an_agent_who_asked_for_a_break_out() -> None:
    bench = Bench()
    bench.start()
    call = bench.calls[0]
    bench.answer(call)
    bench.tell(events.AgentPaused("a1", "lunch"))
    bench.tell(events.CallEnded(call, ended_by=EndedBy.REMOTE))
    bench.wait(20)
    assert bench.engine.figures(bench.now).paused == 1
    assert len(bench.calls) == 1


def test_restart_of_a_campaign_does_not_forget_the_legal_count() -> None:
    bench = Bench()
    bench.tell(events.CampaignStarted(answers=100, abandons=2))
    bench.tell(events.CampaignPaused(), events.CampaignStarted(answers=0, abandons=0))
    assert bench.engine.figures(bench.now).answered == 100
    assert bench.engine.figures(bench.now).abandoned == 2


FACT_NAMES = (
    *("ring", "answer", "connect", "end", "fail", "machine", "wait"),
    *("ready", "pause", "wrap", "lost", "stop", "start"),
)
FACTS = st.lists(st.tuples(st.sampled_from(FACT_NAMES), st.integers(0, 5)), max_size=80)


@settings(max_examples=150, deadline=None)
@given(FACTS, st.sampled_from(("progressive", "ratio", "predictive")))
def test_whatever_happens_every_attempt_settles_once_and_no_agent_has_two_calls(
    facts: list[tuple[str, int]], pacer: str
) -> None:
    bench = Bench(msgspec.structs.replace(SETTINGS, pacer=pacer, ratio=2.0), leads=40)
    bench.start(agents=3)
    for what, n in facts:
        _apply(bench, what, n)
        held = [a.call for s in bench.engine.state.roster._in.values() for a in s.values() if a.call is not None]
        assert len({id(c) for c in held}) == len(held)
    bench.tell(events.CampaignStopped())
    for call_id in tuple(bench.engine.state.calls):
        bench.tell(events.CallEnded(call_id, sip_status=487))
    bench.wait(120)
    placed = [i.call_id for b in bench.of(BeginAttempts) for i in b.intents]
    assert sorted(placed) == sorted(s.record.call_id for s in bench.of(SettleAttempt))
    assert len(set(bench.calls)) == len(bench.calls)
    assert bench.engine.is_quiet
    talks = [s.record.lead_id for s in bench.of(SettleAttempt) if s.record.lead_trigger is None]
    assert sorted(talks) == sorted(s.result.lead_id for s in bench.lead_settled())


def _apply(bench: Bench, what: str, n: int) -> None:  # noqa: C901, PLR0912 -- one row a fact
    live = list(bench.engine.state.calls)
    call = live[n % len(live)] if live else "stray"
    agent = f"a{n % 4}"
    match what:
        case "ring":
            bench.tell(events.CallRinging(call))
        case "answer":
            bench.tell(events.CallAnswered(call))
        case "connect":
            held = bench.engine.state.calls.get(call)
            bench.tell(events.CallConnected(call, held.agent.agent_id if held and held.agent else agent))
        case "end":
            bench.tell(events.CallEnded(call, sip_status=(486, 480, 404, 503, 200, 487)[n]))
        case "fail":
            bench.tell(events.ConnectFailed(call, agent))
        case "machine":
            bench.tell(events.MachineDetected(call, AmdResult.MACHINE))
        case "wait":
            bench.wait(n * 3.0)
        case "ready":
            bench.tell(events.AgentReady(agent))
        case "pause":
            bench.tell(events.AgentPaused(agent))
        case "wrap":
            bench.tell(events.AgentWrappedUp(agent))
        case "lost":
            bench.tell(events.AgentLost(agent))
        case "stop":
            bench.tell(events.CampaignStopped())
        case "start":
            bench.tell(events.CampaignStarted())


def test_leads_that_were_leased_for_another_text_go_back_when_the_text_changes() -> None:
    for change, released in (({"overflow_prompt": "say:vi:Chào {company}"}, True), ({"wrap_up_s": 11.0}, False)):
        bench = Bench()
        bench.start()
        assert len(bench.engine.leased_leads) == 9
        before = len(bench.of(ReleaseLeads))
        bench.tell(events.SettingsChanged(msgspec.structs.replace(SETTINGS, **change)))
        assert (len(bench.of(ReleaseLeads)) > before, len(bench.engine.leased_leads) == 0) == (released, released)
