"""One owner a campaign, fenced by an epoch."""

from __future__ import annotations

import pytest

from dialer.core.campaign import CampaignState
from dialer.errors import Fenced, NotFound
from tests.store.worlds import NOW, World, begun, leased, new_lead, settings, standing, take


async def test_a_campaign_has_one_owner_until_the_lease_expires(world: World) -> None:
    first = await standing(world)
    assert (first.epoch, first.expires_at) == (1, NOW + 30)
    assert await world.store.acquire(1, owner="b", now=NOW + 29, ttl_s=30) is None
    second = await world.store.acquire(1, owner="b", now=NOW + 30, ttl_s=30)
    assert second is not None
    assert second.epoch == 2


async def test_renewing_prolongs(world: World) -> None:
    fence = await standing(world)
    longer = await world.store.renew(fence, now=NOW + 20, ttl_s=30)
    assert (longer.epoch, longer.expires_at) == (fence.epoch, NOW + 50)
    assert await world.store.acquire(1, owner="b", now=NOW + 49, ttl_s=30) is None


async def test_the_old_owner_learns_that_it_is_fenced(world: World) -> None:
    old = await standing(world)
    await take(world, owner="b", now=NOW + 31)
    with pytest.raises(Fenced, match="campaign 1"):
        await world.store.renew(old, now=NOW + 32, ttl_s=30)


async def test_a_takeover_frees_leases_but_not_begun_attempts(world: World) -> None:
    old = await standing(world, 2)
    wanted = await begun(world, old)
    await leased(world, old)
    new = await take(world, owner="b", now=NOW + 31)
    assert [lead.lead_id for lead in await leased(world, new, now=NOW + 31)] == [2]
    assert [found.intent for found in await world.store.open_attempts(1)] == [wanted]


async def test_resigning_gives_campaign_and_leases_back(world: World) -> None:
    fence = await standing(world)
    await leased(world, fence)
    await world.store.resign(fence)
    again = await take(world, owner="b")
    assert again.epoch == 2
    assert len(await leased(world, again)) == 1


async def test_resigning_twice_or_too_late_does_nothing(world: World) -> None:
    old = await standing(world)
    new = await take(world, owner="b", now=NOW + 31)
    await leased(world, new, now=NOW + 31)
    await world.store.resign(old)
    assert await leased(world, new, now=NOW + 31) == []
    assert (await world.store.renew(new, now=NOW + 40, ttl_s=30)).epoch == new.epoch


async def test_an_unknown_campaign_is_not_found(world: World) -> None:
    with pytest.raises(NotFound, match="77"):
        await world.store.acquire(77, owner="a", now=NOW, ttl_s=30)


async def test_campaigns_that_are_not_ended_are_listed(world: World) -> None:
    await world.add_campaign(settings(1, ring_timeout_s=25.0), lists=[10])
    await world.add_campaign(settings(2))
    _, second = await world.store.campaigns()
    assert await world.store.set_state(second, CampaignState.PAUSED, resumes_by_schedule=True, now=NOW)
    first, second = await world.store.campaigns()
    assert (first.settings, first.state) == (settings(1, ring_timeout_s=25.0), CampaignState.RUNNING)
    assert (second.state, second.resumes_by_schedule, second.state_since) == (CampaignState.PAUSED, True, NOW)
    assert await world.store.set_state(first, CampaignState.ENDED, resumes_by_schedule=False, now=NOW)
    assert [row.settings.campaign_id for row in await world.store.campaigns()] == [2]


async def test_the_schedule_does_not_undo_what_a_person_did_meanwhile(world: World) -> None:
    await world.add_campaign(settings(1))
    (seen,) = await world.store.campaigns()
    assert await world.store.set_state(seen, CampaignState.PAUSED, resumes_by_schedule=False, now=NOW)
    assert not await world.store.set_state(seen, CampaignState.RUNNING, resumes_by_schedule=True, now=NOW + 1)
    (row,) = await world.store.campaigns()
    assert (row.state, row.resumes_by_schedule) == (CampaignState.PAUSED, False)


async def test_only_the_owner_publishes_figures(world: World) -> None:
    old = await standing(world)
    await world.store.publish(old, b'{"a":1}', now=NOW)
    await take(world, owner="b", now=NOW + 31)
    await world.store.publish(old, b'{"a":2}', now=NOW + 32)
    assert await world.runtime(1) == (b'{"a":1}', NOW)


async def test_a_takeover_leaves_the_leases_of_other_campaigns(world: World) -> None:
    await standing(world, 1)
    await world.add_campaign(settings(2), lists=[20])
    await world.add_leads([new_lead(2, campaign_id=2, list_id=20)])
    other = await take(world, 2)
    await leased(world, other)
    await take(world, owner="b", now=NOW + 31)
    assert await world.store.withdrawn(2, [2]) == []
