"""The twelve definitions, the order of the rules, and the laws of the function (statuses.md 2.3, 2.4)."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import example, given, settings

from statuses import catalog
from statuses.classify import AttemptFacts, Override, Verdict, classify
from statuses.outcomes import (
    AmdResult,
    Announcement,
    Attribution,
    CallStatus,
    CancelReason,
    EndedBy,
    LocalError,
)
from tests.statuses.strategies import any_facts, any_overrides


def _expect(facts: AttemptFacts, status: CallStatus, label: str, code: str) -> Verdict:
    verdict = classify(facts)
    assert verdict.status is status
    assert catalog.label(verdict.status, "en") == label
    assert catalog.code(verdict.status) == code
    return verdict


@pytest.mark.req("S0-6.1", "S1-6.1")
def test_answered_is_a_call_connected_with_the_customer() -> None:
    talk = AttemptFacts(answered=True, rang=True, agent_bridged=True, ended_by=EndedBy.REMOTE)
    assert _expect(talk, CallStatus.ANSWERED, "Answered", "A1").counts
    prompt = AttemptFacts(answered=True, rang=True, agentless=True, ended_by=EndedBy.DIALER)
    _expect(prompt, CallStatus.ANSWERED, "Answered", "A1")


@pytest.mark.req("S0-6.2", "S1-6.2")
def test_no_answered_is_a_customer_who_did_not_pick_up_until_the_network_ended_it() -> None:
    facts = AttemptFacts(rang=True, sip_status=480, q850=19, ended_by=EndedBy.REMOTE)
    assert _expect(facts, CallStatus.NO_ANSWERED, "No Answered", "NA").counts


@pytest.mark.req("S0-6.3", "S1-6.3")
def test_busy_is_a_customer_who_cut_the_incoming_call() -> None:
    facts = AttemptFacts(rang=True, sip_status=486, ring_ms=8000, ended_by=EndedBy.REMOTE)
    assert _expect(facts, CallStatus.BUSY, "Busy", "B1").sub_reason == "rejected"
    _expect(AttemptFacts(rang=True, sip_status=603), CallStatus.BUSY, "Busy", "B1")


@pytest.mark.req("S0-6.4", "S1-6.4")
def test_busy_line_is_a_customer_on_the_line_who_met_no_agent() -> None:
    for ended_by in EndedBy:
        facts = AttemptFacts(answered=True, ended_by=ended_by)
        verdict = _expect(facts, CallStatus.BUSY_LINE, "Busy line", "BL1")
        assert (verdict.attribution, verdict.counts) == (Attribution.US, True)
    overflow = AttemptFacts(answered=True, ended_by=EndedBy.DIALER, cancel_reason=CancelReason.OVERFLOW)
    assert _expect(overflow, CallStatus.BUSY_LINE, "Busy line", "BL1").sub_reason == "overflow"


@pytest.mark.req("S0-6.5", "S1-6.5")
def test_ivr_is_a_customer_who_hung_up_in_the_ivr_before_pressing_a_key() -> None:
    for agentless in (False, True):
        facts = AttemptFacts(answered=True, ivr_entered=True, ended_by=EndedBy.REMOTE, agentless=agentless)
        _expect(facts, CallStatus.IVR, "IVR", "IV1")


@pytest.mark.req("S0-6.6", "S1-6.6")
@pytest.mark.parametrize(
    "error", [LocalError.TEMPLATE, LocalError.SCRIPT, LocalError.SCRIPT_DELETED, LocalError.TTS_KEY]
)
def test_failed_is_a_broken_template_or_script_or_a_used_up_speech_key(error: LocalError) -> None:
    verdict = _expect(AttemptFacts(local_error=error), CallStatus.FAILED, "Failed", "F1")
    assert (verdict.attribution, verdict.sub_reason, verdict.counts) == (Attribution.US, error.value, False)


@pytest.mark.req("S0-6.7", "S1-6.7")
def test_congestion_is_a_calling_number_that_the_carrier_blocks() -> None:
    for facts in (
        AttemptFacts(sip_status=403),
        AttemptFacts(sip_status=403, q850=52),
        AttemptFacts(announcement=Announcement.HOTLINE_BLOCKED, sip_status=480),
    ):
        verdict = _expect(facts, CallStatus.CONGESTION, "Congestion", "CG1")
        assert (verdict.attribution, verdict.counts) == (Attribution.CARRIER, False)


@pytest.mark.req("S0-6.8", "S1-6.8")
def test_cancel_is_a_call_not_picked_up_and_cut_exactly_at_the_ring_time() -> None:
    facts = AttemptFacts(
        rang=True, sip_status=487, ended_by=EndedBy.DIALER, cancel_reason=CancelReason.RING_TIMEOUT, ring_ms=30_000
    )
    assert _expect(facts, CallStatus.CANCEL, "Cancel", "C1").counts


@pytest.mark.req("S0-6.9", "S1-6.9")
def test_invalid_number_is_what_the_carrier_calls_wrong() -> None:
    for facts in (
        AttemptFacts(sip_status=404, q850=1),
        AttemptFacts(sip_status=484),
        AttemptFacts(announcement=Announcement.WRONG_NUMBER, sip_status=480),
    ):
        _expect(facts, CallStatus.INVALID_NUMBER, "Invalid number", "IN1")


@pytest.mark.req("S0-6.10", "S1-6.10")
def test_phone_block_is_a_customers_number_that_is_locked() -> None:
    for facts in (
        AttemptFacts(sip_status=403, q850=54),
        AttemptFacts(announcement=Announcement.LOCKED, sip_status=480, q850=31),
    ):
        _expect(facts, CallStatus.PHONE_BLOCK, "Phone Block", "PB1")


@pytest.mark.req("S0-6.11", "S1-6.11")
def test_not_available_is_a_phone_that_the_network_cannot_reach() -> None:
    for facts in (
        AttemptFacts(sip_status=480, q850=20),
        AttemptFacts(q850=27),
        AttemptFacts(announcement=Announcement.UNREACHABLE, sip_status=480),
    ):
        _expect(facts, CallStatus.NOT_AVAILABLE, "Not available", "NA1")


@pytest.mark.req("S0-6.12", "S1-6.12")
def test_voicemail_is_a_call_that_went_to_the_customers_mailbox() -> None:
    for facts in (
        AttemptFacts(answered=True, amd=AmdResult.MACHINE),
        AttemptFacts(answered=True, announcement=Announcement.MAILBOX),
        AttemptFacts(progressed=True, announcement=Announcement.MAILBOX, sip_status=480),
    ):
        _expect(facts, CallStatus.VOICEMAIL, "Voicemail", "VM1")


def test_ivr_is_only_the_customers_own_hanging_up() -> None:
    """A9: when the system hangs up, a prompt call was answered and an agent campaign lost the person."""
    timeout = AttemptFacts(answered=True, ivr_entered=True, ended_by=EndedBy.DIALER)
    assert classify(dataclasses.replace(timeout, agentless=True)).status is CallStatus.ANSWERED
    assert classify(timeout).status is CallStatus.BUSY_LINE
    with_key = AttemptFacts(answered=True, ivr_entered=True, dtmf_count=1, ended_by=EndedBy.REMOTE)
    assert classify(with_key).status is CallStatus.BUSY_LINE
    assert classify(dataclasses.replace(with_key, agentless=True)).status is CallStatus.ANSWERED


def test_amd() -> None:
    assert classify(AttemptFacts(answered=True, amd=AmdResult.HANGUP)).status is CallStatus.BUSY_LINE
    assert classify(AttemptFacts(answered=True, amd=AmdResult.HANGUP, agentless=True)).status is CallStatus.ANSWERED
    unsure = classify(AttemptFacts(answered=True, amd=AmdResult.NOTSURE, agent_bridged=True))
    assert (unsure.status, unsure.sub_reason) == (CallStatus.ANSWERED, "amd_notsure")
    assert classify(AttemptFacts(answered=True, amd=AmdResult.HUMAN)).status is CallStatus.BUSY_LINE


@pytest.mark.parametrize(
    ("rang", "ring_ms", "sub_reason"),
    [
        (False, None, "engaged"),
        (True, None, "rejected"),
        (True, 3000, "engaged"),
        (True, 3001, "rejected"),
        (False, 9000, "engaged"),
    ],
)
def test_a_rejection_is_told_from_a_busy_line_by_how_long_it_rang(
    *, rang: bool, ring_ms: int | None, sub_reason: str
) -> None:
    assert classify(AttemptFacts(sip_status=486, rang=rang, ring_ms=ring_ms)).sub_reason == sub_reason


def test_a_200_that_crossed_our_cancel_is_an_answer() -> None:
    facts = AttemptFacts(sip_status=200, cancel_reason=CancelReason.CULL, ended_by=EndedBy.DIALER)
    assert classify(facts).status is CallStatus.BUSY_LINE


def test_a_trunks_override_beats_the_tables_but_not_what_we_did_or_heard() -> None:
    table = (
        Override("north", CallStatus.PHONE_BLOCK, sip=480, max_setup_ms=3000),
        Override("north", CallStatus.INVALID_NUMBER, sip=480),
        Override("south", CallStatus.VOICEMAIL, q850=20),
    )
    north = AttemptFacts(sip_status=480, q850=20, trunk="north", setup_ms=2000)
    assert classify(north, table).status is CallStatus.PHONE_BLOCK
    assert classify(north, table).rule == "override.north.sip.480"
    assert classify(dataclasses.replace(north, setup_ms=5000), table).status is CallStatus.INVALID_NUMBER
    assert classify(dataclasses.replace(north, trunk="south"), table).status is CallStatus.VOICEMAIL
    assert classify(dataclasses.replace(north, trunk="east"), table) == classify(north)
    heard = dataclasses.replace(north, announcement=Announcement.UNREACHABLE)
    assert classify(heard, table).status is CallStatus.NOT_AVAILABLE
    ours = dataclasses.replace(north, cancel_reason=CancelReason.ADMIN)
    assert classify(ours, table).status is CallStatus.CANCEL
    answered = dataclasses.replace(north, answered=True, agent_bridged=True)
    assert classify(answered, table).status is CallStatus.ANSWERED


@settings(deadline=None, max_examples=1000)
@given(any_facts, any_overrides)
@example(AttemptFacts(), [])
def test_classify_is_total_and_pure(facts: AttemptFacts, overrides: list[Override]) -> None:
    verdict = classify(facts, overrides)
    assert verdict == classify(dataclasses.replace(facts), tuple(overrides))
    assert isinstance(verdict.status, CallStatus)
    assert isinstance(verdict.attribution, Attribution)
    assert verdict.rule


@settings(deadline=None, max_examples=500)
@given(any_facts)
def test_the_laws_of_a_verdict(facts: AttemptFacts) -> None:
    verdict = classify(facts)
    reached = facts.answered or (facts.sip_status or 0) // 100 == 2 or (facts.dialstatus or "").strip() == "ANSWER"
    if verdict.status in (CallStatus.ANSWERED, CallStatus.IVR, CallStatus.BUSY_LINE):
        assert reached or (facts.dialstatus or "").strip().upper() == "ANSWER"
    if reached:
        kinds = {CallStatus.ANSWERED, CallStatus.IVR, CallStatus.BUSY_LINE, CallStatus.VOICEMAIL, CallStatus.FAILED}
        assert verdict.status in kinds
    if verdict.status is CallStatus.CANCEL:
        assert verdict.counts is (verdict.cancel_reason is CancelReason.RING_TIMEOUT)
    if verdict.status is CallStatus.CONGESTION:
        assert not verdict.counts
    if facts.cancel_reason is not None:
        assert verdict.cancel_reason is facts.cancel_reason


def test_nothing_known_is_unknown_and_says_so() -> None:
    expected = Verdict(CallStatus.FAILED, "unknown", Attribution.UNKNOWN, "unknown", counts=False, cancel_reason=None)
    assert classify(AttemptFacts()) == expected


@pytest.mark.parametrize(
    ("status", "came_to"), [(480, CallStatus.NO_ANSWERED), (486, CallStatus.BUSY), (487, CallStatus.CANCEL)]
)
def test_a_refusal_that_crosses_our_cancel_is_the_far_ends(status: int, came_to: CallStatus) -> None:
    by = EndedBy.DIALER if status == 487 else EndedBy.REMOTE
    facts = AttemptFacts(sip_status=status, rang=True, ended_by=by, cancel_reason=CancelReason.RING_TIMEOUT)
    assert classify(facts).status is came_to


@pytest.mark.parametrize(
    ("facts", "status", "rule"),
    [
        (AttemptFacts(answered=True, agent_bridged=True, ended_by=EndedBy.AGENT), CallStatus.ANSWERED, "answered"),
        (AttemptFacts(answered=True, ended_by=EndedBy.REMOTE), CallStatus.BUSY_LINE, "answered.no_agent"),
        (
            AttemptFacts(answered=True, cancel_reason=CancelReason.OVERFLOW, ended_by=EndedBy.DIALER),
            CallStatus.BUSY_LINE,
            "answered.overflow",
        ),
        (AttemptFacts(answered=True, agent_lost=True), CallStatus.BUSY_LINE, "answered.agent_lost"),
        (
            AttemptFacts(answered=True, agentless=True, ivr_entered=True, ended_by=EndedBy.REMOTE),
            CallStatus.IVR,
            "answered.ivr",
        ),
        (AttemptFacts(sip_status=487, ended_by=EndedBy.REMOTE), CallStatus.BUSY_LINE, "inbound.caller_left"),
        (AttemptFacts(sip_status=480, ended_by=EndedBy.DIALER), CallStatus.BUSY_LINE, "inbound.declined"),
        (AttemptFacts(local_error=LocalError.LOST), CallStatus.FAILED, "local.lost"),
    ],
)
def test_a_call_to_us_is_answered_busy_line_or_ivr_and_never_counts(
    facts: AttemptFacts, status: CallStatus, rule: str
) -> None:
    verdict = classify(dataclasses.replace(facts, inbound=True))
    assert (verdict.status, verdict.rule, verdict.counts) == (status, rule, False)
