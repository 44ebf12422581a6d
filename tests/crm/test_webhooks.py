from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.webhook_policy import Health
from crm.campaigns import change_settings, create, read_status
from crm.webhooks import WebhookState
from dialer.errors import BadInput
from store.webhooks import SqlWebhookStore
from tests.crm.worlds import NOW, SETTINGS, campaign

URL = "https://crm.example.com/calls"
WELL = WebhookState(
    waiting=False, failures=0, failing_since=None, next_at=0.0, error="", disabled_at=None, disabled_reason="",
    delivered=0, delivered_at=None, dropped=0,
)  # fmt: skip


async def test_a_campaign_without_an_address_has_no_receiver(engine: AsyncEngine) -> None:
    await campaign(engine)
    (status,) = await read_status(engine, now=NOW)
    assert (status.webhook, status.settings.callback_url) == (None, None)


async def test_a_receiver_begins_with_its_address(engine: AsyncEngine) -> None:
    await campaign(engine)
    await campaign(engine, "Hè", callback_url=URL)
    await change_settings(engine, "Tết", {"callback_url": URL}, now=NOW + 5)
    first, second = await read_status(engine, now=NOW)
    assert first.webhook == second.webhook == WELL
    assert first.settings.callback_url == URL
    assert [one.since for one in await SqlWebhookStore(engine).endpoints()] == [NOW + 5, NOW]


async def test_another_address_starts_well_and_the_same_or_none_changes_nothing(engine: AsyncEngine) -> None:
    await campaign(engine, callback_url=URL)
    store = SqlWebhookStore(engine)
    ill = Health(failures=2, failing_since=NOW, next_at=NOW + 9, error="500", disabled_at=NOW, disabled_reason="500")
    (endpoint,) = await store.endpoints()
    await store.settle(endpoint, [], ill, now=NOW)
    for changes in ({"ratio": "2"}, {"callback_url": URL}, {"callback_url": ""}):
        await change_settings(engine, "Tết", changes, now=NOW + 1)
        (after,) = await store.endpoints()
        assert after.health == ill
    await change_settings(engine, "Tết", {"callback_url": URL + "/2"}, now=NOW + 2)
    (after,) = await store.endpoints()
    assert (after.health, after.since, after.revision) == (Health(), NOW, endpoint.revision + 1)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://crm.example.com/", "use https, or set DIALER_WEBHOOK_PRIVATE=yes"),
        ("https://10.0.0.7/", "10.0.0.7 is an address of a private network"),
        ("https://169.254.169.254/", "nothing is ever posted there"),
        ("crm.example.com", "write a URL like https://"),
        ("https://u:p@crm.example.com/", "leave out user names"),
    ],
)
async def test_an_address_that_may_not_be_is_refused_and_nothing_changes(
    sqlite: AsyncEngine, url: str, words: str
) -> None:
    await campaign(sqlite)
    with pytest.raises(BadInput, match="callback_url") as caught:
        await change_settings(sqlite, "Tết", {"callback_url": url}, now=NOW)
    assert words in str(caught.value)
    (status,) = await read_status(sqlite, now=NOW)
    assert (status.settings.callback_url, status.webhook) == (None, None)


async def test_an_inner_address_is_taken_where_the_installation_allows_it(sqlite: AsyncEngine) -> None:
    await campaign(sqlite)
    changes = {"callback_url": "http://10.0.0.7:8000/calls"}
    await change_settings(sqlite, "Tết", changes, now=NOW, private_webhooks=True)
    await change_settings(sqlite, "Tết", {"ratio": "2"}, now=NOW)
    (status,) = await read_status(sqlite, now=NOW)
    assert status.webhook == WELL
    made = SETTINGS.__class__(0, "Hè", callback_url="http://10.0.0.7/")
    with pytest.raises(BadInput, match="callback_url: "):
        await create(sqlite, made, now=NOW)
    await create(sqlite, made, now=NOW, private_webhooks=True)
