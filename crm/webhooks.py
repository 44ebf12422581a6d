"""How the receivers of a campaign's call records fare, and what setting an address means (docs/webhook.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from dialer.core.callback import url_refusal
from dialer.errors import BadInput
from store.webhooks import address_set, rows


@dataclass(frozen=True, slots=True)
class WebhookState:
    """A receiver as its last tries left it; times in UTC epoch seconds."""

    waiting: bool
    """Call records wait for it."""
    failures: int
    """In a row."""
    failing_since: float | None
    next_at: float
    """Not tried before."""
    error: str
    """What went wrong last."""
    disabled_at: float | None
    disabled_reason: str
    delivered: int
    delivered_at: float | None
    dropped: int


def read_webhooks(db: Connection) -> dict[int, WebhookState]:
    """Return the receivers by campaign."""
    return {row.campaign_id: state_of(row) for row in rows(db)}


def state_of(row: Row[Any]) -> WebhookState:
    """Read a row of `store.webhooks.rows`."""
    return WebhookState(**{name: getattr(row, name) for name in WebhookState.__slots__})


def follow_address(
    db: Connection, campaign_id: int, before: str | None, after: str | None, *, now: float, private: bool
) -> None:
    """Make a receiver ready when a campaign's address was set or changed; raise BadInput for one that may not be."""
    if after is None or after == before:
        return
    refused = url_refusal(after, private=private)
    if refused is not None:
        raise BadInput(f"callback_url: {refused}.")
    address_set(db, campaign_id, now=now)
