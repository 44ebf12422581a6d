"""A campaign that plays a message: no agents, no 2-second rule, IVR for who leaves early (statuses.md 2.9, A9)."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from dialer.core import events
from dialer.core.effects import Connect, Hangup, Play
from dialer.core.message import PROMPT_LIMIT_S
from dialer.core.types import AttemptRecord, CampaignKind, HoldReason
from statuses.lead import ErrorKind, Trigger
from statuses.outcomes import AmdResult, CallStatus, CancelReason, EndedBy
from tests.dialer.core.bench_engine import SETTINGS, Bench

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
    assert (record.verdict.status, record.verdict.sub_reason) == (CallStatus.FAILED, "script")
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
