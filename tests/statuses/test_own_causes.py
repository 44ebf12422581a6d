"""What the dialer knows by itself about a call's end (statuses.md 2.4 rules 2, 3, 5)."""

from __future__ import annotations

import pytest

from statuses.classify import AttemptFacts, classify
from statuses.outcomes import Attribution, CancelReason, EndedBy, LocalError

CONTENT = [error for error in LocalError if error not in (LocalError.LOST, LocalError.AGENT_LEG)]


@pytest.mark.parametrize("error", LocalError)
def test_a_fault_of_ours_before_the_answer_is_failed_whatever_the_trunk_said(error: LocalError) -> None:
    verdict = classify(AttemptFacts(local_error=error, sip_status=486, q850=17, rang=True))
    assert (verdict.status, verdict.sub_reason) == ("failed", error.value)
    assert verdict.attribution is (Attribution.UNKNOWN if error is LocalError.LOST else Attribution.US)
    assert verdict.counts is (error is LocalError.LOST)


@pytest.mark.parametrize("error", CONTENT)
def test_broken_content_during_an_answered_call_is_failed_until_an_agent_speaks(error: LocalError) -> None:
    assert classify(AttemptFacts(local_error=error, answered=True, agentless=True)).status == "failed"
    assert classify(AttemptFacts(local_error=error, answered=True, agent_bridged=True)).status == "answered"


def test_a_crash_during_a_talk_leaves_it_answered() -> None:
    assert classify(AttemptFacts(local_error=LocalError.LOST, answered=True, agent_bridged=True)).status == "answered"
    assert classify(AttemptFacts(local_error=LocalError.LOST, answered=True)).status == "busy-line"


@pytest.mark.parametrize("reason", [reason for reason in CancelReason if reason is not CancelReason.RING_TIMEOUT])
def test_our_other_cancels_keep_their_reason_and_do_not_count(reason: CancelReason) -> None:
    for rang in (False, True):
        verdict = classify(AttemptFacts(cancel_reason=reason, rang=rang, sip_status=487, progressed=True))
        assert (verdict.status, verdict.cancel_reason, verdict.counts) == ("cancel", reason, False)
        assert verdict.rule == f"cancel.{reason}"


def test_the_ring_timer_means_what_the_trunk_had_said_until_then() -> None:
    timeout = CancelReason.RING_TIMEOUT
    rang = classify(AttemptFacts(cancel_reason=timeout, rang=True, progressed=True))
    assert (rang.status, rang.counts, rang.cancel_reason) == ("cancel", True, timeout)
    assert classify(AttemptFacts(cancel_reason=timeout, progressed=True)).status == "not-available"
    assert classify(AttemptFacts(cancel_reason=timeout, sip_status=487)).status == "not-available"
    silent = classify(AttemptFacts(cancel_reason=timeout))
    assert (silent.status, silent.sub_reason, silent.counts) == ("congestion", "trunk_silent", False)


def test_a_cancel_that_nobody_explains_is_still_a_cancel_and_counts_for_nothing() -> None:
    verdict = classify(AttemptFacts(ended_by=EndedBy.DIALER, sip_status=487, rang=True))
    assert (verdict.status, verdict.cancel_reason, verdict.counts) == ("cancel", None, False)


def test_a_real_answer_of_the_network_beats_the_word_that_we_ended_it() -> None:
    assert classify(AttemptFacts(ended_by=EndedBy.DIALER, sip_status=486)).status == "busy"
    assert classify(AttemptFacts(ended_by=EndedBy.AGENT, q850=17)).status == "busy"


def test_an_agent_lost_before_the_answer_is_our_failure_but_not_over_what_the_network_said() -> None:
    for reason in (None, CancelReason.CULL):
        verdict = classify(AttemptFacts(agent_lost=True, cancel_reason=reason, sip_status=487, rang=True))
        assert (verdict.status, verdict.sub_reason, verdict.counts) == ("failed", "agent_leg", False)
    assert classify(AttemptFacts(agent_lost=True, sip_status=486)).status == "busy"
    ring_out = AttemptFacts(agent_lost=True, cancel_reason=CancelReason.RING_TIMEOUT, rang=True)
    assert classify(ring_out).status == "cancel"


@pytest.mark.parametrize("agentless", [False, True])
def test_an_agent_lost_after_the_answer_is_an_abandoned_call(*, agentless: bool) -> None:
    for facts in (
        AttemptFacts(answered=True, agent_lost=True, agentless=agentless),
        AttemptFacts(answered=True, local_error=LocalError.AGENT_LEG, agentless=agentless),
    ):
        assert (classify(facts).status, classify(facts).sub_reason) == ("busy-line", "agent_lost")


def test_an_agent_lost_during_the_talk_leaves_it_answered() -> None:
    assert classify(AttemptFacts(answered=True, agent_bridged=True, agent_lost=True)).status == "answered"
