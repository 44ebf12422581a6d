"""Each fate as the engine's classification sees it (statuses.md 2.3 to 2.10)."""

from __future__ import annotations

import pytest

from dialer.core.events import CallAnswered, CallEnded, CallProgressed, CallRinging, EarlyMediaHeard
from simulator.carrier import Carrier
from simulator.profile import Fate
from simulator.script import ANNOUNCEMENTS, ENDINGS, Script
from statuses.classify import AttemptFacts, classify
from statuses.outcomes import AmdResult, Attribution, CallStatus, EndedBy
from tests.simulator.worlds import only

EXPECTED = {
    Fate.RING_OUT: CallStatus.NO_ANSWERED,
    Fate.REJECT: CallStatus.BUSY,
    Fate.ENGAGED: CallStatus.BUSY,
    Fate.SWITCHED_OFF: CallStatus.NOT_AVAILABLE,
    Fate.UNREACHABLE: CallStatus.NOT_AVAILABLE,
    Fate.LOCKED: CallStatus.PHONE_BLOCK,
    Fate.LOCKED_MESSAGE: CallStatus.PHONE_BLOCK,
    Fate.WRONG_NUMBER: CallStatus.INVALID_NUMBER,
    Fate.WRONG_NUMBER_MESSAGE: CallStatus.INVALID_NUMBER,
    Fate.MAILBOX: CallStatus.VOICEMAIL,
    Fate.SILENCE: CallStatus.NOT_AVAILABLE,
    Fate.NO_REPLY: CallStatus.CONGESTION,
    Fate.CONGESTION: CallStatus.CONGESTION,
    Fate.BUSY_NETWORK: CallStatus.CONGESTION,
    Fate.HOTLINE_BLOCKED: CallStatus.CONGESTION,
    Fate.MEDIA_FAULT: CallStatus.FAILED,
}


def scripts(fate: Fate, count: int = 60, **changes: object) -> list[Script]:
    carrier = Carrier(only(fate, **changes), seed=7, started_at=0.0)
    return [carrier.script("c", phone=f"+8400{n}", hotline="h", attempt_no=1, now=0.0) for n in range(count)]


def facts(script: Script) -> AttemptFacts:
    heard = [event for _, event in script.steps]
    end = heard[-1]
    assert isinstance(end, CallEnded)
    rang = any(isinstance(event, CallRinging) for event in heard)
    media = next((event for event in heard if isinstance(event, EarlyMediaHeard)), None)
    return AttemptFacts(
        local_error=end.local_error, sip_status=end.sip_status, q850=end.q850, reason_text=end.reason_text,
        progressed=len(heard) > 1, rang=rang, ended_by=end.ended_by,
        announcement=None if media is None else media.announcement, ring_ms=7000 if rang else None,
    )  # fmt: skip


@pytest.mark.parametrize("fate", EXPECTED)
def test_an_unanswered_fate_is_classified_as_what_it_is_whichever_code_the_network_chooses(fate: Fate) -> None:
    drawn = scripts(fate)
    codes = {(f.sip_status, f.q850) for f in map(facts, drawn)}
    assert codes == {(sip, q850) for sip, q850, _ in ENDINGS[fate]}
    verdicts = {classify(facts(script)).status for script in drawn}
    assert verdicts == {EXPECTED[fate]}


def test_every_fate_is_either_answered_or_expected_above() -> None:
    assert set(EXPECTED) | {Fate.ANSWER, Fate.MACHINE} == set(Fate)
    assert set(ANNOUNCEMENTS) <= set(ENDINGS)


def test_without_a_reason_header_the_sip_status_alone_is_heard() -> None:
    assert {facts(script).q850 for script in scripts(Fate.SWITCHED_OFF, reason_header=False)} == {None}


def test_a_person_who_answers_is_heard_after_delay_and_ringing() -> None:
    (script,) = scripts(Fate.ANSWER, 1)
    assert [(at, type(event)) for at, event in script.steps] == [
        (0.05, CallProgressed),
        (2.0, CallRinging),
        (12.0, CallAnswered),
    ]
    assert (script.talk_s, script.patience_s, script.amd) == (60.0, 4.0, None)


def test_a_machine_is_recognised_only_by_a_switch_that_detects_machines() -> None:
    assert {script.amd for script in scripts(Fate.MACHINE)} == {None}
    with_amd = scripts(Fate.MACHINE, 2000, amd=True, amd_missed=0.1)
    missed = sum(script.amd is AmdResult.HUMAN for script in with_amd) / len(with_amd)
    assert missed == pytest.approx(0.1, abs=0.03)
    people = scripts(Fate.ANSWER, 2000, amd=True, amd_false=0.05)
    taken_for_machines = sum(script.amd is AmdResult.MACHINE for script in people) / len(people)
    assert taken_for_machines == pytest.approx(0.05, abs=0.02)


def test_an_agent_on_a_machine_hangs_up_soon() -> None:
    (script,) = scripts(Fate.MACHINE, 1)
    assert script.agent_hangs_up
    assert script.talk_s == 8.0


def test_a_lost_180_leaves_the_rest_of_the_call_as_it_was() -> None:
    lossy, whole = scripts(Fate.RING_OUT, lost_ringing=1.0), scripts(Fate.RING_OUT)
    for a, b in zip(lossy, whole, strict=True):
        assert a.steps[-1] == b.steps[-1]
        assert not any(isinstance(event, CallRinging) for _, event in a.steps)


@pytest.mark.req("S0-6.5", "S1-6.5")
def test_ivr_needs_a_campaign_without_agents_so_only_its_facts_are_classified_here() -> None:
    hung_up = AttemptFacts(answered=True, rang=True, agentless=True, ivr_entered=True, ended_by=EndedBy.REMOTE)
    verdict = classify(hung_up)
    assert (verdict.status, verdict.attribution) == (CallStatus.IVR, Attribution.CALLEE)
