"""Every lead that is not dialed has one reason, whoever asks."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.core.types import HoldReason, NumberCaps
from dialer.errors import NotFound
from statuses.lead import LeadState
from store.load import ATTEMPTS, BANS, CAMPAIGNS, CUSTOMERS, LEADS, LISTS
from store.open import open_database
from store.rows import Ban
from store.why import lead_hold, lead_holds
from tests.store import worlds
from tests.store.test_rules import LEAD_VALUES
from tests.store.worlds import HOUR, NOW, RANG_OUT, SettleAttempt, SqlWorld, new_lead, phone, record, standing


async def test_the_reasons_of_a_campaign(engine: AsyncEngine) -> None:
    world = SqlWorld(engine)
    fence = await standing(world, 3, caps=NumberCaps(per_24h=1))
    wanted = await worlds.begun(world, fence)  # lead 1
    await worlds.commit(world, fence, SettleAttempt(record(wanted, facts=RANG_OUT, next_at=NOW + HOUR)))
    await worlds.begun(world, fence)  # lead 2 is in a call
    await worlds.leased(world, fence)  # lead 3 is in the hopper
    await world.add_leads(
        [
            new_lead(4, number=1),
            new_lead(5, number=2),
            new_lead(6, state=LeadState.PAUSED.value),
            new_lead(7, call_at=NOW + 60),
            new_lead(8),
            new_lead(9),
            new_lead(10, state=LeadState.SUCCESS.value),
        ]
    )
    await world.add_ban(Ban(phone(8), "dnc"))
    assert await lead_holds(engine, 1, NOW + 30) == {
        HoldReason.RETRY_NOT_DUE: 1,
        HoldReason.IN_PROGRESS: 1,
        HoldReason.NUMBER_CAP: 1,
        HoldReason.NUMBER_IN_FLIGHT: 1,
        HoldReason.PAUSED_LEAD: 1,
        HoldReason.SCHEDULED: 1,
        HoldReason.DNC: 1,
        HoldReason.FINISHED: 1,
        None: 2,
    }
    assert await lead_hold(engine, 1, NOW + 30) == (HoldReason.RETRY_NOT_DUE, NOW + HOUR)
    assert await lead_hold(engine, 4, NOW + 30) == (HoldReason.NUMBER_CAP, NOW + 24 * HOUR)
    assert await lead_hold(engine, 7, NOW + 30) == (HoldReason.SCHEDULED, NOW + 60)
    assert await lead_hold(engine, 3, NOW + 30) == (None, None)


async def test_a_list_that_is_off_holds_its_leads(engine: AsyncEngine) -> None:
    world = SqlWorld(engine)
    await standing(world, 2)
    await world.switch_list(10, active=False)
    assert await lead_holds(engine, 1, NOW) == {HoldReason.LIST_OFF: 2}


async def test_what_does_not_exist_is_told(engine: AsyncEngine) -> None:
    with pytest.raises(NotFound, match="campaign with the id 9"):
        await lead_holds(engine, 9, NOW)
    with pytest.raises(NotFound, match="lead with the id 9"):
        await lead_hold(engine, 9, NOW)


BANS_OF = st.lists(
    st.builds(
        Ban,
        phone=st.integers(1, 3).map(phone),
        kind=st.sampled_from(["dnc", "blacklist", "no_recall"]),
        scope=st.sampled_from(["all", "messages"]),
        except_campaign_id=st.sampled_from([None, 1]),
        until=st.sampled_from([None, NOW - 1, NOW + 1]),
    ),
    max_size=3,
)


@pytest.mark.component("sqlite")
@given(st.lists(st.tuples(LEAD_VALUES, st.integers(1, 3)), min_size=4, max_size=16), BANS_OF)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_counts_agree_with_each_lead(
    sqlite_url: str, leads: list[tuple[dict[str, Any], int]], bans: list[Ban]
) -> None:
    asyncio.run(_agree(sqlite_url, leads, bans))


async def _agree(url: str, leads: list[tuple[dict[str, Any], int]], bans: list[Ban]) -> None:
    engine = open_database(url)
    world = SqlWorld(engine)
    async with engine.begin() as connection:
        for table in (LEADS, LISTS, CAMPAIGNS, CUSTOMERS, ATTEMPTS, BANS):
            await connection.execute(delete(table))
    await world.add_campaign(worlds.settings(1), lists=[10])
    await world.add_leads([new_lead(place, number=number, **values) for place, (values, number) in enumerate(leads, 1)])
    for ban in bans:
        await world.add_ban(ban)
    counts = await lead_holds(engine, 1, NOW)
    each = Counter([(await lead_hold(engine, place, NOW))[0] for place in range(1, len(leads) + 1)])
    await engine.dispose()
    assert counts == dict(each)
    assert sum(counts.values()) == len(leads)
