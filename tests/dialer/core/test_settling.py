"""What a recovered attempt becomes (architecture.md section 7)."""

from __future__ import annotations

import pytest

from dialer.core.settling import orphan_record, unfinished_talk
from dialer.core.types import AttemptIntent, OpenAttempt
from statuses.lead import ErrorKind, Trigger
from statuses.outcomes import CallStatus
from tests.dialer.core.bench_engine import START

INTENT = AttemptIntent("c1", 7, 7, 1, "+84700000007", "+842471000001", "sim", 1, START)


def test_unknown_outcome_is_lost_and_waits_for_a_person() -> None:
    record = orphan_record(OpenAttempt(INTENT), START + 60)
    assert record.verdict.status is CallStatus.FAILED
    assert record.verdict.sub_reason == "lost"
    assert (record.lead_trigger, record.error_kind) == (Trigger.WORKER_LOST, ErrorKind.RECONCILE)
    assert record.next_at is None


def test_an_answered_call_without_an_agent_is_not_redialed_by_itself() -> None:
    record = orphan_record(OpenAttempt(INTENT, answered_at=START + 5), START + 60)
    assert record.lead_trigger is Trigger.WORKER_LOST
    assert record.answered_at == START + 5


def test_a_bridged_call_was_a_talk() -> None:
    record = orphan_record(OpenAttempt(INTENT, answered_at=START + 5, bridged_at=START + 6, agent_id="a1"), START + 60)
    assert record.verdict.status is CallStatus.ANSWERED
    assert (record.lead_trigger, record.agent_id) == (Trigger.ANSWERED, "a1")


@pytest.mark.parametrize("now", [START - 100, START + 100])
def test_times_stay_in_order_even_if_the_clock_was_reset(now: float) -> None:
    record = orphan_record(OpenAttempt(INTENT, answered_at=START + 5, bridged_at=START + 6), now)
    assert record.started_at <= START + 5 <= record.ended_at


def test_an_unfinished_talk_is_a_success() -> None:
    result = unfinished_talk("c1", 7, "a1")
    assert (result.trigger, result.agent_id) == (Trigger.ANSWERED, "a1")
