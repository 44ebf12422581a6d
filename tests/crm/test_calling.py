"""What people ask of desks, and what they are told of it."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.calling import Stage, ask, campaign_name, dialable_campaigns, read_call, read_request
from crm.campaigns import act
from dialer.core.campaign import CampaignAction
from dialer.core.effects import AnswerRequest, BeginAttempts, RecordProgress, SeekLead, SettleAttempt
from dialer.core.events import DialRequested, LeadFound
from dialer.core.types import CampaignKind, Fence
from dialer.errors import BadInput, IllegalAction, NotFound
from dialer.ports import Owned
from dialer.requests import Wanted
from statuses.lead import Trigger
from store.lead_store import SqlLeadStore
from tests.crm.worlds import NOW, campaign
from tests.store.worlds import intent, talk

DIAL = Wanted("dial", " an ", phone="0900 000 044")


@pytest.fixture
async def engine(sqlite: AsyncEngine) -> AsyncEngine:
    return sqlite


async def running(engine: AsyncEngine, kind: CampaignKind = CampaignKind.MANUAL) -> tuple[SqlLeadStore, Fence]:
    number = await campaign(engine, kind=kind)
    for action in (CampaignAction.APPROVE, CampaignAction.START):
        await act(engine, "Tết", action, now=NOW)
    store = SqlLeadStore(engine)
    fence = await store.acquire(number, owner="a", now=NOW, ttl_s=30.0)
    assert fence is not None
    return store, fence


@pytest.mark.req("S2-13")
async def test_a_number_that_is_dialed_reaches_the_engine_and_the_call_can_be_followed(engine: AsyncEngine) -> None:
    store, fence = await running(engine)
    asked = await ask(engine, "Tết", DIAL, author="admin", now=NOW)
    assert (await read_request(engine, asked, now=NOW)).state == "asked"
    ((_, fact),) = await store.requests([fence], now=NOW, fresh_s=10.0)
    assert isinstance(fact.event, DialRequested)
    assert (fact.event.agent_id, fact.event.lead.phone) == ("an", "+84900000044")
    ((_, found),) = await store.commit([Owned(fence, SeekLead("an", 0, "+84900000044"))], now=NOW)
    assert isinstance(found, LeadFound)
    assert found.lead is not None
    wanted = intent(found.lead)
    effects = (BeginAttempts((wanted,)), AnswerRequest(asked, None, wanted.call_id, found.lead.lead_id))
    await store.commit([Owned(fence, effect) for effect in effects], now=NOW)
    told = await read_request(engine, asked, now=NOW)
    assert (told.state, told.code, told.lead_id) == ("done", None, found.lead.lead_id)
    assert told.call is not None
    stages = [told.call.stage]
    for effect in (
        RecordProgress(wanted.call_id, NOW + 5), RecordProgress(wanted.call_id, NOW + 6, "an"),
        SettleAttempt(talk(wanted)),
    ):  # fmt: skip
        await store.commit([Owned(fence, effect)], now=NOW + 9)
        call = await read_call(engine, wanted.call_id)
        assert call is not None
        stages.append(call.stage)
    assert stages == [Stage.CALLING, Stage.ANSWERED, Stage.TALKING, Stage.ENDED]


async def test_a_request_that_nobody_takes_in_time_is_refused(engine: AsyncEngine) -> None:
    await running(engine)
    asked = await ask(engine, "Tết", DIAL, author="", now=NOW)
    late = await read_request(engine, asked, now=NOW + 11)
    assert (late.state, late.code) == ("refused", "too_late")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted("dial", "", phone="0900000044"), "agent: name the agent"),
        (Wanted("dial", "an"), "number: say whom to call"),
        (Wanted("dial", "an", phone="12"), "number: this is no number that can be called"),
        (Wanted("transfer", "an", phone="hai"), "number: this is no number"),
        (Wanted("dial", "an", lead_id=10**30), "lead_id: no lead"),
        (Wanted("wrap_up", "an", trigger=Trigger.ADDED), "trigger: a talk comes to answered"),
        (Wanted("wrap_up", "an", callback_at=1e300), "callback_at: "),
    ],
)
async def test_what_cannot_be_meant_is_refused_at_once(engine: AsyncEngine, wanted: Wanted, words: str) -> None:
    await running(engine)
    with pytest.raises(BadInput, match=words):
        await ask(engine, "Tết", wanted, author="", now=NOW)


async def test_agents_dial_where_they_choose_and_where_somebody_runs_the_campaign(engine: AsyncEngine) -> None:
    _, fence = await running(engine, CampaignKind.PREVIEW)
    with pytest.raises(NotFound, match="no campaign"):
        await ask(engine, "Tét", DIAL, author="", now=NOW)
    with pytest.raises(IllegalAction, match="no dialing service runs it"):
        await ask(engine, "Tết", DIAL, author="", now=NOW + 60)
    await act(engine, "Tết", CampaignAction.STOP, now=NOW)
    with pytest.raises(IllegalAction, match="start it first"):
        await ask(engine, "Tết", DIAL, author="", now=NOW)
    await ask(engine, "Tết", Wanted("hang_up", "an"), author="", now=NOW)
    assert [one.name for one in await dialable_campaigns(engine, now=NOW)] == ["Tết"]
    assert await campaign_name(engine, fence.campaign_id) == "Tết"


async def test_a_paced_campaign_is_not_dialed_by_hand(engine: AsyncEngine) -> None:
    await running(engine, CampaignKind.PREDICTIVE)
    with pytest.raises(IllegalAction, match="kind manual or preview"):
        await ask(engine, "Tết", DIAL, author="", now=NOW)
    assert await dialable_campaigns(engine, now=NOW) == []


async def test_an_unknown_request_is_not_found(engine: AsyncEngine) -> None:
    with pytest.raises(NotFound, match="no request 7"):
        await read_request(engine, 7, now=NOW)
