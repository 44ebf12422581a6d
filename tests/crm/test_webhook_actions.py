from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.webhook_policy import Health
from cdr.webhook_ports import NewDelivery
from crm.campaigns import change_settings
from crm.webhook_actions import WebhookDetail, enable, mark_secret, rotate, show
from dialer.errors import IllegalAction, NotFound
from dialer.ports import OffsetRange
from store.webhooks import SqlWebhookStore
from tests.crm.test_webhooks import URL, WELL
from tests.crm.worlds import NOW, campaign


async def test_show_tells_all(engine: AsyncEngine) -> None:
    campaign_id = await campaign(engine, callback_url=URL)
    store = SqlWebhookStore(engine)
    expected = WebhookDetail(campaign_id, "Tết", URL, NOW, 1, None, None, WELL, 0, None)
    assert await show(engine, "Tết") == expected
    await store.enqueue(
        0, OffsetRange(0, 1, 2), [NewDelivery(campaign_id, f"e-{n}", b"{}") for n in (1, 2)], now=NOW + 3
    )
    await mark_secret(engine, expected, "mark")
    found = await show(engine, "Tết")
    assert (found.queued, found.oldest_at, found.fingerprint, found.state.waiting) == (2, NOW + 3, "mark", True)


async def test_rotating_begins_with_the_next_secret(engine: AsyncEngine) -> None:
    await campaign(engine, callback_url=URL)
    await mark_secret(engine, await show(engine, "Tết"), "mark")
    found = await rotate(engine, "Tết", old_until=NOW + 60)
    assert (found.generation, found.fingerprint, found.old_until) == (2, None, NOW + 60)
    assert await show(engine, "Tết") == found


async def test_enabling_goes_on_with_what_waits_or_from_now(engine: AsyncEngine) -> None:
    campaign_id = await campaign(engine, callback_url=URL)
    store = SqlWebhookStore(engine)
    await store.enqueue(0, OffsetRange(0, 1, 1), [NewDelivery(campaign_id, "e-1", b"{}")], now=NOW)
    ill = Health(failures=9, failing_since=NOW, next_at=NOW + 9, error="500", disabled_at=NOW, disabled_reason="500")
    (endpoint,) = await store.endpoints()
    await store.settle(endpoint, [], ill, now=NOW)
    assert await enable(engine, "Tết") == 0
    found = await show(engine, "Tết")
    assert (found.state.disabled_at, found.state.failures, found.queued, found.since) == (None, 0, 1, NOW)
    assert await enable(engine, "Tết", from_now=NOW + 70) == 1
    found = await show(engine, "Tết")
    assert (found.queued, found.since, found.state.dropped) == (0, NOW + 70, 1)


async def test_what_has_no_address_says_how_to_give_it_one(sqlite: AsyncEngine) -> None:
    await campaign(sqlite)
    for work in (show(sqlite, "Tết"), rotate(sqlite, "Tết", old_until=NOW), enable(sqlite, "Tết")):
        with pytest.raises(IllegalAction, match="dialer campaign set 'Tết' callback_url=https://"):
            await work
    with pytest.raises(NotFound, match="Did you mean 'Tết'"):
        await show(sqlite, "Tet")
    await change_settings(sqlite, "Tết", {"callback_url": URL}, now=NOW)
    await change_settings(sqlite, "Tết", {"callback_url": ""}, now=NOW)
    assert (await show(sqlite, "Tết")).url is None
    with pytest.raises(IllegalAction, match="posts its call records nowhere"):
        await enable(sqlite, "Tết")
