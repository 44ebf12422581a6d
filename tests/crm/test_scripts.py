"""Scripts by hand: versions, mistakes, who follows them."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm import scripts
from crm.campaigns import act, change_settings, create
from crm.scripts import RefusedScript
from dialer.core.campaign import CampaignAction
from dialer.core.types import CampaignKind, CampaignSettings
from dialer.errors import BadInput, NotFound
from tests.dialer.core.scripts import MENU

NOW = 1_800_000_000.0
SETTINGS = CampaignSettings(
    0, "Nhắc hẹn", kind=CampaignKind.AUTODIALER, pacer="agentless", script="menu", hotlines=("+842471000001",)
)


async def test_each_save_is_a_version_and_earlier_ones_can_be_read(sqlite: AsyncEngine) -> None:
    assert await scripts.save(sqlite, "menu", MENU, now=NOW) == 1
    changed = MENU.replace("timeout_s = 4", "timeout_s = 6")
    assert await scripts.save(sqlite, " menu ", changed, now=NOW + 1, based_on=1) == 2
    assert (await scripts.read(sqlite, "menu")).text == changed
    assert (await scripts.read(sqlite, "menu", 1)).text == MENU
    with pytest.raises(BadInput, match="somebody has saved version 2 of 'menu' meanwhile"):
        await scripts.save(sqlite, "menu", MENU, now=NOW + 2, based_on=1)
    assert [(one.name, one.version, one.saved_at) for one in await scripts.listed(sqlite)] == [("menu", 2, NOW + 1)]


async def test_a_mistake_is_refused_in_both_languages_and_nothing_is_saved(sqlite: AsyncEngine) -> None:
    with pytest.raises(RefusedScript, match=r"node 'menu', key 'keys.2': there is no node 'main'") as caught:
        await scripts.save(sqlite, "menu", MENU.replace('2 = "menu"', '2 = "main"'), now=NOW)
    assert caught.value.vi == "nút 'menu', khoá 'keys.2': không có nút 'main'"
    with pytest.raises(BadInput, match="name: 'a/b' is not one of 1 to 64"):
        await scripts.save(sqlite, "a/b", MENU, now=NOW)
    assert await scripts.listed(sqlite) == []


@pytest.mark.req("S0-6.6")
async def test_a_campaign_needs_its_script_when_it_is_named_and_when_it_starts(sqlite: AsyncEngine) -> None:
    with pytest.raises(BadInput, match=r"script: there is no script 'menu'\. There is none yet"):
        await create(sqlite, SETTINGS, now=NOW)
    await scripts.save(sqlite, "menu", MENU, now=NOW)
    await create(sqlite, SETTINGS, now=NOW)
    with pytest.raises(BadInput, match=r"there is no script 'mneu'\. Did you mean 'menu'"):
        await change_settings(sqlite, "Nhắc hẹn", {"script": "mneu"}, now=NOW)
    deleted = await scripts.delete(sqlite, "menu", now=NOW + 1)
    assert deleted.campaigns == ("Nhắc hẹn",)
    assert await scripts.listed(sqlite) == []
    with pytest.raises(NotFound, match=r"there is no script 'menu'"):
        await scripts.delete(sqlite, "menu", now=NOW + 2)
    with pytest.raises(NotFound, match="no version 2"):
        await scripts.read(sqlite, "menu", 2)
    with pytest.raises(BadInput, match=r"there is no script 'menu'"):
        await act(sqlite, "Nhắc hẹn", CampaignAction.APPROVE, now=NOW)
    assert await scripts.save(sqlite, "menu", MENU, now=NOW + 3) == 3
