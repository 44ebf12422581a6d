"""What people do to a campaign's webhook: look, rotate its secret, let a disabled one go on (docs/webhook.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.campaigns import locked
from crm.lead_actions import in_transaction
from crm.webhooks import WebhookState, state_of
from dialer.errors import IllegalAction
from store import webhooks
from store.load import decode_settings


@dataclass(frozen=True, slots=True)
class WebhookDetail:
    """A campaign's receiver, its secret's number, and how much waits for it."""

    campaign_id: int
    name: str
    url: str | None
    since: float
    generation: int
    fingerprint: str | None
    old_until: float | None
    state: WebhookState
    queued: int
    oldest_at: float | None
    """When the oldest that waits was queued (UTC epoch seconds)."""


async def show(engine: AsyncEngine, name: str) -> WebhookDetail:
    """Return all about a campaign's receiver; raise NotFound, or IllegalAction when it never had one."""
    return await in_transaction(engine, lambda db: _detail(db, name))


async def rotate(engine: AsyncEngine, name: str, *, old_until: float) -> WebhookDetail:
    """Begin with another secret; until then (UTC epoch seconds) the old one signs too. Raises as `show`."""

    def work(db: Connection) -> WebhookDetail:
        webhooks.rotate(db, _detail(db, name).campaign_id, old_until=old_until)
        return _detail(db, name)

    return await in_transaction(engine, work)


async def enable(engine: AsyncEngine, name: str, *, from_now: float | None = None) -> int:
    """Go on at once, with what waits or only with what happens after `from_now` (UTC epoch seconds).

    Returns how many waiting records were dropped. Raises as `show`, and IllegalAction without an address.
    """

    def work(db: Connection) -> int:
        detail = _detail(db, name)
        if detail.url is None:
            raise _no_address(detail.name)
        webhooks.enable(db, detail.campaign_id)
        return 0 if from_now is None else webhooks.begin_now(db, detail.campaign_id, now=from_now)

    return await in_transaction(engine, work)


async def mark_secret(engine: AsyncEngine, detail: WebhookDetail, mark: str) -> None:
    """Write down which secret was shown to people, unless one is known already."""
    await in_transaction(engine, lambda db: webhooks.mark_secret(db, detail.campaign_id, detail.generation, mark))


def _detail(db: Connection, name: str) -> WebhookDetail:
    campaign = locked(db, name)
    row: Row[Any] | None = next(iter(webhooks.rows(db, campaign.id)), None)
    if row is None:
        raise _no_address(campaign.name)
    queued, oldest_at = webhooks.waiting(db, campaign.id)
    return WebhookDetail(
        campaign_id=campaign.id,
        name=campaign.name,
        url=decode_settings(campaign.settings, campaign.id, campaign.name).callback_url,
        since=row.since,
        generation=row.generation,
        fingerprint=row.fingerprint,
        old_until=row.old_until,
        state=state_of(row),
        queued=queued,
        oldest_at=oldest_at,
    )


def _no_address(name: str) -> IllegalAction:
    return IllegalAction(
        f"campaign {name!r} posts its call records nowhere; give it an address: "
        f"dialer campaign set {name!r} callback_url=https://..."
    )
