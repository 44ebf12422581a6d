"""Which leads an engine gets, in which order, and which it does not get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from dialer.core.effects import LeaseLeads
from dialer.core.events import LeadsLeased
from dialer.core.types import HoldReason, Lead, NumberCaps
from statuses.lead import LeadState
from statuses.retry import RetryOrder, RetryPolicy
from store.rows import Ban
from tests.store.worlds import (
    HOUR,
    NOW,
    RANG_OUT,
    ReleaseLeads,
    SettleAttempt,
    World,
    begun,
    commit,
    events,
    leased,
    new_lead,
    phone,
    record,
    settings,
    standing,
    take,
)


def ids(leads: Sequence[Lead]) -> list[int]:
    return [lead.lead_id for lead in leads]


async def retry(world: World, lead_id: int, *, next_at: float, last_status: str = "no-answered", **more: Any) -> None:
    state = LeadState.CALLED_NO_SUCCESS.value
    await world.add_lead(new_lead(lead_id, state=state, next_at=next_at, last_status=last_status, **more))


async def test_a_leased_lead_is_not_given_again_until_it_is_released(world: World) -> None:
    fence = await standing(world, 3)
    first = await leased(world, fence, 2)
    assert ids(first) == [1, 2]
    assert ids(await leased(world, fence)) == [3]
    await commit(world, fence, ReleaseLeads((2,)))
    assert ids(await leased(world, fence)) == [2]


async def test_released_leads_can_be_leased_in_the_same_batch(world: World) -> None:
    fence = await standing(world, 1)
    await leased(world, fence)
    (answer,) = await commit(world, fence, LeaseLeads(5), ReleaseLeads((1,)))
    assert ids(list(answer.leads)) == [1]


async def test_a_lead_comes_with_its_history(world: World) -> None:
    fence = await standing(world, 0)
    await retry(world, 7, next_at=NOW - 5, attempts=1, dialed=2, last_hotline="19001000", status_attempts={"busy": 2})
    (lead,) = await leased(world, fence)
    assert (lead.lead_id, lead.customer_id, lead.list_id, lead.phone) == (7, 7, 10, phone(7))
    assert (lead.attempts, lead.dialed, lead.status_attempts) == (1, 2, {"busy": 2})
    assert (lead.due_at, lead.last_hotline, lead.name) == (NOW - 5, "19001000", "Khách 7")
    assert lead.from_state is LeadState.CALLED_NO_SUCCESS


@pytest.mark.parametrize(
    ("order", "expected"),
    [(RetryOrder.NEW_FIRST, [5, 4, 2, 1, 3, 6]), (RetryOrder.DUE_FIRST, [5, 4, 3, 6, 2, 1])],
)
async def test_appointments_go_first_and_abandoned_people_before_other_retries(
    world: World, order: RetryOrder, expected: list[int]
) -> None:
    fence = await standing(world, 0, retry=RetryPolicy(order=order))
    await world.add_lead(new_lead(1))
    await world.add_lead(new_lead(2, priority=1))
    await retry(world, 3, next_at=NOW - 1, last_status="busy-line")
    await world.add_lead(new_lead(4, call_at=NOW))
    await world.add_lead(new_lead(5, state=LeadState.CALLBACK.value, callback_at=NOW, callback_agent="an"))
    await retry(world, 6, next_at=NOW - 100)
    leads = await leased(world, fence)
    assert ids(leads) == expected
    assert leads[0].callback_agent == "an"


async def test_nothing_comes_before_its_time_and_the_answer_says_when(world: World) -> None:
    fence = await standing(world, 0)
    await world.add_lead(new_lead(1, call_at=NOW + 300))
    await world.add_lead(new_lead(2, state=LeadState.CALLBACK.value, callback_at=NOW + 200))
    await retry(world, 3, next_at=NOW + 100)
    (answer,) = await commit(world, fence, LeaseLeads(5))
    assert (answer.leads, answer.next_due_at) == ((), NOW + 100)
    assert ids(await leased(world, fence, now=NOW + 250)) == [2, 3]


async def test_an_empty_campaign_waits_for_nothing(world: World) -> None:
    fence = await standing(world, 0)
    (answer,) = await commit(world, fence, LeaseLeads(5))
    assert (answer.leads, answer.next_due_at) == ((), None)


@pytest.mark.parametrize(
    "values",
    [
        {"state": LeadState.PAUSED.value},
        {"state": LeadState.DNC.value},
        {"state": LeadState.SUCCESS.value},
        {"state": LeadState.RETRY_EXHAUSTED.value, "next_at": NOW - 1},
        {"state": LeadState.IN_PROGRESS.value},
        {"state": LeadState.CALL_ERROR.value, "error_kind": "number", "next_at": NOW - 1},
        {"state": LeadState.CALL_ERROR.value, "error_kind": "hotline"},
        {"state": LeadState.CALLED_NO_SUCCESS.value},
        {"reconcile": True, "error_kind": "reconcile"},
    ],
    ids=str,
)
async def test_leads_that_are_held_or_finished_or_off_are_not_given(world: World, values: dict[str, Any]) -> None:
    fence = await standing(world, 0)
    await world.add_lead(new_lead(1, **values))
    assert await leased(world, fence) == []


async def test_a_hotline_error_is_tried_again_when_due(world: World) -> None:
    fence = await standing(world, 0)
    await world.add_lead(
        new_lead(1, state=LeadState.CALL_ERROR.value, error_kind="hotline", next_at=NOW - 1, attempts=0)
    )
    assert ids(await leased(world, fence)) == [1]


async def test_a_list_that_is_off_gives_nothing(world: World) -> None:
    fence = await standing(world, 2)
    await world.switch_list(10, active=False)
    assert await leased(world, fence) == []
    await world.switch_list(10, active=True)
    assert ids(await leased(world, fence)) == [1, 2]


async def test_several_lists_are_served_in_one_order(world: World) -> None:
    await world.add_campaign(settings(1), lists=[10, 11])
    await world.add_lead(new_lead(1, list_id=10))
    await world.add_lead(new_lead(2, list_id=11, priority=5))
    await world.add_lead(new_lead(3, list_id=11, call_at=NOW + 60))
    fence = await take(world)
    (answer,) = await commit(world, fence, LeaseLeads(5))
    assert ids(list(answer.leads)) == [2, 1]
    assert answer.next_due_at == NOW + 60


@pytest.mark.req("S4-3.11", "S4-3.10")
@pytest.mark.parametrize(("kind", "state"), [("dnc", LeadState.DNC), ("blacklist", LeadState.BLACKLISTED)])
async def test_a_number_found_on_a_list_holds_its_lead(world: World, kind: str, state: LeadState) -> None:
    fence = await standing(world, 2)
    await world.add_ban(Ban(phone(1), kind))
    assert ids(await leased(world, fence)) == [2]
    held = await world.lead(1)
    assert held is not None
    assert (held.state, held.remembered, held.version) == (state, LeadState.NOT_CALLED, 1)
    (told,) = await events(world, "lead.state_changed")
    assert told.event.lead_id == 1


async def test_a_register_for_messages_does_not_stop_calls(world: World) -> None:
    fence = await standing(world, 1)
    await world.add_ban(Ban(phone(1), "dnc", scope="messages"))
    assert ids(await leased(world, fence)) == [1]


async def test_asked_not_to_be_called_holds_in_the_other_campaigns_until_then(world: World) -> None:
    fence = await standing(world, 1)
    await world.add_ban(Ban(phone(1), "no_recall", except_campaign_id=99, until=NOW + HOUR))
    (answer,) = await commit(world, fence, LeaseLeads(5))
    assert (answer.leads, answer.next_due_at) == ((), NOW + HOUR)
    held = await world.lead(1)
    assert held is not None
    assert held.held_reason == HoldReason.SUPPRESSED
    assert ids(await leased(world, fence, now=NOW + HOUR)) == [1]


async def test_its_own_campaign_is_not_bound_by_its_own_no_recall(world: World) -> None:
    fence = await standing(world, 1)
    await world.add_ban(Ban(phone(1), "no_recall", except_campaign_id=1, until=NOW + HOUR))
    assert ids(await leased(world, fence)) == [1]


async def test_one_number_is_leased_once_over_all_campaigns(world: World) -> None:
    fence = await standing(world, 1)
    await world.add_campaign(settings(2), lists=[20])
    await world.add_lead(new_lead(2, campaign_id=2, list_id=20, number=1))
    await world.add_lead(new_lead(3, number=1))
    other = await take(world, 2)
    assert ids(await leased(world, fence)) == [1]
    assert await leased(world, other) == []
    await commit(world, fence, ReleaseLeads((1,)))
    assert ids(await leased(world, other, now=NOW + 30)) == [2]
    assert await leased(world, fence, now=NOW + 30) == []


@pytest.mark.parametrize("strict", [False, True])
async def test_a_number_over_the_daily_cap_waits_until_the_cap_allows(world: World, strict: bool) -> None:
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    await commit(world, fence, SettleAttempt(record(wanted, facts=RANG_OUT, next_at=NOW + HOUR)))
    await world.add_campaign(settings(2, caps=NumberCaps(per_24h=1, strict=strict)), lists=[20])
    await world.add_lead(new_lead(2, campaign_id=2, list_id=20, number=1))
    other = await take(world, 2)
    (answer,) = await commit(world, other, LeaseLeads(1), now=NOW + HOUR)
    assert (answer.leads, answer.next_due_at) == ((), NOW + 24 * HOUR)
    assert ids(await leased(world, other, now=NOW + 24 * HOUR)) == [2]


async def test_a_stale_fence_leases_nothing(world: World) -> None:
    old = await standing(world, 1)
    await take(world, owner="b", now=NOW + 31)
    (answer,) = await commit(world, old, LeaseLeads(1))
    assert answer.leads == ()


async def test_refused_leads_do_not_hide_the_others(world: World) -> None:
    fence = await standing(world, 28)
    for number in range(1, 26):  # more than are looked at in one go
        await world.add_ban(Ban(phone(number), "no_recall"))
    assert ids(await leased(world, fence, 3)) == [26, 27, 28]


@pytest.mark.req("S4-18", "S4-19")
async def test_people_withdraw_leased_leads(world: World) -> None:
    fence = await standing(world, 4)
    await leased(world, fence)
    assert await world.store.withdrawn(1, [1, 2, 3, 4]) == []
    await world.change_lead(1, state=LeadState.PAUSED.value, remembered=LeadState.NOT_CALLED.value)
    await world.change_lead(2, lease_owner=None, lease_epoch=None)
    await world.add_ban(Ban(phone(3), "dnc"))
    assert await world.store.withdrawn(1, [1, 2, 3, 4, 99]) == [1, 2, 3, 99]
    await world.switch_list(10, active=False)
    assert await world.store.withdrawn(1, [4]) == [4]


async def test_an_appointed_lead_is_not_withdrawn_because_its_time_has_come(world: World) -> None:
    fence = await standing(world, 0)
    await world.add_lead(new_lead(1, call_at=NOW))
    assert ids(await leased(world, fence)) == [1]
    assert await world.store.withdrawn(1, [1]) == []


async def test_preferred_lists_come_first_within_a_class_and_never_before_a_better_class(world: World) -> None:
    await world.add_campaign(settings(1), lists=[10, 11, 12])
    await world.add_lead(new_lead(1, list_id=10))
    await world.add_lead(new_lead(2, list_id=11))
    await world.add_lead(new_lead(3, list_id=12))
    await world.add_lead(new_lead(4, list_id=10, state=LeadState.CALLBACK.value, callback_at=NOW - 5))
    fence = await take(world)
    (answer,) = await commit(world, fence, LeaseLeads(10, prefer=(12, 99, 11)))
    assert isinstance(answer, LeadsLeased)
    assert ids(answer.leads) == [4, 3, 2, 1]
