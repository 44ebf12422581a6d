"""Lists switched on and off."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.campaigns import why
from crm.lists import set_list_active
from dialer.core.types import HoldReason
from dialer.errors import NotFound
from tests.crm.worlds import NOW, campaign, campaign_row, people


@pytest.mark.req("S0-5")
async def test_the_leads_of_a_list_that_is_off_wait_until_it_is_on(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    await people(engine, tmp_path, 2)
    before = (await campaign_row(engine)).revision
    assert await set_list_active(engine, "Tết", "leads", active=False)
    assert (await campaign_row(engine)).revision == before + 1
    assert (await why(engine, "Tết", now=NOW)).counts == {HoldReason.LIST_OFF: 2}
    assert not await set_list_active(engine, "Tết", "leads", active=False)
    assert (await campaign_row(engine)).revision == before + 1, "nothing has changed"
    assert await set_list_active(engine, "Tết", " leads", active=True)
    assert (await why(engine, "Tết", now=NOW)).counts == {None: 2}


async def test_only_the_campaigns_own_list_is_switched(sqlite: AsyncEngine, tmp_path: Path) -> None:
    for name in ("Tết", "Hè"):
        await campaign(sqlite, name)
        await people(sqlite, tmp_path, 1, name)
    await set_list_active(sqlite, "Hè", "leads", active=False)
    assert (await why(sqlite, "Tết", now=NOW)).counts == {None: 1}


async def test_unknown_names_get_near_ones(sqlite: AsyncEngine, tmp_path: Path) -> None:
    await campaign(sqlite)
    await people(sqlite, tmp_path, 1)
    with pytest.raises(NotFound, match=r"'Tết' has no list 'leats'. Did you mean 'leads'\?"):
        await set_list_active(sqlite, "Tết", "leats", active=False)
    with pytest.raises(NotFound, match="Did you mean 'Tết'"):
        await set_list_active(sqlite, "Tet", "leads", active=False)
