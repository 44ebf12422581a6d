"""Calls that follow a script, a message at least: IVR for who leaves early without a key, agents when asked for."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from dialer.core import events
from dialer.core.effects import Connect, Hangup, Hold, Hush, Play, Record, StopRecording
from dialer.core.flow import HUSH_LIMIT_S, PROMPT_LIMIT_S, VISITS_MOST
from dialer.core.script import ScriptText
from dialer.core.types import AttemptRecord, CampaignKind, HoldReason, StepKind
from statuses.lead import ErrorKind, Trigger
from statuses.outcomes import AmdResult, CallStatus, CancelReason, EndedBy, LocalError
from tests.dialer.core.bench_engine import SETTINGS, Bench
from tests.dialer.core.scripts import MENU

MESSAGE = msgspec.structs.replace(
    SETTINGS, kind=CampaignKind.AUTODIALER, pacer="agentless", prompt="reminder", max_calls=3
)
OURS = (EndedBy.DIALER, CancelReason.PROMPT_ENDED)


def answered(changed: object = None) -> tuple[Bench, str]:
    bench = Bench(msgspec.structs.replace(MESSAGE, **changed) if isinstance(changed, dict) else MESSAGE)
    bench.start(agents=0)
    first = bench.calls[0]
    bench.answer(first)
    return bench, first


def over(bench: Bench, call: str, by: EndedBy) -> AttemptRecord:
    bench.tell(events.CallEnded(call, sip_status=200, q850=16, ended_by=by))
    return bench.settled(call).record


def test_calls_go_out_without_an_agent_up_to_the_cap_and_the_next_when_one_is_over() -> None:
    bench, first = answered()
    assert len(bench.calls) == 3
    figures = bench.engine.figures(bench.now)
    assert (figures.ringing, figures.reason) == (2, HoldReason.CAMPAIGN_CAP)
    over(bench, first, EndedBy.REMOTE)
    bench.wait(1.0)
    assert len(bench.calls) == 4


def test_who_answers_hears_the_message_at_once_and_nobody_is_joined_or_abandoned() -> None:
    bench, first = answered()
    assert bench.of(Play) == [Play(first, "reminder")]
    bench.wait(30.0)
    assert bench.of(Connect) == []
    assert [hangup.call_id for hangup in bench.of(Hangup) if hangup.call_id == first] == []
    bench.tell(events.PromptEnded(first))
    over(bench, first, EndedBy.DIALER)
    figures = bench.engine.figures(bench.now)
    assert (figures.answered, figures.abandoned, bench.engine.state.totals.abandoned) == (0, 0, 0)


def test_the_message_heard_to_its_end_is_answered_and_the_lead_a_success_without_a_wrap_up() -> None:
    bench, first = answered()
    bench.tell(events.PromptEnded(first))
    assert bench.of(Hangup) == [Hangup(first, CancelReason.PROMPT_ENDED)]
    record = over(bench, first, EndedBy.DIALER)
    assert record.verdict.status is CallStatus.ANSWERED
    assert (record.facts.ended_by, record.verdict.cancel_reason) == OURS
    assert (record.lead_trigger, record.next_at, record.agent_id) == (Trigger.ANSWERED, None, None)
    assert bench.lead_settled() == []


@pytest.mark.req("S0-6.5", "S1-6.5")
def test_who_hangs_up_during_the_message_is_ivr_and_is_called_again() -> None:
    bench, first = answered()
    bench.wait(3.0)
    record = over(bench, first, EndedBy.REMOTE)
    assert (record.verdict.status, record.lead_trigger) == (CallStatus.IVR, Trigger.NO_SUCCESS)
    assert record.next_at == bench.now + MESSAGE.retry.gap_s


def test_who_hangs_up_after_the_end_while_our_hang_up_is_on_its_way_has_heard_it_all() -> None:
    bench, first = answered()
    bench.tell(events.PromptEnded(first))
    record = over(bench, first, EndedBy.REMOTE)
    assert (record.verdict.status, record.lead_trigger) == (CallStatus.ANSWERED, Trigger.ANSWERED)


def test_a_message_whose_end_nobody_reports_is_ended() -> None:
    bench, first = answered()
    bench.wait(PROMPT_LIMIT_S - 1.0)
    assert first not in [hangup.call_id for hangup in bench.of(Hangup)]
    bench.wait(2.0)
    assert Hangup(first, CancelReason.PROMPT_ENDED) in bench.of(Hangup)
    assert over(bench, first, EndedBy.DIALER).verdict.status is CallStatus.ANSWERED


def test_a_message_that_cannot_be_played_is_a_fault_of_ours_and_its_silence_an_abandoned_call() -> None:
    bench, first = answered()
    bench.tell(events.PromptEnded(first, played=False))
    record = over(bench, first, EndedBy.DIALER)
    assert (record.verdict.status, record.verdict.sub_reason) == (CallStatus.FAILED, "protocol")
    assert (record.lead_trigger, record.error_kind) == (Trigger.ERROR, ErrorKind.CONTENT)
    figures = bench.engine.figures(bench.now)
    assert (figures.answered, figures.abandoned) == (1, 1)


def test_a_machine_is_let_go_and_is_voicemail() -> None:
    bench, first = answered()
    bench.tell(events.MachineDetected(first, AmdResult.MACHINE))
    assert bench.of(Hangup) == [Hangup(first, CancelReason.CULL)]
    assert over(bench, first, EndedBy.DIALER).verdict.status is CallStatus.VOICEMAIL


def test_a_message_heard_shorter_than_the_policy_wants_is_tried_again() -> None:
    bench, first = answered({"retry": replace(MESSAGE.retry, short_talk_s=5.0)})
    bench.wait(2.0)
    bench.tell(events.PromptEnded(first))
    record = over(bench, first, EndedBy.DIALER)
    assert (record.verdict.status, record.lead_trigger) == (CallStatus.ANSWERED, Trigger.NO_SUCCESS)
    assert record.next_at == bench.now + MESSAGE.retry.gap_s


def test_a_stop_cancels_what_rings_and_lets_the_message_play_on() -> None:
    bench, first = answered()
    bench.tell(events.CampaignStopped())
    assert {hangup.call_id for hangup in bench.of(Hangup)} == set(bench.calls) - {first}


@pytest.mark.parametrize("changes", [{"prompt": None}, {"pacer": "progressive"}])
def test_settings_that_do_not_go_together_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="kind autodialer"):
        Bench(msgspec.structs.replace(MESSAGE, **changes))


SCRIPTED = msgspec.structs.replace(MESSAGE, script="menu", overflow_prompt="sorry", queue_s=20.0)


def in_menu(*, agents: int = 1) -> tuple[Bench, str]:
    """Return a call that hears the menu."""
    bench = Bench(SCRIPTED, script=ScriptText("menu", 1, MENU))
    bench.start(agents=1)
    for n in range(agents, 1):
        bench.tell(events.AgentPaused(f"a{n + 1}"))
    call = bench.calls[0]
    bench.answer(call)
    assert heard(bench) == "chime"
    bench.tell(events.PromptEnded(call))
    assert heard(bench).startswith("say:vi:Chào")
    return bench, call


def heard(bench: Bench) -> str:
    return bench.of(Play)[-1].prompt


def press(bench: Bench, call: str, digit: str) -> None:
    bench.tell(events.DigitPressed(call, digit))


def steps(record: AttemptRecord) -> list[tuple[StepKind, str, str]]:
    return [(step.kind, step.node, step.digit) for step in record.steps]


@pytest.mark.req("S0-6.5")
@pytest.mark.parametrize("digit", ["*", "#"])
def test_who_hangs_up_after_keys_that_are_none_is_ivr(digit: str) -> None:
    bench, call = in_menu()
    press(bench, call, digit)
    record = over(bench, call, EndedBy.REMOTE)
    assert (record.verdict.status, record.facts.dtmf_count) == (CallStatus.IVR, 0)


def test_who_hangs_up_after_a_key_is_answered_and_the_record_says_which_and_when() -> None:
    bench, call = in_menu()
    bench.wait(2.0)
    pressed_at = bench.now
    press(bench, call, "2")
    record = over(bench, call, EndedBy.REMOTE)
    assert (record.verdict.status, record.facts.dtmf_count) == (CallStatus.ANSWERED, 1)
    assert steps(record) == [
        (StepKind.ENTERED, "hello", ""), (StepKind.KEY, "menu", "2"), (StepKind.LEFT, "menu", "")
    ]  # fmt: skip
    assert record.steps[1].at == pressed_at


def test_a_key_interrupts_the_question_and_its_branch_begins_when_the_switch_is_silent() -> None:
    bench, call = in_menu()
    press(bench, call, "2")
    assert bench.of(Hush) == [Hush(call)]
    assert len(bench.of(Play)) == 2
    press(bench, call, "1")  # a second key before the prompt is silent means nothing
    bench.tell(events.PromptEnded(call))
    assert len(bench.of(Play)) == 3
    assert heard(bench).startswith("say:vi:Chào")


def test_a_switch_that_never_says_the_prompt_has_stopped_does_not_hold_the_call() -> None:
    bench, call = in_menu()
    press(bench, call, "2")
    bench.wait(HUSH_LIMIT_S + 0.1)
    assert len(bench.of(Play)) == 3


def test_a_question_that_may_not_be_interrupted_is_heard_to_its_end_and_the_key_counts_all_the_same() -> None:
    bench = Bench(SCRIPTED, script=ScriptText("menu", 1, MENU.replace("repeats = 1", "barge = false")))
    bench.start()
    call = bench.calls[0]
    bench.answer(call)
    bench.tell(events.PromptEnded(call))
    press(bench, call, "1")
    assert bench.of(Hush) == []
    bench.tell(events.PromptEnded(call))
    press(bench, call, "3")
    assert heard(bench).startswith("say:vi:Hãy nói")
    assert over(bench, call, EndedBy.REMOTE).facts.dtmf_count == 2


def test_a_wrong_key_and_a_missing_one_repeat_the_question_as_often_as_it_says() -> None:
    bench, call = in_menu()
    bench.tell(events.PromptEnded(call))
    press(bench, call, "9")
    assert heard(bench) == "say:vi:Phím không đúng."
    bench.tell(events.PromptEnded(call))
    assert heard(bench).startswith("say:vi:Chào")
    bench.tell(events.PromptEnded(call))
    bench.wait(3.9)
    assert heard(bench).startswith("say:vi:Chào")
    bench.wait(0.2)
    assert heard(bench) == "say:en:Goodbye."
    bench.tell(events.PromptEnded(call))
    assert Hangup(call, CancelReason.PROMPT_ENDED) in bench.of(Hangup)
    record = over(bench, call, EndedBy.DIALER)
    assert (record.verdict.status, record.facts.dtmf_count) == (CallStatus.ANSWERED, 1)


def test_nobody_pressed_a_key_and_we_hung_up_is_answered_not_ivr() -> None:
    bench, call = in_menu()
    for _ in range(2):
        bench.tell(events.PromptEnded(call))
        bench.wait(4.1)
    bench.tell(events.PromptEnded(call))
    record = over(bench, call, EndedBy.DIALER)
    assert (record.verdict.status, record.facts.dtmf_count) == (CallStatus.ANSWERED, 0)


def asks_for_agent(*, agents: int) -> tuple[Bench, str]:
    bench, call = in_menu(agents=agents)
    bench.wait(10.0)
    press(bench, call, "1")
    bench.tell(events.PromptEnded(call))
    assert heard(bench) == "say:vi:Xin giữ máy."
    bench.tell(events.PromptEnded(call))
    return bench, call


@pytest.mark.req("S0-6.1")
def test_who_asks_for_an_agent_is_joined_and_it_is_a_talk_with_a_wrap_up() -> None:
    bench, call = asks_for_agent(agents=1)
    assert bench.of(Connect) == [Connect(call, "a1")]
    bench.tell(events.CallConnected(call, "a1"))
    bench.wait(30.0)
    assert call not in [hangup.call_id for hangup in bench.of(Hangup)]
    record = over(bench, call, EndedBy.REMOTE)
    assert (record.verdict.status, record.agent_id, record.lead_trigger) == (CallStatus.ANSWERED, "a1", None)
    assert [step.kind for step in record.steps] == [StepKind.ENTERED, StepKind.KEY, StepKind.LEFT]
    assert record.queued_at == record.bridged_at
    bench.tell(events.AgentWrappedUp("a1"))
    assert [s.result.trigger for s in bench.lead_settled()] == [Trigger.ANSWERED]


@pytest.mark.req("S0-6.4")
@pytest.mark.parametrize("waits", [5.0, 25.0])
def test_who_asks_for_an_agent_and_meets_none_is_busy_line_whoever_hangs_up(waits: float) -> None:
    bench, call = asks_for_agent(agents=0)
    assert bench.of(Hold) == [Hold(call, on=True)]
    bench.wait(waits)
    if waits > SCRIPTED.queue_s:
        assert heard(bench) == "sorry"
    record = over(bench, call, EndedBy.REMOTE)
    assert record.verdict.status is CallStatus.BUSY_LINE
    figures = bench.engine.figures(bench.now)
    assert (figures.answered, figures.abandoned) == (0, 0)  # the 2-second rule is not about these calls


def test_an_agent_who_comes_free_while_one_waits_takes_the_call() -> None:
    bench, call = asks_for_agent(agents=0)
    bench.tell(events.AgentReady("a1"))
    assert bench.of(Connect) == [Connect(call, "a1")]
    bench.wait(5.0)
    bench.tell(events.ConnectFailed(call, "a1"))
    bench.wait(20.0)
    assert heard(bench) == "sorry"


def test_what_is_said_is_recorded_until_a_key() -> None:
    bench, call = in_menu()
    bench.tell(events.PromptEnded(call))
    press(bench, call, "3")
    bench.tell(events.PromptEnded(call))
    assert bench.of(Record) == [Record(call, 30.0)]
    bench.wait(5.0)
    press(bench, call, "#")
    assert bench.of(StopRecording) == [StopRecording(call)]
    bench.tell(events.RecordingEnded(call, 5.0))
    assert heard(bench) == "say:en:Goodbye."
    bench.tell(events.RecordingEnded(call, 5.0))
    assert len(bench.of(Play)) == 4


def test_a_recording_whose_end_nobody_reports_is_over_after_its_limit() -> None:
    bench, call = in_menu()
    bench.tell(events.PromptEnded(call))
    press(bench, call, "3")
    bench.tell(events.PromptEnded(call))
    bench.wait(30.0 + HUSH_LIMIT_S + 0.1)
    assert heard(bench) == "say:en:Goodbye."


def test_who_presses_keys_for_ever_is_let_go() -> None:
    bench, call = in_menu()
    for _ in range(VISITS_MOST):
        press(bench, call, "2")
        bench.tell(events.PromptEnded(call))
    assert Hangup(call, CancelReason.PROMPT_ENDED) in bench.of(Hangup)
    assert over(bench, call, EndedBy.DIALER).verdict.status is CallStatus.ANSWERED


def test_calls_in_flight_keep_the_script_that_they_began_with() -> None:
    bench, call = in_menu()
    bench.tell(events.SettingsChanged(SCRIPTED, ScriptText("menu", 2, None)))
    bench.tell(events.PromptEnded(call))
    press(bench, call, "3")
    assert heard(bench).startswith("say:vi:Hãy nói")


def test_who_answers_as_we_hang_up_hears_nothing_and_is_abandoned() -> None:
    bench = Bench(MESSAGE)
    bench.start(agents=0)
    first = bench.calls[0]
    bench.tell(events.CallRinging(first))
    bench.wait(SETTINGS.ring_timeout_s + 0.1)
    bench.tell(events.CallAnswered(first), events.CallEnded(first, sip_status=200, ended_by=EndedBy.DIALER))
    assert [play for play in bench.of(Play) if play.call_id == first] == []
    assert bench.settled(first).record.verdict.status is CallStatus.BUSY_LINE
    assert bench.engine.figures(bench.now).abandoned == 1
    assert bench.engine.state.budget.counts(bench.now) == (1, 1)


def test_a_text_that_cannot_be_filled_in_ends_its_call_and_no_other() -> None:
    bench = Bench(msgspec.structs.replace(MESSAGE, prompt="say:vi:Chào {name}"))
    bench.start(agents=0)
    first = bench.calls[0]
    run = bench.engine.state.calls[first].run
    assert run is not None
    run.fields = {}
    bench.answer(first)
    assert [(order.call_id, order.reason) for order in bench.of(Hangup)] == [(first, CancelReason.PROMPT_ENDED)]
    bench.tell(events.CallEnded(first, sip_status=200, ended_by=EndedBy.DIALER))
    assert bench.settled(first).record.facts.local_error is LocalError.TEMPLATE
    assert bench.engine.figures(bench.now).abandoned == 1
