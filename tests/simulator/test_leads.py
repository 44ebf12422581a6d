from __future__ import annotations

from collections.abc import Sequence

import pytest

from dialer.core.effects import BeginAttempts, BeginInbound, SeekLead
from dialer.core.types import (
    AttemptIntent,
    AttemptRecord,
    CampaignSettings,
    Direction,
    HoldReason,
    Lead,
    LeadResult,
    NumberCaps,
)
from simulator.leads import LeadBook, synthetic_phone
from simulator.numbers import DAY_S, NumberLedger
from statuses.classify import AttemptFacts, classify
from statuses.lead import ErrorKind, LeadState, Trigger, trigger_for
from statuses.outcomes import EndedBy
from statuses.retry import RetryOrder, RetryPolicy

RANG_OUT = AttemptFacts(progressed=True, rang=True, sip_status=480, q850=19, ended_by=EndedBy.REMOTE)
ENGAGED = AttemptFacts(progressed=True, sip_status=486, q850=17, ended_by=EndedBy.REMOTE)
WRONG = AttemptFacts(progressed=True, sip_status=404, q850=1, ended_by=EndedBy.REMOTE)
NO_CIRCUIT = AttemptFacts(progressed=True, sip_status=503, q850=34, ended_by=EndedBy.REMOTE)
TALKED = AttemptFacts(progressed=True, rang=True, answered=True, agent_bridged=True, ended_by=EndedBy.REMOTE)


def book(count: int = 3, ledger: NumberLedger | None = None, **retry: object) -> LeadBook:
    policy = RetryPolicy(**({"max_attempts": 3} | retry))  # type: ignore[arg-type]
    settings = CampaignSettings(campaign_id=1, name="test", retry=policy, caps=NumberCaps(per_24h=2))
    return LeadBook(settings, [synthetic_phone(1, n) for n in range(1, count + 1)], ledger or NumberLedger())


def intent(lead: Lead, now: float) -> AttemptIntent:
    return AttemptIntent(
        f"c{lead.lead_id}-{lead.dialed + 1}",
        lead.lead_id,
        lead.customer_id,
        1,
        lead.phone,
        "h",
        "t",
        lead.dialed + 1,
        now,
    )


def begin(leads: LeadBook, leased: Sequence[Lead], now: float) -> None:
    event = leads.begin(BeginAttempts(tuple(intent(lead, now) for lead in leased)), now)
    assert event.refused == ()


def settle(leads: LeadBook, lead: Lead, facts: AttemptFacts, now: float, next_at: float | None = None) -> None:
    verdict = classify(facts)
    trigger, kind = trigger_for(verdict)
    made = intent(lead, now)
    leads.settle(
        AttemptRecord(
            call_id=made.call_id, lead_id=lead.lead_id, customer_id=lead.customer_id, list_id=1, phone=lead.phone,
            hotline="h", trunk="t", attempt_no=made.attempt_no, started_at=now, ended_at=now, facts=facts,
            verdict=verdict, ringing_at=now if facts.rang else None, answered_at=now if facts.answered else None,
            lead_trigger=None if facts.answered else trigger, error_kind=kind, next_at=next_at,
        ),
        now,
    )  # fmt: skip


def dial(leads: LeadBook, facts: AttemptFacts, now: float, next_at: float | None = None) -> Lead:
    (lead,) = leads.lease(1, now).leads
    begin(leads, [lead], now)
    settle(leads, lead, facts, now, next_at)
    return lead


def state(leads: LeadBook, lead_id: int) -> LeadState:
    return leads.place(lead_id).state


def test_a_lead_is_leased_once_until_it_is_released() -> None:
    leads = book(3)
    first = leads.lease(2, 0.0).leads
    assert [lead.lead_id for lead in first] == [1, 2]
    assert [lead.lead_id for lead in leads.lease(5, 0.0).leads] == [3]
    assert leads.lease(5, 0.0).leads == ()
    leads.release([2], 0.0)
    assert [lead.lead_id for lead in leads.lease(5, 0.0).leads] == [2]


def test_a_lead_that_is_dialed_is_in_progress_and_its_result_moves_it_on() -> None:
    leads = book(1)
    (lead,) = leads.lease(1, 0.0).leads
    begin(leads, [lead], 0.0)
    assert state(leads, 1) is LeadState.IN_PROGRESS
    settle(leads, lead, RANG_OUT, 30.0, next_at=3630.0)
    assert state(leads, 1) is LeadState.CALLED_NO_SUCCESS
    answer = leads.lease(1, 100.0)
    assert (answer.leads, answer.next_due_at) == ((), 3630.0)
    (again,) = leads.lease(1, 3630.0).leads
    assert (again.attempts, again.dialed, again.status_attempts) == (1, 1, {"no-answered": 1})


def test_the_last_attempt_exhausts_the_lead() -> None:
    leads = book(1, max_attempts=2)
    dial(leads, ENGAGED, 0.0, next_at=10.0)
    dial(leads, ENGAGED, 10.0, next_at=20.0)
    assert state(leads, 1) is LeadState.RETRY_EXHAUSTED
    assert leads.lease(1, 1e9).leads == ()


def test_a_wrong_number_is_final_and_a_busy_trunk_is_not() -> None:
    leads = book(2)
    dial(leads, WRONG, 0.0, next_at=None)
    assert (state(leads, 1), leads.place(1).error_kind) == (LeadState.CALL_ERROR, ErrorKind.NUMBER)
    dial(leads, NO_CIRCUIT, 0.0, next_at=300.0)
    assert (state(leads, 2), leads.place(2).attempts) == (LeadState.CALL_ERROR, 0)
    assert [lead.lead_id for lead in leads.lease(5, 300.0).leads] == [2]


@pytest.mark.parametrize(
    ("trigger", "callback_at", "expected"),
    [
        (Trigger.ANSWERED, None, LeadState.SUCCESS),
        (Trigger.CALLBACK_ASKED, 5000.0, LeadState.CALLBACK),
        (Trigger.DO_NOT_RECALL, None, LeadState.DO_NOT_RECALL),
    ],
)
def test_a_talk_leaves_the_lead_to_the_wrap_up(
    trigger: Trigger, callback_at: float | None, expected: LeadState
) -> None:
    leads = book(1)
    lead = dial(leads, TALKED, 0.0)
    assert state(leads, 1) is LeadState.IN_PROGRESS
    result = LeadResult(
        call_id="c1-1", lead_id=lead.lead_id, trigger=trigger, agent_id="agent-01", wrap_s=9.0, callback_at=callback_at
    )
    leads.settle_lead(result, 10.0)
    assert state(leads, 1) is expected
    again = leads.lease(1, 5000.0).leads
    assert [lead.callback_agent for lead in again] == (["agent-01"] if callback_at else [])


def test_callbacks_come_before_new_leads_and_new_leads_before_retries_unless_told_otherwise() -> None:
    for order, expected in ((RetryOrder.NEW_FIRST, [2, 3, 4, 1]), (RetryOrder.DUE_FIRST, [2, 1, 3, 4])):
        leads = book(4, order=order)
        dial(leads, ENGAGED, 0.0, next_at=50.0)
        lead = dial(leads, TALKED, 0.0)
        assert lead.lead_id == 2
        asked = LeadResult("c2-1", 2, Trigger.CALLBACK_ASKED, "agent-01", 1.0, callback_at=60.0)
        leads.settle_lead(asked, 1.0)
        assert [lead.lead_id for lead in leads.lease(9, 100.0).leads] == expected


def test_the_cap_of_a_number_holds_across_campaigns_and_frees_it_after_a_day() -> None:
    ledger = NumberLedger()
    one, two = book(1, ledger), book(1, ledger)
    dial(one, RANG_OUT, 0.0, next_at=10.0)
    dial(two, RANG_OUT, 20.0, next_at=30.0)
    answer = one.lease(1, 40.0)
    assert (answer.leads, answer.next_due_at) == ((), DAY_S)
    assert len(one.lease(1, DAY_S).leads) == 1


def test_a_number_that_another_campaign_calls_meanwhile_is_refused_at_the_last_moment() -> None:
    ledger = NumberLedger()
    one, two = book(1, ledger), book(1, ledger)
    (mine,), (theirs,) = one.lease(1, 0.0).leads, two.lease(1, 0.0).leads
    begin(two, [theirs], 0.0)
    event = one.begin(BeginAttempts((intent(mine, 0.0),)), 0.0)
    assert [refusal.reason for refusal in event.refused] == [HoldReason.NUMBER_IN_FLIGHT]
    assert state(one, 1) is LeadState.NOT_CALLED
    settle(two, theirs, ENGAGED, 5.0)
    assert len(one.lease(1, 60.0).leads) == 1


def test_an_intent_for_a_lead_that_was_not_leased_is_refused() -> None:
    leads = book(1)
    (lead,) = leads.lease(1, 0.0).leads
    leads.release([1], 0.0)
    event = leads.begin(BeginAttempts((intent(lead, 0.0),)), 0.0)
    assert [refusal.reason for refusal in event.refused] == [HoldReason.GONE]


def test_every_lead_is_in_exactly_one_of_the_eleven_states() -> None:
    leads = book(5)
    dial(leads, ENGAGED, 0.0, next_at=50.0)
    counts = leads.states()
    assert set(counts) == set(LeadState)
    assert sum(counts.values()) == len(leads) == 5
    assert (counts[LeadState.NOT_CALLED], counts[LeadState.CALLED_NO_SUCCESS]) == (4, 1)


def arrive(leads: LeadBook, phone: str, call_id: str = "in") -> tuple[AttemptIntent, Lead]:
    event = leads.begin_inbound(BeginInbound(call_id, phone, "h", "t", 5.0))
    assert event.intent is not None
    assert event.lead is not None
    return event.intent, event.lead


def missed(leads: LeadBook, intent: AttemptIntent, now: float) -> None:
    facts = AttemptFacts(rang=True, inbound=True, ended_by=EndedBy.REMOTE)
    leads.settle(
        AttemptRecord(
            call_id=intent.call_id, lead_id=intent.lead_id, customer_id=1, list_id=intent.list_id, phone=intent.phone,
            hotline="h", trunk="t", attempt_no=0, started_at=5.0, ended_at=now, facts=facts, verdict=classify(facts),
            lead_trigger=Trigger.MISSED_CALL, direction=Direction.INBOUND,
        ),
        now,
    )  # fmt: skip


def test_a_caller_is_matched_to_the_lead_or_becomes_one_that_nobody_dials() -> None:
    leads = book(2)
    intent, lead = arrive(leads, synthetic_phone(1, 2))
    assert (intent.direction, lead.lead_id) == (Direction.INBOUND, 2)
    stranger, made = arrive(leads, "+84954000001", "in2")
    assert (stranger.list_id, made.lead_id, len(leads)) == (0, 3, 3)
    assert arrive(leads, "+84954000001", "in3")[1].lead_id == 3
    missed(leads, stranger, 10.0)
    assert [one.lead_id for one in leads.lease(9, 20.0).leads] == [1, 2]


def test_a_missed_call_makes_a_callback_of_a_lead_that_was_called_before() -> None:
    leads = book(1)
    (lead,) = leads.lease(1, 0.0).leads
    begin(leads, [lead], 0.0)
    settle(leads, lead, RANG_OUT, 30.0, next_at=5000.0)
    intent, _ = arrive(leads, lead.phone)
    missed(leads, intent, 60.0)
    assert leads.place(1).state is LeadState.CALLBACK
    assert [one.attempts for one in leads.lease(1, 61.0).leads] == [1]


def test_a_call_that_came_in_leaves_a_lead_alone_that_is_being_called() -> None:
    leads = book(1)
    (lead,) = leads.lease(1, 0.0).leads
    begin(leads, [lead], 0.0)
    intent, _ = arrive(leads, lead.phone)
    missed(leads, intent, 10.0)
    leads.settle_lead(LeadResult("in", 1, Trigger.ANSWERED, "agent-01", 1.0), 10.0)
    assert leads.place(1).state is LeadState.IN_PROGRESS
    settle(leads, lead, RANG_OUT, 30.0, next_at=5000.0)


def test_a_lead_is_found_by_hand_before_it_is_due_and_not_leased_twice() -> None:
    leads = book(2)
    (first, second) = leads.lease(2, 0.0).leads
    begin(leads, [first], 0.0)
    settle(leads, first, RANG_OUT, 30.0, next_at=3_600.0)
    found = leads.seek(SeekLead("a1", 0, first.phone), 60.0).lead
    assert found is not None
    assert (found.lead_id, found.dialed) == (first.lead_id, 1)
    leads.release([second.lead_id], 60.0)
    assert [lead.lead_id for lead in leads.lease(5, 4_000.0).leads] == [second.lead_id]
    begin(leads, [found], 4_000.0)
    reasons = [leads.seek(SeekLead("a1", *whom), 4_001.0).reason for whom in ((1, ""), (0, "+84999"))]
    assert reasons == [HoldReason.IN_PROGRESS, HoldReason.GONE]
