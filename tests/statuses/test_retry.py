"""Whether and when a lead is called again (statuses.md 2.11, 3.1, N2 to N7)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statuses.classify import AttemptFacts, Verdict, classify
from statuses.outcomes import Announcement, CallStatus, CancelReason, EndedBy, LocalError
from statuses.retry import DEFAULT_RETRY, RetryDecision, RetryOrder, RetryPolicy, RetryRule, decide, queue_key
from tests.statuses.strategies import any_facts

NOW = 1_700_000_000.0
BY_STATUS = {
    CallStatus.ANSWERED: AttemptFacts(answered=True, agent_bridged=True),
    CallStatus.NO_ANSWERED: AttemptFacts(sip_status=480, rang=True),
    CallStatus.BUSY: AttemptFacts(sip_status=486),
    CallStatus.BUSY_LINE: AttemptFacts(answered=True),
    CallStatus.IVR: AttemptFacts(answered=True, ivr_entered=True, ended_by=EndedBy.REMOTE),
    CallStatus.FAILED: AttemptFacts(local_error=LocalError.PROTOCOL),
    CallStatus.CONGESTION: AttemptFacts(sip_status=503),
    CallStatus.CANCEL: AttemptFacts(cancel_reason=CancelReason.RING_TIMEOUT, rang=True),
    CallStatus.INVALID_NUMBER: AttemptFacts(sip_status=404),
    CallStatus.PHONE_BLOCK: AttemptFacts(announcement=Announcement.LOCKED),
    CallStatus.NOT_AVAILABLE: AttemptFacts(sip_status=480),
    CallStatus.VOICEMAIL: AttemptFacts(announcement=Announcement.MAILBOX),
}


def _decide(
    verdict: Verdict,
    policy: RetryPolicy | None = None,
    *,
    attempts: int = 1,
    errors: int = 1,
    same: int = 1,
    talk_s: float = 60.0,
) -> RetryDecision:
    return decide(
        policy or RetryPolicy(),
        verdict,
        attempts=attempts,
        error_attempts=errors,
        status_attempts=same,
        talk_s=talk_s,
        now=NOW,
    )


@pytest.mark.parametrize(
    ("status", "again", "gap_s"),
    [
        (CallStatus.NO_ANSWERED, True, 3600.0),
        (CallStatus.CANCEL, True, 3600.0),
        (CallStatus.BUSY, True, 3600.0),
        (CallStatus.NOT_AVAILABLE, True, 3600.0),
        (CallStatus.VOICEMAIL, True, 3600.0),
        (CallStatus.BUSY_LINE, True, 3600.0),
        (CallStatus.IVR, True, 3600.0),
        (CallStatus.CONGESTION, True, 300.0),
        (CallStatus.INVALID_NUMBER, False, None),
        (CallStatus.PHONE_BLOCK, False, None),
        (CallStatus.FAILED, False, None),
        (CallStatus.ANSWERED, False, None),
    ],
)
def test_the_default_set_of_statuses_that_are_called_again(
    status: CallStatus, *, again: bool, gap_s: float | None
) -> None:
    verdict = classify(BY_STATUS[status])
    assert verdict.status is status
    decision = _decide(verdict)
    assert decision.retry is again
    assert decision.next_at == (NOW + gap_s if gap_s is not None else None)
    assert (status in DEFAULT_RETRY) is again


def test_each_status_has_its_own_gap_and_limit() -> None:
    """EZSale's example: busy three times every fifteen minutes."""
    policy = RetryPolicy(max_attempts=9, per_status={CallStatus.BUSY: RetryRule(900.0, 3)})
    busy = classify(BY_STATUS[CallStatus.BUSY])
    decisions = [_decide(busy, policy, attempts=n, same=n) for n in (1, 2, 3, 4)]
    assert [decision.retry for decision in decisions] == [True, True, True, False]
    assert decisions[0].next_at == NOW + 900.0
    assert decisions[3].reason == "status_limit"
    rang_out = classify(BY_STATUS[CallStatus.NO_ANSWERED])
    assert _decide(rang_out, policy, attempts=4, same=4).next_at == NOW + 3600.0


def test_the_total_of_calls_is_the_limit() -> None:
    busy = classify(BY_STATUS[CallStatus.BUSY])
    assert [_decide(busy, attempts=n).retry for n in (1, 2, 3, 4)] == [True, True, False, False]
    assert _decide(busy, attempts=3).reason == "max_attempts"


def test_a_short_talk_is_called_again_if_the_campaign_says_so() -> None:
    talk = classify(BY_STATUS[CallStatus.ANSWERED])
    policy = RetryPolicy(short_talk_s=10.0)
    assert _decide(talk, policy, talk_s=9.9) == RetryDecision(retry=True, next_at=NOW + 3600.0, reason="short_talk")
    assert _decide(talk, policy, talk_s=10.0).reason == "answered"
    assert _decide(talk, policy, talk_s=1.0, attempts=3).reason == "max_attempts"
    assert not _decide(talk, talk_s=0.0).retry


def test_an_abandoned_person_is_not_called_before_the_minimum_gap() -> None:
    policy = RetryPolicy(gap_s=60.0, busy_line_min_gap_s=900.0)
    abandoned = classify(BY_STATUS[CallStatus.BUSY_LINE])
    assert _decide(abandoned, policy).next_at == NOW + 900.0
    hasty = RetryPolicy(per_status={CallStatus.BUSY_LINE: RetryRule(5.0)}, busy_line_min_gap_s=900.0)
    assert _decide(abandoned, hasty).next_at == NOW + 900.0


def test_errors_of_ours_have_tries_of_their_own() -> None:
    congested = classify(BY_STATUS[CallStatus.CONGESTION])
    decisions = [_decide(congested, attempts=0, errors=n) for n in (1, 2, 3)]
    assert [decision.retry for decision in decisions] == [True, True, False]
    assert decisions[2].reason == "error_retries"
    off = RetryPolicy(retry_on=DEFAULT_RETRY - {CallStatus.CONGESTION})
    assert _decide(congested, off).reason == "status_not_retried"


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (LocalError.AGENT_LEG, True),
        (LocalError.NO_HOTLINE, True),
        (LocalError.DAILY_CAP, True),
        (LocalError.SCRIPT_DELETED, True),
        (LocalError.AUDIO, True),
        (LocalError.PROTOCOL, False),
        (LocalError.NOT_ALLOWED, False),
        (LocalError.NO_ROUTE, False),
    ],
)
def test_an_agent_a_hotline_and_missing_content_may_come_back_and_the_rest_is_for_people(
    error: LocalError, *, again: bool
) -> None:
    verdict = classify(AttemptFacts(local_error=error))
    assert _decide(verdict, attempts=0).retry is again
    everything = RetryPolicy(retry_on=frozenset(CallStatus))
    assert _decide(verdict, everything, attempts=0).retry


@pytest.mark.parametrize(
    ("facts", "reason"),
    [(AttemptFacts(sip_status=404), "wrong_number"), (AttemptFacts(local_error=LocalError.LOST), "reconcile")],
)
def test_a_wrong_number_and_an_unknown_outcome_are_never_called_again_by_themselves(
    facts: AttemptFacts, reason: str
) -> None:
    everything = RetryPolicy(retry_on=frozenset(CallStatus), max_attempts=99, error_retries=99)
    assert _decide(classify(facts), everything) == RetryDecision(retry=False, next_at=None, reason=reason)


def test_a_call_that_we_took_back_is_not_held_against_the_person() -> None:
    culled = classify(AttemptFacts(cancel_reason=CancelReason.CULL, rang=True))
    nothing = RetryPolicy(retry_on=frozenset())
    assert _decide(culled, nothing, attempts=0) == RetryDecision(retry=True, next_at=NOW + 300.0, reason="voided")


def test_the_order_puts_new_or_due_leads_first_and_abandoned_people_before_other_retries() -> None:
    leads: list[tuple[CallStatus | None, float, int]] = [
        (CallStatus.BUSY, 10.0, 1),
        (None, 30.0, 2),
        (CallStatus.BUSY_LINE, 20.0, 3),
        (None, 5.0, 4),
        (CallStatus.NO_ANSWERED, 5.0, 5),
    ]

    def ordered(order: RetryOrder) -> list[int]:
        keys = sorted(queue_key(order, last_status=s, due_at=at, lead_id=number) for s, at, number in leads)
        return [key[-1] for key in keys]

    assert ordered(RetryOrder.NEW_FIRST) == [4, 2, 3, 5, 1]
    assert ordered(RetryOrder.DUE_FIRST) == [3, 5, 1, 4, 2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_attempts": 0},
        {"error_retries": -1},
        {"gap_s": -1.0},
        {"gap_s": float("nan")},
        {"error_gap_s": float("inf")},
        {"per_status": {CallStatus.BUSY: RetryRule(-5.0)}},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="retry policy"):
        RetryPolicy(**wrong)  # type: ignore[arg-type]


def test_a_policy_survives_being_stored() -> None:
    policy = RetryPolicy(per_status={CallStatus.BUSY: RetryRule(60.0, 2)}, order=RetryOrder.DUE_FIRST)
    assert msgspec.json.decode(msgspec.json.encode(policy), type=RetryPolicy) == policy


any_policy = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 5),
    gap_s=st.floats(0.0, 1e6),
    per_status=st.dictionaries(
        st.sampled_from(CallStatus), st.builds(RetryRule, st.floats(0.0, 1e6), st.none() | st.integers(0, 5))
    ),
    retry_on=st.frozensets(st.sampled_from(CallStatus)),
    short_talk_s=st.none() | st.floats(0.0, 100.0),
    error_retries=st.integers(0, 5),
)


@settings(deadline=None, max_examples=500)
@given(any_policy, any_facts, st.data())
def test_a_retry_never_exceeds_the_limits_and_never_lies_in_the_past(
    policy: RetryPolicy, facts: AttemptFacts, data: st.DataObject
) -> None:
    verdict = classify(facts)
    attempts, errors, same = data.draw(st.tuples(*[st.integers(0, 9)] * 3))
    now = data.draw(st.floats(0.0, 2e9))
    decision = decide(
        policy,
        verdict,
        attempts=attempts,
        error_attempts=errors,
        status_attempts=same,
        talk_s=data.draw(st.floats(0.0, 1e4)),
        now=now,
    )
    assert decision.reason
    assert (decision.next_at is not None) is decision.retry
    if decision.next_at is not None:
        assert decision.next_at >= now
        assert attempts < policy.max_attempts or decision.reason == "voided"
    if decision.reason == "voided":
        assert verdict.status is CallStatus.CANCEL
        assert not verdict.counts
