"""What agents do with a talk: end it, hold it, give it to an agent or a number; supervisors who come in."""

from __future__ import annotations

import pytest

from dialer.core import events
from dialer.core.agents import AgentState
from dialer.core.bridge import JOIN_LIMIT_S
from dialer.core.effects import (
    AgentOrder,
    CheckNumber,
    Connect,
    Hangup,
    Hold,
    RecordProgress,
    SettleAttempt,
    Supervise,
    Transfer,
)
from dialer.core.trunks import TrunkLimit
from dialer.core.types import Declined, HoldReason, Supervision
from statuses.lead import Trigger
from statuses.outcomes import CallStatus, CancelReason, EndedBy
from tests.dialer.core.bench_engine import SETTINGS
from tests.dialer.core.hand_bench import MANUAL, HandBench

DESK = "+842873000001"


def talking(agents: int = 1, *trunks: TrunkLimit) -> tuple[HandBench, str]:
    bench = HandBench(MANUAL, trunks=trunks)
    bench.start(agents=agents)
    return bench, bench.talk()


def state_of(bench: HandBench, agent: str = "a1") -> AgentState | None:
    found = bench.engine.state.roster.get(agent)
    return None if found is None else found.state


def last_code(bench: HandBench, agent: str = "a1") -> str:
    refused = [order.code for order in bench.orders(agent) if order.order is AgentOrder.REFUSED]
    return refused[-1] if refused else ""


def end(bench: HandBench, call: str, by: EndedBy = EndedBy.REMOTE) -> SettleAttempt:
    bench.tell(events.CallEnded(call, sip_status=200, q850=16, ended_by=by))
    return bench.settled(call)


def test_an_agent_who_hangs_up_ends_the_talk_and_the_record_says_who_did() -> None:
    bench, call = talking()
    bench.wait(20)
    bench.tell(events.Requested(3, events.AgentHungUp("a1")))
    assert bench.of(Hangup) == [Hangup(call, CancelReason.AGENT_HANGUP)]
    assert bench.answers()[3].code is None
    record = end(bench, call, EndedBy.DIALER).record
    assert (record.verdict.status, record.facts.ended_by, record.verdict.cancel_reason) == (
        CallStatus.ANSWERED, EndedBy.AGENT, None,
    )  # fmt: skip
    assert state_of(bench) is AgentState.WRAP_UP


def test_a_customer_who_hangs_up_at_the_same_moment_is_who_ended_it() -> None:
    bench, call = talking()
    bench.tell(events.AgentHungUp("a1"))
    assert end(bench, call).record.facts.ended_by is EndedBy.REMOTE


def test_hanging_up_works_in_a_paced_campaign_too() -> None:
    bench = HandBench(SETTINGS, leads=3)
    bench.start()
    call = bench.calls[0]
    bench.answer(call)
    bench.tell(events.AgentHungUp("a1"))
    assert [hangup.call_id for hangup in bench.of(Hangup)] == [call]


@pytest.mark.parametrize(
    "event",
    [
        events.AgentHungUp("a1"), events.AgentHeld("a1", on=True), events.AgentTransferred("a1", "a2"),
        events.SupervisionAsked("a1", "boss", Supervision.LISTEN),
    ],
)  # fmt: skip
def test_without_a_talk_nothing_can_be_done_to_it_and_the_agent_is_told(event: events.AgentHungUp) -> None:
    bench = HandBench()
    bench.start()
    bench.tell(events.Requested(9, event))
    assert (last_code(bench), bench.answers()[9].code) == (Declined.NO_CALL, Declined.NO_CALL)


def test_a_customer_on_hold_hears_music_and_then_the_agent() -> None:
    bench, call = talking()
    bench.tell(events.AgentHeld("a1", on=True), events.AgentHeld("a1", on=False))
    assert bench.of(Hold) == [Hold(call, on=True), Hold(call, on=False)]


def test_a_customer_given_to_another_agent_is_theirs_and_the_first_wraps_up_at_once() -> None:
    bench, call = talking(2)
    bench.wait(10)
    answered = bench.now
    bench.tell(events.Requested(1, events.AgentTransferred("a1", "a2")))
    assert bench.of(Connect)[-1] == Connect(call, "a2")
    assert (state_of(bench), state_of(bench, "a2")) == (AgentState.WRAP_UP, AgentState.RESERVED)
    bench.tell(events.CallConnected(call, "a2"))
    assert bench.of(RecordProgress)[-1].agent_id == "a2"
    bench.wait(30)
    record = end(bench, call).record
    assert (record.agent_id, record.verdict.status) == ("a2", CallStatus.ANSWERED)
    assert record.bridged_at is not None
    assert record.bridged_at < answered, "the talk began with the first agent"
    bench.tell(events.AgentWrappedUp("a2", Trigger.DO_NOT_RECALL))
    bench.wait(60)
    assert [(done.result.agent_id, done.result.trigger) for done in bench.lead_settled()] == [
        ("a2", Trigger.DO_NOT_RECALL)
    ]


@pytest.mark.parametrize("how", ["refused", "silent", "lost"])
def test_a_customer_whom_the_second_agent_does_not_take_comes_back_to_the_first(how: str) -> None:
    bench, call = talking(2)
    bench.tell(events.AgentTransferred("a1", "a2"))
    if how == "refused":
        bench.tell(events.ConnectFailed(call, "a2"))
    elif how == "lost":
        bench.tell(events.AgentLost("a2"))
    else:
        bench.wait(JOIN_LIMIT_S + 0.1)
    assert bench.of(Connect)[-1] == Connect(call, "a1")
    assert state_of(bench) is AgentState.RESERVED
    bench.tell(events.CallConnected(call, "a1"))
    bench.wait(60)
    assert (state_of(bench), end(bench, call).record.agent_id) == (AgentState.TALKING, "a1")
    bench.tell(events.AgentWrappedUp("a1"))
    assert len(bench.lead_settled()) == 1
    assert bench.engine.figures(bench.now).abandoned == 0


def test_a_customer_whom_nobody_takes_waits_with_music_for_any_agent() -> None:
    bench, call = talking(2)
    bench.tell(events.AgentTransferred("a1", "a2"), events.AgentLost("a1"), events.AgentLost("a2"))
    assert bench.of(Hold)[-1] == Hold(call, on=True)
    bench.wait(20)
    bench.tell(events.AgentReady("a3"))
    assert bench.of(Connect)[-1] == Connect(call, "a3")
    bench.tell(events.CallConnected(call, "a3"))
    assert end(bench, call).record.agent_id == "a3"


def test_a_customer_whom_nobody_ever_takes_is_let_go_and_was_answered_all_the_same() -> None:
    bench, call = talking(2)
    bench.tell(events.AgentTransferred("a1", "a2"), events.AgentLost("a1"), events.AgentLost("a2"))
    bench.wait(MANUAL.queue_s + 1)
    assert bench.of(Hangup)[-1] == Hangup(call, CancelReason.OVERFLOW)
    record = end(bench, call, EndedBy.DIALER).record
    assert (record.verdict.status, record.agent_id, record.lead_trigger) == (CallStatus.ANSWERED, "a1", None)
    assert [done.result.agent_id for done in bench.lead_settled()] == ["a1"]
    assert bench.engine.figures(bench.now).abandoned == 0, "somebody spoke with them in time"


def test_a_customer_who_hangs_up_between_two_agents_is_the_firsts_to_wrap_up() -> None:
    bench, call = talking(2)
    bench.tell(events.AgentTransferred("a1", "a2"))
    record = end(bench, call).record
    assert (record.agent_id, state_of(bench, "a2")) == ("a1", AgentState.READY)
    assert bench.lead_settled() == []
    bench.tell(events.AgentWrappedUp("a1", Trigger.CALLBACK_ASKED, callback_at=bench.now + 60))
    assert [done.result.trigger for done in bench.lead_settled()] == [Trigger.CALLBACK_ASKED]


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("a1", Declined.BAD_TARGET),
        ("a2", Declined.NOT_READY),
        ("a9", Declined.NOT_SIGNED_IN),
        (None, Declined.BAD_TARGET),
    ],
)
def test_a_customer_is_only_given_to_an_agent_who_is_ready(to: str | None, code: Declined) -> None:
    bench, call = talking(2)
    bench.tell(events.AgentPaused("a2"), events.AgentTransferred("a1", to))
    assert last_code(bench) == code
    assert (state_of(bench), end(bench, call).record.agent_id) == (AgentState.TALKING, "a1")


def test_a_customer_sent_on_to_a_number_talks_there_and_the_agents_word_counts_at_the_end() -> None:
    bench, call = talking()
    bench.tell(events.Requested(2, events.AgentTransferred("a1", to_phone=DESK)))
    assert bench.of(CheckNumber) == [CheckNumber(call, DESK)]
    assert bench.of(Transfer) == [Transfer(call, DESK, SETTINGS.hotlines[0], "sim")]
    assert (state_of(bench), bench.answers()) == (AgentState.TALKING, {})
    bench.tell(events.CallTransferred(call))
    assert (state_of(bench), bench.answers()[2].code) == (AgentState.WRAP_UP, None)
    bench.tell(events.AgentWrappedUp("a1", Trigger.DO_NOT_RECALL, note="sent to the desk"))
    bench.dial(phone="+84901000009")
    assert state_of(bench) is AgentState.RESERVED, "the agent takes the next customer meanwhile"
    bench.wait(100)
    record = end(bench, call).record
    assert (record.verdict.status, record.agent_id) == (CallStatus.ANSWERED, "a1")
    (done,) = bench.lead_settled()
    assert (done.result.trigger, done.result.note) == (Trigger.DO_NOT_RECALL, "sent to the desk")


def test_a_transfer_that_fails_leaves_the_talk_as_it_was() -> None:
    bench, call = talking()
    bench.tell(events.Requested(2, events.AgentTransferred("a1", to_phone=DESK)))
    bench.tell(events.CallTransferred(call, done=False))
    assert (last_code(bench), bench.answers()[2].code) == (Declined.TRANSFER_FAILED, Declined.TRANSFER_FAILED)
    assert state_of(bench) is AgentState.TALKING
    bench.wait(1)
    assert bench.pool.room(bench.now)[0] == 49, "only the call's own channel is held"


def test_a_number_that_is_listed_gets_no_transfer() -> None:
    bench, _call = talking()
    bench.refuse = HoldReason.BLACKLIST
    bench.tell(events.AgentTransferred("a1", to_phone=DESK))
    assert (last_code(bench), bench.of(Transfer)) == (HoldReason.BLACKLIST, [])


def test_a_number_that_no_trunk_serves_or_that_finds_no_room_gets_no_transfer() -> None:
    only = TrunkLimit("one", channels=1, cps=50.0, burst=50, prefixes=("849",))
    bench, _call = talking(1, only)
    bench.tell(events.AgentTransferred("a1", to_phone=DESK))
    assert last_code(bench) == Declined.BAD_TARGET
    bench.tell(events.AgentTransferred("a1", to_phone="+84901000055"))
    assert last_code(bench) == HoldReason.TRUNK_CAPACITY


def test_a_talk_that_ends_before_the_transfer_is_answered_says_so() -> None:
    bench, call = talking()
    bench.silent = True
    bench.tell(events.Requested(8, events.AgentTransferred("a1", to_phone=DESK)))
    end(bench, call)
    assert bench.answers()[8].code == Declined.NO_CALL


def test_a_supervisor_comes_in_changes_what_they_may_do_and_leaves() -> None:
    bench, call = talking()
    for mode in (Supervision.LISTEN, Supervision.BARGE, None):
        bench.tell(events.SupervisionAsked("a1", "boss", mode))
    assert bench.of(Supervise) == [
        Supervise(call, "boss", Supervision.LISTEN), Supervise(call, "boss", Supervision.BARGE),
        Supervise(call, "boss", None),
    ]  # fmt: skip


def test_an_agent_who_takes_calls_supervises_nobody() -> None:
    bench, _call = talking(2)
    bench.tell(events.Requested(1, events.SupervisionAsked("a1", "a2", Supervision.LISTEN)))
    assert bench.answers()[1].code == Declined.AGENT_BUSY
    bench.tell(events.AgentPaused("a2"), events.SupervisionAsked("a1", "a2", Supervision.LISTEN))
    assert len(bench.of(Supervise)) == 1


def test_a_result_that_a_person_writes_down_ends_the_wrap_up() -> None:
    bench, call = talking()
    early = events.AgentWrappedUp("a1", Trigger.DO_NOT_RECALL)
    bench.tell(events.Requested(1, early))
    end(bench, call)
    bench.tell(events.Requested(2, early))
    assert (bench.answers()[1].code, bench.answers()[2].code) == (Declined.NO_CALL, None)
    assert [done.result.trigger for done in bench.lead_settled()] == [Trigger.DO_NOT_RECALL]
    assert state_of(bench) is AgentState.READY


def test_while_a_customer_is_being_sent_on_nobody_else_gets_them() -> None:
    bench, call = talking(agents=2)
    bench.tell(events.AgentTransferred("a1", to_phone=DESK))
    bench.tell(events.AgentTransferred("a1", to_agent="a2"))
    assert last_code(bench) == Declined.AGENT_BUSY
    bench.tell(events.CallTransferred(call, done=True))
    assert (state_of(bench), state_of(bench, "a2")) == (AgentState.WRAP_UP, AgentState.READY)


def test_a_number_that_one_agent_asked_for_is_not_called_for_another() -> None:
    bench, call = talking(agents=2)
    bench.silent = True
    bench.tell(events.AgentTransferred("a1", to_phone=DESK))
    talk = bench.engine.state.calls[call]
    assert talk.onward is not None
    talk.onward.agent_id = "a2"
    bench.tell(events.NumberChecked(call, DESK))
    assert bench.of(Transfer) == []
    assert last_code(bench, "a2") == Declined.NO_CALL
    assert bench.engine.state.calls[call].onward is None


def test_an_agent_who_was_to_get_a_customer_who_has_left_is_free() -> None:
    bench, call = talking(agents=2)
    bench.tell(events.AgentTransferred("a1", to_phone=DESK))
    talk = bench.engine.state.calls[call]
    onward, talk.onward = talk.onward, None
    bench.tell(events.AgentTransferred("a1", to_agent="a2"))
    talk.onward = onward
    bench.tell(events.CallTransferred(call, done=True))
    bench.wait(JOIN_LIMIT_S + 1)
    assert state_of(bench, "a2") is AgentState.READY


def test_a_talk_may_be_sent_on_though_the_campaign_dials_nobody_now() -> None:
    bench, _ = talking()
    bench.tell(events.CampaignPaused())
    bench.tell(events.AgentTransferred("a1", to_phone=DESK))
    assert [order.phone for order in bench.of(Transfer)] == [DESK]
