"""Scripts reach the engine with their campaign, and what their texts name of a customer with the lead."""

from __future__ import annotations

import msgspec
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.core.effects import BeginInbound, ReleaseLeads, SeekLead
from dialer.core.script import ScriptText
from dialer.core.types import CampaignKind, CampaignSettings
from store.models import Customer, StoredScript
from tests.store.worlds import NOW, SqlWorld, World, commit, leased, new_lead, phone, take

SETTINGS = CampaignSettings(
    7, "menu", kind=CampaignKind.AUTODIALER, pacer="agentless", script="menu", hotlines=("+842471000001",)
)


async def test_a_campaign_whose_script_is_not_there_says_so(world: World) -> None:
    await world.add_campaign(SETTINGS)
    (row,) = await world.store.campaigns()
    assert row.script == ScriptText("menu", 0, None)


async def test_the_newest_version_is_in_force_also_when_it_is_a_deletion(sqlite: AsyncEngine) -> None:
    world = SqlWorld(sqlite)
    await world.add_campaign(SETTINGS)
    seen = []
    for version, text in ((1, "one"), (2, "two"), (3, None)):
        async with sqlite.begin() as db:
            await db.execute(insert(StoredScript).values(name="menu", version=version, text=text, created_at=NOW))
        (row,) = await world.store.campaigns()
        seen.append(row.script)
    assert seen == [ScriptText("menu", 1, "one"), ScriptText("menu", 2, "two"), ScriptText("menu", 3, None)]


async def test_leads_carry_their_customers_fields_where_texts_may_name_them(sqlite: AsyncEngine) -> None:
    world = SqlWorld(sqlite)
    await world.add_campaign(SETTINGS, lists=(1,))
    plain = msgspec.structs.replace(SETTINGS, campaign_id=8, name="plain", script=None, prompt="reminder")
    await world.add_campaign(plain, lists=(2,))
    await world.add_leads([new_lead(1, campaign_id=7, list_id=1), new_lead(2, campaign_id=8, list_id=2)])
    async with sqlite.begin() as db:
        await db.execute(
            update(Customer)
            .where(Customer.id == new_lead(1).customer_id)
            .values(company="Sao Mai", extra={"Nợ": 12, "Ghi chú": None})
        )
    for campaign_id, known in ((7, {"company": "Sao Mai", "Nợ": "12", "Ghi chú": "", "district": ""}), (8, {})):
        fence, lead_id = await take(world, campaign_id), campaign_id - 6
        (by_hand,) = await commit(world, fence, SeekLead("an", lead_id, ""))
        await commit(world, fence, ReleaseLeads((lead_id,)))
        (lead,) = await leased(world, fence)
        arrived = BeginInbound(f"c{lead_id}", phone(lead_id), "1900", "sim", NOW)
        (calls_us,) = await commit(world, fence, arrived)
        for fields in (lead.fields, by_hand.lead.fields, calls_us.lead.fields):
            assert {name: value for name, value in fields.items() if name in known} == known
            assert bool(fields) == bool(known)
