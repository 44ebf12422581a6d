"""Whom a call by hand may be for, in memory, SQLite and PostgreSQL alike."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dialer.core.effects import CheckNumber, SeekLead
from dialer.core.events import LeadFound, NumberChecked
from dialer.core.types import Fence, HoldReason, Lead, LeadResult, NumberCaps
from dialer.ports import BadEffects, Owned
from statuses.lead import LeadState, Trigger
from statuses.retry import RetryPolicy
from store.rows import Ban
from tests.store.worlds import (
    HOUR,
    NOW,
    SettleAttempt,
    SettleLead,
    World,
    begin,
    commit,
    events,
    intent,
    leased,
    new_lead,
    phone,
    settings,
    standing,
    take,
    talk,
)

STRANGER = phone(900)


async def seek(world: World, fence: Fence, *, number: str = "", lead_id: int = 0, now: float = NOW) -> LeadFound:
    (answer,) = await commit(world, fence, SeekLead("an", lead_id, number), now=now)
    assert isinstance(answer, LeadFound)
    assert answer.agent_id == "an"
    return answer


async def found(world: World, fence: Fence, **whom: Any) -> Lead:
    answer = await seek(world, fence, **whom)
    assert answer.lead is not None, answer.reason
    return answer.lead


async def begun_by_hand(world: World, fence: Fence, lead: Lead, *, now: float = NOW) -> Any:
    wanted = msgspec.structs.replace(intent(lead, at=now), by_hand=True)
    return wanted, await begin(world, fence, wanted, now=now)


async def test_the_lead_of_a_number_is_found_whatever_time_it_is_due_at_and_may_be_called(world: World) -> None:
    fence = await standing(world, 0)
    later: dict[str, Any] = {
        "state": LeadState.CALLED_NO_SUCCESS.value,
        "next_at": NOW + HOUR,
        "attempts": 1,
        "dialed": 1,
    }
    await world.add_lead(new_lead(1, **later))
    lead = await found(world, fence, number=phone(1))
    assert (lead.lead_id, lead.dialed) == (1, 1)
    wanted, answer = await begun_by_hand(world, fence, lead)
    assert answer.begun == (wanted.call_id,)


async def test_a_lead_that_is_named_is_found_by_its_id_even_when_it_waits_in_the_hopper(world: World) -> None:
    fence = await standing(world, 2)
    await leased(world, fence)
    assert (await found(world, fence, lead_id=2)).lead_id == 2
    assert (await seek(world, fence, lead_id=99)).reason is HoldReason.GONE


async def test_a_stranger_becomes_a_customer_and_a_lead_of_the_campaigns_own_list(world: World) -> None:
    fence = await standing(world, 1)
    lead = await found(world, fence, number=STRANGER)
    assert (lead.phone, lead.dialed) == (STRANGER, 0)
    assert lead.list_id != 10
    assert (await found(world, fence, number=STRANGER)).lead_id == lead.lead_id, "twice is once"
    (told,) = await events(world, "lead.state_changed")
    assert told.data.state_to == LeadState.NOT_CALLED.value  # type: ignore[union-attr]
    _wanted, answer = await begun_by_hand(world, fence, lead)
    assert len(answer.begun) == 1


async def test_who_was_called_with_success_is_called_again_as_a_new_lead_and_the_result_stays(world: World) -> None:
    fence = await standing(world, 1)
    await world.change_lead(1, state=LeadState.SUCCESS.value)
    first = await found(world, fence, number=phone(1))
    assert first.lead_id != 1
    wanted, _answer = await begun_by_hand(world, fence, first)
    await commit(world, fence, SettleAttempt(talk(wanted)))
    await commit(world, fence, SettleLead(LeadResult(wanted.call_id, first.lead_id, Trigger.ANSWERED, "an", 1.0)))
    again = await found(world, fence, number=phone(1), now=NOW + HOUR)
    assert again.lead_id not in (1, first.lead_id)
    old = await world.lead(1)
    assert old is not None
    assert old.state == LeadState.SUCCESS.value
    assert await world.lead(first.lead_id) is None, "one place a customer on the list of calls by hand"
    assert (await world.attempt(wanted.call_id)).settled, "the call's own record stays"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"state": LeadState.DO_NOT_RECALL.value}, HoldReason.SUPPRESSED),
        ({"state": LeadState.PAUSED.value, "remembered": "not_called"}, HoldReason.PAUSED_LEAD),
        ({"state": LeadState.DNC.value, "remembered": "not_called"}, HoldReason.DNC),
        ({"state": LeadState.IN_PROGRESS.value, "remembered": "not_called"}, HoldReason.IN_PROGRESS),
        ({"reconcile": True, "error_kind": "reconcile"}, HoldReason.RECONCILE),
    ],
)
async def test_who_may_not_be_called_is_not_called_by_hand_either(
    world: World, values: dict[str, Any], reason: HoldReason
) -> None:
    fence = await standing(world, 1)
    await world.change_lead(1, **values)
    assert (await seek(world, fence, number=phone(1))).reason is reason


@pytest.mark.parametrize("kind", ["dnc", "blacklist"])
async def test_the_lists_hold_for_strangers(world: World, kind: str) -> None:
    fence = await standing(world, 0)
    await world.add_ban(Ban(STRANGER, kind))
    answer = await seek(world, fence, number=STRANGER)
    assert (answer.lead, answer.reason) == (None, HoldReason(kind))


async def test_the_cap_of_calls_a_day_holds(world: World) -> None:
    fence = await standing(world, 1, caps=NumberCaps(per_24h=1, strict=True))
    lead = await found(world, fence, number=phone(1))
    wanted, _ = await begun_by_hand(world, fence, lead)
    await commit(world, fence, SettleAttempt(talk(wanted, lead_trigger=Trigger.NO_SUCCESS, next_at=NOW + HOUR)))
    assert (await seek(world, fence, number=phone(1), now=NOW + HOUR)).reason is HoldReason.NUMBER_CAP


async def test_attempts_that_are_used_up_do_not_stop_an_agent(world: World) -> None:
    fence = await standing(world, 1, retry=RetryPolicy(max_attempts=1))
    await world.change_lead(1, state=LeadState.RETRY_EXHAUSTED.value, attempts=1, dialed=1)
    assert (await found(world, fence, lead_id=1)).lead_id != 1


async def test_an_engine_that_lost_the_campaign_finds_nobody(world: World) -> None:
    old = await standing(world, 1)
    await take(world, owner="b", now=NOW + 60)
    assert (await seek(world, old, number=phone(1), now=NOW + 61)).reason is HoldReason.FENCED


async def test_a_number_that_is_in_a_call_of_another_campaign_waits(world: World) -> None:
    fence = await standing(world, 1)
    await world.add_campaign(settings(2), lists=[20])
    await world.add_lead(new_lead(2, campaign_id=2, list_id=20, number=1))
    other = await take(world, 2)
    await begun_by_hand(world, other, await found(world, other, lead_id=2))
    assert (await seek(world, fence, number=phone(1))).reason is HoldReason.NUMBER_IN_FLIGHT


async def test_a_number_to_be_sent_on_to_is_looked_up_in_the_lists(world: World) -> None:
    fence = await standing(world, 1)
    await world.add_ban(Ban(phone(5), "blacklist"))
    answers = await commit(world, fence, CheckNumber("c1", phone(5)), CheckNumber("c1", phone(6)))
    assert answers == [NumberChecked("c1", phone(5), HoldReason.BLACKLIST), NumberChecked("c1", phone(6))]


async def test_an_id_that_no_database_takes_costs_only_who_asked_for_it(world: World) -> None:
    fence = await standing(world, 1)
    batch = [Owned(fence, SeekLead("ba", 1, "")), Owned(fence, SeekLead("an", 10**30, ""))]
    try:
        answers = await world.store.commit(batch, now=NOW)
    except BadEffects as error:
        answers = error.answers
    told = {answer.agent_id: answer for _, answer in answers if isinstance(answer, LeadFound)}
    assert told["an"] == LeadFound("an", None, HoldReason.GONE, 10**30, "")
    assert told["ba"].lead is not None
    (again,) = await commit(world, fence, CheckNumber("c", STRANGER), now=NOW)
    assert again == NumberChecked("c", STRANGER)
