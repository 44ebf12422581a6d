"""What webhook deliveries keep, and where: the port that `store.webhooks` fills."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

import msgspec

from cdr.webhook_policy import Health
from dialer.ports import OffsetRange

PROJECTION: Final = "webhook"
"""The name under which the offset ledger keeps how far the log was moved to the queues."""


class Endpoint(msgspec.Struct, frozen=True):
    """A campaign's receiver as the store holds it; `url` None: nothing is sent now."""

    campaign_id: int
    url: str | None
    since: float
    """What happened before is not sent (UTC epoch seconds of the dialing clock)."""
    revision: int = 0
    """Grows with each act of a person: what a try that began before has learned is dropped."""
    generation: int = 1
    """Of the secret."""
    fingerprint: str | None = None
    """Of the current secret; None = not used yet."""
    old_until: float | None = None
    """The secret before the current one signs too until then."""
    health: Health = Health()
    waiting: bool = False


class Queued(msgspec.Struct, frozen=True):
    """One event in the queue of an endpoint; ids are in order."""

    id: int
    event_id: str
    body: bytes


class NewDelivery(msgspec.Struct, frozen=True):
    """One event to be queued."""

    campaign_id: int
    event_id: str
    body: bytes


class WebhookStore(Protocol):
    """The queues and what is known of their endpoints."""

    def alone(self) -> AbstractAsyncContextManager[Callable[[], Awaitable[None]]]:
        """Wait until no other process delivers; yield a check that raises once that is no longer sure."""
        ...

    async def endpoints(self) -> Sequence[Endpoint]:
        """List the campaigns that have, or had, an address."""
        ...

    async def position(self, partition: int) -> int:
        """Return the last offset that was moved to the queues, 0 at the start."""
        ...

    async def enqueue(self, after: int, span: OffsetRange, new: Sequence[NewDelivery], *, now: float) -> bool:
        """Queue, and move the position from `after` to the end of the span, in one transaction.

        False, and nothing is written, when the position was another one.
        """
        ...

    async def head(self, campaign_id: int, limit: int) -> Sequence[Queued]:
        """Return the oldest events of a queue, in order."""
        ...

    async def settle(self, endpoint: Endpoint, done: Sequence[int], health: Health, *, now: float) -> None:
        """Take accepted events off the queue, and write the health unless a person has acted since."""
        ...

    async def mark_secret(self, endpoint: Endpoint, mark: str) -> None:
        """Write the fingerprint of the endpoint's secret at its first use."""
        ...

    async def drop_older(self, campaign_id: int, before: float) -> int:
        """Drop what was queued before a time (UTC epoch seconds); return how many."""
        ...
