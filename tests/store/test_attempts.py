"""The last guards before a call leaves, and the write-ahead rows."""

from __future__ import annotations

import msgspec
import pytest

from cdr.events import Suppressed
from dialer.core.types import HoldReason, NumberCaps
from dialer.errors import DialerError
from dialer.ports import BadEffects
from statuses.lead import LeadState
from store.rows import Ban
from tests.store.worlds import (
    HOUR,
    NEVER_RANG,
    NOW,
    RANG_OUT,
    RecordProgress,
    SettleAttempt,
    World,
    begin,
    begun,
    commit,
    events,
    intent,
    leased,
    new_lead,
    phone,
    record,
    settings,
    standing,
    take,
    talk,
)

DAY = 24 * HOUR


@pytest.mark.req("S4-3.2", "S0-12")
async def test_an_attempt_is_written_before_the_call(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    lead = await world.lead(1)
    assert lead is not None
    assert (lead.state, lead.remembered) == (LeadState.IN_PROGRESS, LeadState.NOT_CALLED)
    assert (lead.dialed, lead.attempts, lead.last_call_at, lead.last_hotline) == (1, 0, NOW, "19001000")
    assert (lead.lease_owner, lead.lease_epoch) == (None, None)
    row = await world.attempt(wanted.call_id)
    assert (row.campaign_id, row.owner_epoch, row.attempt_no, row.settled) == (1, fence.epoch, 1, False)
    (found,) = await world.store.open_attempts(1)
    assert found.intent == wanted
    told = await events(world)
    assert [one.event.type for one in told] == ["call.initiated", "lead.state_changed"]
    assert {one.event.lead_id for one in told} == {1}


async def test_the_same_batch_again_begins_nothing_twice(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    assert (await begin(world, fence, wanted)).begun == (wanted.call_id,)
    assert len(await events(world, "call.initiated")) == 1


async def test_a_stale_fence_begins_nothing(world: World) -> None:
    old = await standing(world, 1)
    (lead,) = await leased(world, old)
    new = await take(world, owner="b", now=NOW + 31)
    refused = await begin(world, old, intent(lead))
    assert [refusal.reason for refusal in refused.refused] == [HoldReason.FENCED]
    assert await world.store.open_attempts(1) == []
    assert [again.lead_id for again in await leased(world, new)] == [1]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"state": "paused", "remembered": "not_called"}, HoldReason.PAUSED_LEAD),
        ({"state": "blacklisted"}, HoldReason.BLACKLIST),
        ({"state": "dnc"}, HoldReason.DNC),
        ({"state": "success"}, HoldReason.FINISHED),
        ({"state": "retry_exhausted"}, HoldReason.MAX_ATTEMPTS),
        ({"attempts": 3}, HoldReason.MAX_ATTEMPTS),
        ({"reconcile": True}, HoldReason.RECONCILE),
        ({"call_at": NOW + 60}, HoldReason.SCHEDULED),
        ({"state": "callback", "callback_at": NOW + 60}, HoldReason.CALLBACK_NOT_DUE),
        ({"lease_owner": None, "lease_epoch": None}, HoldReason.FENCED),
        ({"lease_epoch": 77}, HoldReason.FENCED),
    ],
    ids=str,
)
async def test_what_a_person_did_since_the_lease_counts(
    world: World, values: dict[str, object], reason: HoldReason
) -> None:
    fence = await standing(world, 1)
    (lead,) = await leased(world, fence)
    await world.change_lead(1, **values)
    answer = await begin(world, fence, intent(lead))
    assert [(refusal.lead_id, refusal.reason) for refusal in answer.refused] == [(1, reason)]
    left = await world.lead(1)
    assert left is not None
    assert left.lease_epoch in (None, 77)
    assert left.dialed == 0


async def test_a_corrected_number_must_be_leased_again(world: World) -> None:
    fence = await standing(world, 1)
    (lead,) = await leased(world, fence)
    wrong = msgspec.structs.replace(intent(lead), phone=phone(99))
    assert (await begin(world, fence, wrong)).refused[0].reason is HoldReason.GONE
    assert [again.phone for again in await leased(world, fence)] == [phone(1)]


async def test_a_removed_lead_is_gone(world: World) -> None:
    fence = await standing(world, 1)
    (lead,) = await leased(world, fence)
    missing = msgspec.structs.replace(intent(lead), lead_id=999)
    assert (await begin(world, fence, missing)).refused[0].reason is HoldReason.GONE


async def test_a_list_switched_off_stops_its_leads(world: World) -> None:
    fence = await standing(world, 1)
    (lead,) = await leased(world, fence)
    await world.switch_list(10, active=False)
    assert (await begin(world, fence, intent(lead))).refused[0].reason is HoldReason.LIST_OFF


@pytest.mark.parametrize(
    ("kind", "reason", "state"),
    [
        ("dnc", HoldReason.DNC, LeadState.DNC),
        ("blacklist", HoldReason.BLACKLIST, LeadState.BLACKLISTED),
        ("no_recall", HoldReason.SUPPRESSED, LeadState.NOT_CALLED),
    ],
)
async def test_suppressions_are_asked_again_before_every_call(
    world: World, kind: str, reason: HoldReason, state: LeadState
) -> None:
    fence = await standing(world, 1)
    (lead,) = await leased(world, fence)
    await world.add_ban(Ban(phone(1), kind))
    assert (await begin(world, fence, intent(lead))).refused[0].reason is reason
    held = await world.lead(1)
    assert held is not None
    assert (held.state, held.lease_owner) == (state, None)
    told = await events(world)
    assert told[0].event.type == "attempt.suppressed"
    assert isinstance(told[0].data, Suppressed)
    assert told[0].data.reason == reason
    assert len(told) == (1 if kind == "no_recall" else 2)
    assert await leased(world, fence) == []


async def test_two_leads_of_one_number_are_not_called_at_once(world: World) -> None:
    fence = await standing(world, 1)
    await world.add_campaign(settings(2), lists=[20])
    await world.add_lead(new_lead(2, campaign_id=2, list_id=20, number=2))
    other = await take(world, 2)
    (first,), (second,) = await leased(world, fence), await leased(world, other)
    await world.correct_number(2, phone(1))
    second = msgspec.structs.replace(second, phone=phone(1))
    await begin(world, fence, intent(first))
    assert (await begin(world, other, intent(second))).refused[0].reason is HoldReason.NUMBER_IN_FLIGHT
    assert await leased(world, other, now=NOW + 29) == []


async def test_a_number_stays_taken_during_the_wrap_up(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    await commit(world, fence, SettleAttempt(talk(wanted)))
    await world.add_campaign(settings(2), lists=[20])
    await world.add_lead(new_lead(2, campaign_id=2, list_id=20, number=1))
    other = await take(world, 2)
    assert await leased(world, other, now=NOW + 61) == []


@pytest.mark.parametrize(
    ("facts", "strict", "allowed"),
    [(RANG_OUT, False, False), (NEVER_RANG, False, True), (NEVER_RANG, True, False)],
    ids=["rang", "never rang", "never rang, strict"],
)
async def test_the_daily_cap_counts_calls_that_rang_or_all(
    world: World, facts: object, strict: bool, allowed: bool
) -> None:
    fence = await standing(world, 1, caps=NumberCaps(per_24h=1, strict=strict))
    wanted = await begun(world, fence)
    await commit(world, fence, SettleAttempt(record(wanted, facts=facts, next_at=NOW + HOUR)))  # type: ignore[arg-type]
    later = NOW + 2 * HOUR
    assert bool(await leased(world, fence, now=later)) is allowed
    assert await leased(world, fence, now=NOW + DAY - 1) == []
    assert bool(await leased(world, fence, now=NOW + DAY)) is not allowed


async def test_the_cap_is_asked_again_at_the_call(world: World) -> None:
    fence = await standing(world, 1, caps=NumberCaps(per_24h=1))
    wanted = await begun(world, fence)
    await commit(world, fence, SettleAttempt(record(wanted, facts=RANG_OUT, next_at=NOW + HOUR)))
    (lead,) = await leased(world, fence, now=NOW + DAY)
    answer = await begin(world, fence, intent(lead, at=NOW + DAY - 60), now=NOW + DAY - 60)
    assert answer.refused[0].reason is HoldReason.NUMBER_CAP
    held = await world.lead(1)
    assert held is not None
    assert (held.held_until, held.held_reason, held.lease_owner) == (NOW + DAY, HoldReason.NUMBER_CAP, None)
    assert [one.event.type for one in await events(world)][-1] == "attempt.suppressed"


async def test_an_attempt_with_a_wrong_number_of_its_own_is_told(world: World) -> None:
    fence = await standing(world, 2)
    first, second = await leased(world, fence)
    wrong = msgspec.structs.replace(intent(first), attempt_no=5)
    good = intent(second)
    with pytest.raises(BadEffects, match=wrong.call_id) as caught:
        await begin(world, fence, wrong, good)
    assert not isinstance(caught.value, DialerError)
    ((_, answer),) = caught.value.answers
    assert answer.begun == (good.call_id,)  # type: ignore[attr-defined]
    assert [found.intent.call_id for found in await world.store.open_attempts(1)] == [good.call_id]


@pytest.mark.req("S0-15")
async def test_progress_is_durable(world: World) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    await commit(world, fence, RecordProgress(wanted.call_id, NOW + 5))
    await commit(world, fence, RecordProgress(wanted.call_id, NOW + 6, "an"))
    (found,) = await world.store.open_attempts(1)
    assert (found.answered_at, found.bridged_at, found.agent_id) == (NOW + 5, NOW + 6, "an")


async def test_progress_of_an_unknown_call_is_told(world: World) -> None:
    fence = await standing(world, 1)
    with pytest.raises(BadEffects, match="call-unknown"):
        await commit(world, fence, RecordProgress("call-unknown", NOW))
