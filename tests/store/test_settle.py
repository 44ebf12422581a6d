"""Results: written once, with what they mean for the lead (statuses.md 3.2)."""

from __future__ import annotations

import msgspec
import pytest

from cdr.events import Cdr
from dialer.core.types import AttemptRecord, HoldReason, LegalProfile
from dialer.ports import BadEffects
from statuses.classify import AttemptFacts, classify
from statuses.lead import ErrorKind, LeadState, Trigger
from statuses.outcomes import CallStatus, CancelReason, EndedBy, LocalError
from statuses.retry import RetryPolicy
from tests.store.worlds import (
    HOUR,
    NOW,
    RANG_OUT,
    TRUNK_DOWN,
    LeadResult,
    SettleAttempt,
    SettleLead,
    World,
    begun,
    commit,
    events,
    leased,
    new_lead,
    record,
    settings,
    standing,
    take,
    talk,
)

LOST = AttemptFacts(local_error=LocalError.LOST)
CULLED = AttemptFacts(rang=True, cancel_reason=CancelReason.CULL)
WRONG_NUMBER = AttemptFacts(sip_status=404)


def result(call_id: str, trigger: Trigger, **values: object) -> LeadResult:
    return LeadResult(call_id, 1, trigger, "an", 12.0, **values)  # type: ignore[arg-type]


@pytest.mark.req("S4-3.3")
async def test_an_unanswered_call_is_tried_again_after_the_gap(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    await commit(world, fence, SettleAttempt(record(wanted, facts=RANG_OUT, next_at=NOW + HOUR)))
    lead = await world.lead(1)
    assert lead is not None
    assert (lead.state, lead.next_at, lead.remembered) == (LeadState.CALLED_NO_SUCCESS, NOW + HOUR, None)
    assert (lead.attempts, lead.dialed) == (1, 1)
    assert lead.status_attempts == {lead.last_status: 1}
    row = await world.attempt(wanted.call_id)
    assert (row.settled, row.lead_done, row.rang, row.counts, row.sip_status) == (True, True, True, True, 480)
    assert row.status == lead.last_status
    assert row.ended_at == NOW + 20
    assert await world.store.open_attempts(1) == []
    assert await leased(world, fence, now=NOW + HOUR - 1) == []
    assert [again.attempts for again in await leased(world, fence, now=NOW + HOUR)] == [1]


@pytest.mark.req("S4-3.6")
async def test_the_last_attempt_exhausts_the_lead(world: World) -> None:
    fence = await standing(world, 1, retry=RetryPolicy(max_attempts=1))
    wanted = await begun(world, fence)
    await commit(world, fence, SettleAttempt(record(wanted, facts=RANG_OUT)))
    lead = await world.lead(1)
    assert lead is not None
    assert (lead.state, lead.next_at) == (LeadState.RETRY_EXHAUSTED, None)


@pytest.mark.req("S4-3.8")
async def test_errors_of_ours_and_wrong_numbers(world: World) -> None:
    fence = await standing(world, 2)
    first, second = await begun(world, fence), await begun(world, fence)
    await commit(
        world,
        fence,
        SettleAttempt(record(first, facts=TRUNK_DOWN, next_at=NOW + 300)),
        SettleAttempt(record(second, facts=WRONG_NUMBER)),
    )
    ours, theirs = await world.lead(1), await world.lead(2)
    assert ours is not None
    assert theirs is not None
    assert (ours.state, theirs.state) == (LeadState.CALL_ERROR, LeadState.CALL_ERROR)
    assert (ours.error_kind, theirs.error_kind) == (ErrorKind.HOTLINE, ErrorKind.NUMBER)
    assert (ours.attempts, ours.error_attempts, ours.next_at) == (0, 1, NOW + 300)
    assert [again.lead_id for again in await leased(world, fence, now=NOW + 300)] == [1]


async def test_a_second_settlement_is_ignored(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    settled = SettleAttempt(record(wanted, facts=RANG_OUT, next_at=NOW + HOUR))
    await commit(world, fence, settled, settled)
    await commit(world, fence, SettleAttempt(record(wanted, facts=WRONG_NUMBER)))
    lead = await world.lead(1)
    assert lead is not None
    assert (lead.attempts, lead.state) == (1, LeadState.CALLED_NO_SUCCESS)
    assert len(await events(world, "cdr.finalized")) == 1


@pytest.mark.req("S4-3.5", "S0-15")
async def test_a_talk_waits_for_its_wrap_up(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    await commit(world, fence, SettleAttempt(talk(wanted)))
    lead = await world.lead(1)
    assert lead is not None
    assert (lead.state, lead.attempts, lead.agent_name) == (LeadState.IN_PROGRESS, 1, "an")
    assert await world.store.unfinished_talks(1) == [(wanted.call_id, 1, "an")]
    done = result(wanted.call_id, Trigger.ANSWERED, disposition="SALE", note="Đồng ý")
    await commit(world, fence, SettleLead(done), SettleLead(done), now=NOW + 72)
    lead = await world.lead(1)
    assert lead is not None
    assert (lead.state, lead.disposition, lead.attempts) == (LeadState.SUCCESS, "SALE", 1)
    assert await world.store.unfinished_talks(1) == []
    row = await world.attempt(wanted.call_id)
    assert (row.lead_done, row.note, row.record) == (True, "Đồng ý", None)
    (told,) = await events(world, "disposition.set")
    assert isinstance(told.data, Cdr)
    assert (told.data.version, told.data.wrap_ms, told.data.note, told.data.disposition) == (
        2,
        12_000,
        "Đồng ý",
        "SALE",
    )


@pytest.mark.req("S4-3.4")
async def test_a_callback_is_kept_for_its_agent_and_time(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    asked = result(wanted.call_id, Trigger.CALLBACK_ASKED, callback_at=NOW + HOUR)
    await commit(world, fence, SettleAttempt(talk(wanted)), SettleLead(asked), now=NOW + 72)
    lead = await world.lead(1)
    assert lead is not None
    assert (lead.state, lead.callback_at, lead.callback_agent) == (LeadState.CALLBACK, NOW + HOUR, "an")
    (again,) = await leased(world, fence, now=NOW + HOUR)
    assert (again.callback_agent, again.from_state) == ("an", LeadState.CALLBACK)


@pytest.mark.req("S4-3.7")
async def test_asked_not_to_be_called_again_binds_the_other_campaigns(world: World) -> None:
    fence = await standing(world, 1, no_recall_days=2)
    wanted = await begun(world, fence)
    refused = result(wanted.call_id, Trigger.DO_NOT_RECALL)
    await commit(world, fence, SettleAttempt(talk(wanted)), SettleLead(refused), now=NOW + 72)
    lead = await world.lead(1)
    assert lead is not None
    assert lead.state == LeadState.DO_NOT_RECALL
    await world.add_campaign(settings(2), lists=[20])
    await world.add_lead(new_lead(2, campaign_id=2, list_id=20, number=1))
    other = await take(world, 2)
    assert await leased(world, other, now=NOW + 30 * HOUR) == []
    held = await world.lead(2)
    assert held is not None
    assert (held.held_reason, held.held_until) == (HoldReason.SUPPRESSED, NOW + 72 + 48 * HOUR)
    assert [again.lead_id for again in await leased(world, other, now=NOW + 49 * HOUR)] == [2]


def _as_classified(ended: AttemptRecord) -> AttemptRecord:
    """Give the record the verdict of its times: without an agent it is no answered call."""
    if ended.bridged_at is not None:
        return ended
    facts = AttemptFacts(rang=True, answered=True, ended_by=EndedBy.REMOTE)
    return msgspec.structs.replace(ended, facts=facts, verdict=classify(facts), agent_id=None)


@pytest.mark.parametrize("agent_after_s", [None, 2.5])
async def test_who_was_abandoned_is_left_alone_by_every_campaign_as_long_as_the_law_says(
    world: World, agent_after_s: float | None
) -> None:
    fence = await standing(world, 1, legal=LegalProfile(law="UK", lockout_s=72 * HOUR))
    wanted = await begun(world, fence)
    joined_at = None if agent_after_s is None else NOW + 5 + agent_after_s
    ended = msgspec.structs.replace(talk(wanted), answered_at=NOW + 5, bridged_at=joined_at)
    over = result(wanted.call_id, Trigger.NO_SUCCESS, next_at=NOW + 1000 * HOUR)
    await commit(world, fence, SettleAttempt(_as_classified(ended)), SettleLead(over), now=NOW + 72)
    await world.add_campaign(settings(2), lists=[20])
    await world.add_lead(new_lead(2, campaign_id=2, list_id=20, number=1))
    other = await take(world, 2)
    assert await leased(world, other, now=ended.ended_at + 72 * HOUR - 1) == []
    held = await world.lead(2)
    assert held is not None
    assert (held.held_reason, held.held_until) == (HoldReason.SUPPRESSED, ended.ended_at + 72 * HOUR)
    assert [again.lead_id for again in await leased(world, other, now=ended.ended_at + 72 * HOUR + 1)] == [2]


async def test_who_met_an_agent_in_time_is_not_locked_out(world: World) -> None:
    fence = await standing(world, 1, legal=LegalProfile(lockout_s=72 * HOUR))
    wanted = await begun(world, fence)
    over = result(wanted.call_id, Trigger.NO_SUCCESS, next_at=NOW + 1000 * HOUR)
    await commit(world, fence, SettleAttempt(talk(wanted)), SettleLead(over), now=NOW + 72)
    await world.add_campaign(settings(2), lists=[20])
    await world.add_lead(new_lead(2, campaign_id=2, list_id=20, number=1))
    assert [lead.lead_id for lead in await leased(world, await take(world, 2), now=NOW + 2 * HOUR)] == [2]


async def test_a_short_talk_is_tried_again(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    short = result(wanted.call_id, Trigger.NO_SUCCESS, next_at=NOW + HOUR)
    await commit(world, fence, SettleAttempt(talk(wanted)), SettleLead(short), now=NOW + 72)
    lead = await world.lead(1)
    assert lead is not None
    assert (lead.state, lead.next_at) == (LeadState.CALLED_NO_SUCCESS, NOW + HOUR)


async def test_a_culled_call_goes_back_and_does_not_count(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    await commit(world, fence, SettleAttempt(record(wanted, facts=CULLED, next_at=NOW + 300)))
    lead = await world.lead(1)
    assert lead is not None
    assert (lead.state, lead.attempts, lead.dialed, lead.error_attempts) == (LeadState.NOT_CALLED, 0, 1, 0)
    assert lead.status_attempts == {}
    assert await leased(world, fence, now=NOW + 299) == []
    assert [again.attempts for again in await leased(world, fence, now=NOW + 300)] == [0]


async def test_a_lost_call_is_not_dialed_again_by_itself(world: World) -> None:
    await standing(world, 1)
    old = await take(world)
    wanted = await begun(world, old)
    new = await take(world, owner="b", now=NOW + 31)
    await commit(world, new, SettleAttempt(record(wanted, facts=LOST)), now=NOW + 40)
    lead = await world.lead(1)
    assert lead is not None
    assert (lead.state, lead.reconcile, lead.error_kind) == (LeadState.NOT_CALLED, True, ErrorKind.RECONCILE)
    assert await leased(world, new, now=NOW + 30 * 24 * HOUR) == []
    row = await world.attempt(wanted.call_id)
    assert (row.lost, row.status) == (True, CallStatus.FAILED)


async def test_the_first_owner_may_still_finish_what_it_began(world: World) -> None:
    old = await standing(world, 1)
    wanted = await begun(world, old)
    await take(world, owner="b", now=NOW + 31)
    await commit(world, old, SettleAttempt(record(wanted, facts=RANG_OUT, next_at=NOW + HOUR)), now=NOW + 32)
    assert await world.store.open_attempts(1) == []


async def test_an_owner_in_between_may_not_finish_the_calls_of_others(world: World) -> None:
    first = await standing(world, 1)
    wanted = await begun(world, first)
    second = await take(world, owner="b", now=NOW + 31)
    await take(world, owner="c", now=NOW + 62)
    await commit(world, second, SettleAttempt(record(wanted, facts=RANG_OUT)), now=NOW + 63)
    assert len(await world.store.open_attempts(1)) == 1


@pytest.mark.req("S4-18")
async def test_a_pause_during_the_call_holds_after_it(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    await world.change_lead(1, pending=Trigger.PAUSE.value)
    await commit(world, fence, SettleAttempt(record(wanted, facts=RANG_OUT, next_at=NOW + HOUR)))
    lead = await world.lead(1)
    assert lead is not None
    assert (lead.state, lead.remembered, lead.next_at) == (LeadState.PAUSED, LeadState.CALLED_NO_SUCCESS, NOW + HOUR)


@pytest.mark.req("S4-19")
async def test_a_removal_during_the_call_happens_after_it_and_the_call_stays(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    await world.change_lead(1, pending=Trigger.REMOVE.value)
    await commit(world, fence, SettleAttempt(record(wanted, facts=RANG_OUT)))
    assert await world.lead(1) is None
    assert (await world.attempt(wanted.call_id)).settled
    assert len(await events(world, "cdr.finalized")) == 1
    assert (await events(world, "lead.state_changed"))[-1].data.state_to is None  # type: ignore[union-attr]


async def test_the_result_of_an_unknown_call_is_told_and_the_rest_is_done(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    unknown = msgspec.structs.replace(record(wanted, facts=RANG_OUT), call_id="call-unknown")
    with pytest.raises(BadEffects, match="call-unknown"):
        await commit(world, fence, SettleAttempt(unknown), SettleAttempt(record(wanted, facts=RANG_OUT)))
    assert (await world.attempt(wanted.call_id)).settled


async def test_a_lead_changed_behind_our_back_keeps_the_cdr(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    await world.change_lead(1, state=LeadState.SUCCESS.value, remembered=None)
    with pytest.raises(BadEffects, match=wanted.call_id):
        await commit(world, fence, SettleAttempt(record(wanted, facts=RANG_OUT)))
    assert (await world.attempt(wanted.call_id)).settled
    assert len(await events(world, "cdr.finalized")) == 1


async def test_a_wrap_up_without_its_call_is_told(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    early = result(wanted.call_id, Trigger.ANSWERED)
    with pytest.raises(BadEffects, match="not settled"):
        await commit(world, fence, SettleLead(early))


async def test_each_change_of_a_lead_has_its_own_version(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    done = result(wanted.call_id, Trigger.ANSWERED)
    await commit(world, fence, SettleAttempt(talk(wanted)), SettleLead(done), now=NOW + 72)
    changes = await events(world, "lead.state_changed")
    assert [one.event.seq for one in changes] == [1, 2]
    lead = await world.lead(1)
    assert lead is not None
    assert lead.version == 2


async def test_the_legal_count_is_exact(world: World) -> None:
    fence = await standing(world, 4)
    calls = [await begun(world, fence) for _ in range(4)]
    late = talk(calls[1], bridged_at=NOW + 60 - 37.5)
    alone = record(calls[2], facts=AttemptFacts(rang=True, answered=True), at=NOW + 60, answered_at=NOW + 20)
    await commit(
        world,
        fence,
        *(SettleAttempt(one) for one in (talk(calls[0]), late, alone)),
        SettleAttempt(record(calls[3], facts=RANG_OUT)),
    )
    assert await world.store.legal_counts(1, since=NOW) == (3, 2)
    assert await world.store.legal_counts(1, since=NOW + 61) == (0, 0)


@pytest.mark.parametrize("ended_by", [EndedBy.DIALER, EndedBy.REMOTE])
async def test_who_heard_a_message_was_not_abandoned_and_opens_no_legal_budget(world: World, ended_by: EndedBy) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    facts = AttemptFacts(rang=True, answered=True, agentless=True, ivr_entered=True, ended_by=ended_by)
    await commit(world, fence, SettleAttempt(record(wanted, facts=facts, at=NOW + 60, answered_at=NOW + 20)))
    assert await world.store.legal_counts(1, since=NOW) == (0, 0)


@pytest.mark.parametrize("trigger", [Trigger.ADDED, Trigger.ERROR, Trigger.PAUSE])
async def test_what_is_no_word_about_a_talk_finishes_the_lead_as_answered(world: World, trigger: Trigger) -> None:
    fence = await standing(world, 1)
    call = await begun(world, fence)
    await commit(world, fence, SettleAttempt(talk(call)), now=NOW + 60)
    done = LeadResult(call.call_id, call.lead_id, trigger, "an", wrap_s=3.0)
    await commit(world, fence, SettleLead(done), now=NOW + 63)
    lead = await world.lead(call.lead_id)
    assert lead is not None
    assert lead.state == "success"
    assert await world.store.unfinished_talks(1) == []
