"""The people who take calls, in SQL."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.campaigns import create
from dialer.commands.demo_setup import demo_settings
from dialer.errors import IllegalAction, NotFound
from dialer.ports import AgentAccount
from store.agents import SqlAgents

NOW = 1_000.0


async def test_people_are_added_found_changed_and_removed(sqlite: AsyncEngine) -> None:
    agents = SqlAgents(sqlite)
    an = AgentAccount("an", "Nguyễn An", supervisor=True, secret="$7$")
    await agents.add([an, AgentAccount("ba")], now=NOW)
    assert await agents.find("an") == an
    assert [one.agent_id for one in await agents.all()] == ["an", "ba"]
    with pytest.raises(IllegalAction, match="an agent 'ba' already"):
        await agents.add([AgentAccount("new"), AgentAccount("ba")], now=NOW)
    assert await agents.find("new") is None
    await agents.change("ba", active=False)
    assert (await agents.all())[1].active is False
    with pytest.raises(NotFound):
        await agents.change("nobody", active=False)
    await agents.remove(["ba", "nobody"])
    assert [one.agent_id for one in await agents.all()] == ["an"]


async def test_a_campaign_is_found_by_its_name_or_its_id(sqlite: AsyncEngine) -> None:
    campaign_id = await create(sqlite, demo_settings(until_done=False), now=NOW)
    agents = SqlAgents(sqlite)
    name = demo_settings(until_done=False).name
    assert await agents.campaign(name) == campaign_id
    assert await agents.campaign(str(campaign_id)) == campaign_id
    for nobody in ("no such", "99", "9" * 40, "²", ""):
        assert await agents.campaign(nobody) is None
