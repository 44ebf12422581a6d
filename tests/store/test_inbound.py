"""Calls of customers: matched to a lead, written down once, never held against anybody, and called back when missed."""

from __future__ import annotations

from typing import Any

from cdr.events import LeadMoved
from dialer.core.effects import BeginInbound, SettleAttempt, SettleLead
from dialer.core.events import InboundBegun
from dialer.core.types import AttemptRecord, Direction, Fence, LeadResult, NumberCaps
from statuses.classify import AttemptFacts, classify
from statuses.lead import Trigger
from statuses.outcomes import EndedBy
from store.rows import Ban
from tests.store.worlds import (
    HOUR,
    NOW,
    World,
    begin,
    begun,
    commit,
    events,
    intent,
    leased,
    new_lead,
    phone,
    settings,
    standing,
)

HOTLINE = "19001000"


async def arrive(world: World, fence: Fence, call_id: str, number: str, at: float = NOW) -> InboundBegun:
    (answer,) = await commit(world, fence, BeginInbound(call_id, number, HOTLINE, "sim", at), now=at)
    assert isinstance(answer, InboundBegun)
    return answer


def taken(begun: InboundBegun, at: float, *, agent: str | None, **more: Any) -> AttemptRecord:
    of = begun.intent
    assert of is not None
    facts = AttemptFacts(answered=True, agent_bridged=agent is not None, ended_by=EndedBy.REMOTE, inbound=True)
    return AttemptRecord(
        of.call_id, of.lead_id, of.customer_id, of.list_id, of.phone, of.hotline, of.trunk, of.attempt_no, of.begun_at,
        at, facts, classify(facts), answered_at=of.begun_at + 1, agent_id=agent, direction=Direction.INBOUND,
        bridged_at=None if agent is None else at - 5,
        **({"lead_trigger": Trigger.MISSED_CALL if agent is None else None} | more),
    )  # fmt: skip


async def miss(world: World, fence: Fence, call_id: str, number: str, at: float = NOW) -> InboundBegun:
    answer = await arrive(world, fence, call_id, number, at)
    await commit(world, fence, SettleAttempt(taken(answer, at + 30, agent=None)), now=at + 30)
    return answer


async def state_of(world: World, lead_id: int) -> str:
    lead = await world.lead(lead_id)
    assert lead is not None
    return lead.state


async def test_a_call_is_matched_to_the_lead_of_its_campaign_and_takes_nothing_from_it(world: World) -> None:
    fence = await standing(world, 2)
    answer = await arrive(world, fence, "in1", phone(2))
    assert answer.intent is not None
    assert answer.lead is not None
    assert (answer.lead.lead_id, answer.lead.name, answer.intent.direction) == (2, "Khách 2", "inbound")
    row, lead = await world.attempt("in1"), await world.lead(2)
    assert (row.attempt_no, row.direction, row.settled) == (-1, "inbound", False)
    assert lead is not None
    assert (lead.state, lead.attempts, lead.dialed, lead.called_in) == ("not_called", 0, 0, 1)
    assert [event.event.type for event in await events(world)] == ["call.initiated"]


async def test_the_same_arrival_twice_is_one_call(world: World) -> None:
    fence = await standing(world, 1)
    first = await arrive(world, fence, "in1", phone(1))
    assert await arrive(world, fence, "in1", phone(1)) == first
    lead = await world.lead(1)
    assert lead is not None
    assert lead.called_in == 1


async def test_a_stranger_becomes_a_customer_and_a_lead_of_the_list_inbound_once(world: World) -> None:
    fence = await standing(world, 0)
    first = await miss(world, fence, "in1", phone(777))
    again = await arrive(world, fence, "in2", phone(777), NOW + 100)
    assert first.lead is not None
    assert again.lead is not None
    assert first.lead.lead_id == again.lead.lead_id
    lead = await world.lead(first.lead.lead_id)
    assert lead is not None
    assert (lead.state, lead.phone, lead.called_in, lead.list_id == 10) == ("callback", phone(777), 2, False)
    assert [one.data.rule for one in await events(world) if isinstance(one.data, LeadMoved)] == ["T1", "T27"]


async def test_two_strangers_in_one_batch_are_two_and_one_who_calls_twice_is_one(world: World) -> None:
    fence = await standing(world, 0)
    numbers = (phone(801), phone(802), phone(801))
    effects = [BeginInbound(f"in{n}", number, HOTLINE, "sim", NOW) for n, number in enumerate(numbers)]
    answers = await commit(world, fence, *effects)
    ids = [answer.lead.lead_id for answer in answers]
    assert ids[0] == ids[2] != ids[1]


async def test_a_lead_of_another_campaign_is_the_same_customer_on_the_list_of_this_one(world: World) -> None:
    fence = await standing(world, 0)
    await world.add_campaign(settings(2), lists=[20])
    await world.add_lead(new_lead(50, campaign_id=2, list_id=20, number=500_050))
    answer = await arrive(world, fence, "in1", phone(500_050))
    assert answer.lead is not None
    assert (answer.lead.customer_id, answer.lead.lead_id != 50) == (50, True)


async def test_who_withholds_the_number_is_written_down_and_never_dialed_or_called_back(world: World) -> None:
    fence = await standing(world, 0)
    answer = await miss(world, fence, "in1", "")
    assert answer.lead is not None
    assert await state_of(world, answer.lead.lead_id) == "paused"
    assert await world.callbacks() == []
    assert await leased(world, fence, now=NOW + HOUR) == []
    second = await arrive(world, fence, "in2", "", NOW + 1)
    assert second.lead is not None
    assert second.lead.lead_id == answer.lead.lead_id


async def test_a_stranger_who_is_listed_is_held(world: World) -> None:
    fence = await standing(world, 0)
    await world.add_ban(Ban(phone(901), "dnc"))
    answer = await miss(world, fence, "in1", phone(901))
    assert answer.lead is not None
    assert await state_of(world, answer.lead.lead_id) == "dnc"
    assert [(task.phone, task.reason) for task in await world.callbacks()] == [(phone(901), "missed_call")]


async def test_nothing_is_written_under_a_stale_fence(world: World) -> None:
    fence = await standing(world, 1)
    await world.store.resign(fence)
    answer = await arrive(world, fence, "in1", phone(1))
    assert (answer.intent, answer.lead) == (None, None)


async def test_a_missed_call_is_called_back_by_the_dialer_at_once(world: World) -> None:
    fence = await standing(world, 1, caps=NumberCaps(per_24h=1))
    await miss(world, fence, "in1", phone(1))
    lead = await world.lead(1)
    assert lead is not None
    assert (lead.state, lead.callback_at, lead.attempts, lead.last_status) == ("callback", NOW + 30, 0, None)
    (given,) = await leased(world, fence, now=NOW + 31)
    assert given.lead_id == 1
    wanted = intent(given, at=NOW + 31)
    assert (await begin(world, fence, wanted, now=NOW + 31)).begun == (wanted.call_id,)


async def test_a_lead_that_is_not_dialed_by_itself_stays_and_people_call_back(world: World) -> None:
    fence = await standing(world, 0)
    for number, state in enumerate(("success", "paused", "do_not_recall", "dnc"), 1):
        remembered = "not_called" if state in ("paused", "dnc") else None
        await world.add_lead(new_lead(number, state=state, remembered=remembered))
        await miss(world, fence, f"in{number}", phone(number))
        assert await state_of(world, number) == state
    assert [(task.lead_id, task.due_at) for task in await world.callbacks()] == [(n, NOW + 30) for n in range(1, 5)]


async def test_nobody_dials_a_customer_who_is_calling_us(world: World) -> None:
    fence = await standing(world, 1)
    (given,) = await leased(world, fence)
    await arrive(world, fence, "in1", phone(1))
    answer = await begin(world, fence, intent(given))
    assert [refusal.reason for refusal in answer.refused] == ["number_in_flight"]


async def test_a_customer_whom_we_call_at_this_moment_can_call_us_and_our_call_decides_the_lead(world: World) -> None:
    fence = await standing(world, 1)
    ours = await begun(world, fence)
    answer = await miss(world, fence, "in1", phone(1))
    assert answer.lead is not None
    assert answer.lead.lead_id == ours.lead_id
    assert await state_of(world, 1) == "in_progress"
    assert len(await world.callbacks()) == 1


async def test_the_agents_word_after_a_call_of_theirs_decides_the_lead(world: World) -> None:
    fence = await standing(world, 3)
    words = (Trigger.ANSWERED, Trigger.CALLBACK_ASKED, Trigger.DO_NOT_RECALL)
    for lead_id, word in enumerate(words, 1):
        answer = await arrive(world, fence, f"in{lead_id}", phone(lead_id))
        await commit(world, fence, SettleAttempt(taken(answer, NOW + 60, agent="an")), now=NOW + 60)
        assert await state_of(world, lead_id) == "not_called"
        result = LeadResult(f"in{lead_id}", lead_id, word, "an", 5.0, callback_at=NOW + 2 * HOUR)
        await commit(world, fence, SettleLead(result), now=NOW + 65)
    assert [await state_of(world, n) for n in (1, 2, 3)] == ["success", "callback", "do_not_recall"]
    lead = await world.lead(2)
    assert lead is not None
    assert (lead.callback_at, lead.callback_agent, lead.agent_name) == (NOW + 2 * HOUR, "an", "an")
    assert await world.callbacks() == []
    assert await world.store.legal_counts(1, since=0.0) == (0, 0)


async def test_what_is_agreed_during_a_call_of_ours_is_a_task_for_people(world: World) -> None:
    fence = await standing(world, 1)
    await begun(world, fence)
    answer = await arrive(world, fence, "in1", phone(1))
    await commit(world, fence, SettleAttempt(taken(answer, NOW + 60, agent="an")), now=NOW + 60)
    result = LeadResult("in1", 1, Trigger.CALLBACK_ASKED, "an", 5.0, callback_at=NOW + HOUR)
    await commit(world, fence, SettleLead(result), now=NOW + 65)
    (task,) = await world.callbacks()
    assert (task.reason, task.agent, task.due_at) == ("asked", "an", NOW + HOUR)


async def test_a_talk_with_the_customer_closes_their_callbacks_and_missed_calls_count_in_one(world: World) -> None:
    fence = await standing(world, 0)
    await world.add_lead(new_lead(1, state="success"))
    await miss(world, fence, "in1", phone(1))
    await miss(world, fence, "in2", phone(1), NOW + 60)
    assert [task.due_at for task in await world.callbacks()] == [NOW + 90]
    answer = await arrive(world, fence, "in3", phone(1), NOW + 120)
    await commit(world, fence, SettleAttempt(taken(answer, NOW + 180, agent="an")), now=NOW + 180)
    assert await world.callbacks() == []


async def test_a_call_that_a_crash_cut_is_found_with_its_direction(world: World) -> None:
    fence = await standing(world, 1)
    await arrive(world, fence, "in1", phone(1))
    (orphan,) = await world.store.open_attempts(1)
    assert (orphan.intent.direction, orphan.intent.attempt_no) == (Direction.INBOUND, 0)
