"""Receivers of call records in SQL: their queues, their health, and what people do to them (docs/webhook.md)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from sqlalchemy import Connection, Row, Select, Table, delete, exists, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.webhook_policy import Health
from cdr.webhook_ports import PROJECTION, Endpoint, NewDelivery, Queued
from dialer.ports import OffsetRange
from store.load import CAMPAIGNS, decode_settings
from store.locks import Lock
from store.models import LedgerEntry, Webhook, WebhookQueue
from store.open import readers

WEBHOOKS: Final = cast("Table", Webhook.__table__)
QUEUE: Final = cast("Table", WebhookQueue.__table__)
_LEDGER: Final = cast("Table", LedgerEntry.__table__)
_ASK_AGAIN_S: Final = 2.0
_TAKE: Final = text(f"SELECT pg_try_advisory_lock({Lock.WEBHOOKS:d})")
_STILL: Final = text("SELECT 1")
_WAITING: Final = exists(select(QUEUE.c.id).where(QUEUE.c.campaign_id == WEBHOOKS.c.campaign_id)).label("waiting")
_ENDPOINTS: Final[Select[Any]] = (
    select(*WEBHOOKS.c, CAMPAIGNS.c.name, CAMPAIGNS.c.settings, _WAITING)
    .join(CAMPAIGNS, CAMPAIGNS.c.id == WEBHOOKS.c.campaign_id)
    .order_by(WEBHOOKS.c.campaign_id)
)
_WELL: Final = {
    "failures": 0,
    "failing_since": None,
    "next_at": 0.0,
    "error": "",
    "disabled_at": None,
    "disabled_reason": "",
}


class SqlWebhookStore:
    """WebhookStore in the tables webhooks, webhook_queue and offset_ledger."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._readers = readers(engine)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Wait until no other process delivers; yield a check that raises when the lock's connection is gone.

        On SQLite the home folder sees to it (`Home.claimed`).
        """
        if self._engine.dialect.name != "postgresql":
            yield _sure
            return
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            while not (await connection.execute(_TAKE)).scalar_one():  # noqa: ASYNC110 -- nobody tells us when it is free
                await asyncio.sleep(_ASK_AGAIN_S)
            asking = asyncio.Lock()

            async def check() -> None:
                async with asking:  # one connection takes one question at a time
                    await connection.execute(_STILL)

            try:
                yield check
            finally:
                await connection.invalidate()  # back in the pool it would keep the lock

    async def endpoints(self) -> Sequence[Endpoint]:
        """List the campaigns that have, or had, an address."""
        async with self._readers.connect() as connection:
            return [endpoint_of(row) for row in await connection.execute(_ENDPOINTS)]

    async def position(self, partition: int) -> int:
        """Return the last offset that was moved to the queues, 0 at the start."""
        query = select(_LEDGER.c.position).where(_LEDGER.c.projection == PROJECTION, _LEDGER.c.partition == partition)
        async with self._readers.connect() as connection:
            return int((await connection.execute(query)).scalar_one_or_none() or 0)

    async def enqueue(self, after: int, span: OffsetRange, new: Sequence[NewDelivery], *, now: float) -> bool:
        """Queue, and move the position from `after` to the end of the span, in one transaction."""
        rows = [
            {"campaign_id": one.campaign_id, "event_id": one.event_id, "body": one.body, "queued_at": now}
            for one in new
        ]

        def work(db: Connection) -> bool:
            if not _moved(db, after, span):
                return False
            if rows:
                db.execute(insert(QUEUE), rows)
            return True

        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def head(self, campaign_id: int, limit: int) -> Sequence[Queued]:
        """Return the oldest events of a queue, in order."""
        query = select(QUEUE.c.id, QUEUE.c.event_id, QUEUE.c.body).where(QUEUE.c.campaign_id == campaign_id)
        async with self._readers.connect() as connection:
            found = await connection.execute(query.order_by(QUEUE.c.id).limit(limit))
            return [Queued(row.id, row.event_id, bytes(row.body)) for row in found]

    async def settle(self, endpoint: Endpoint, done: Sequence[int], health: Health, *, now: float) -> None:
        """Take accepted events off the queue, and write the health unless a person has acted since."""
        mine = update(WEBHOOKS).where(WEBHOOKS.c.campaign_id == endpoint.campaign_id)
        async with self._engine.begin() as connection:
            if done:
                await connection.execute(delete(QUEUE).where(QUEUE.c.id.in_(done)))
                counted = WEBHOOKS.c.delivered + len(done)
                await connection.execute(mine.values(delivered=counted, delivered_at=now))
            seen = WEBHOOKS.c.revision == endpoint.revision
            await connection.execute(mine.where(seen).values(**_health_values(health)))

    async def mark_secret(self, endpoint: Endpoint, mark: str) -> None:
        """Write the fingerprint of the endpoint's secret at its first use."""
        async with self._engine.begin() as connection:
            await connection.run_sync(mark_secret, endpoint.campaign_id, endpoint.generation, mark)

    async def drop_older(self, campaign_id: int, before: float) -> int:
        """Drop what was queued before a time (UTC epoch seconds); return how many."""
        oldest = select(QUEUE.c.queued_at).where(QUEUE.c.campaign_id == campaign_id).order_by(QUEUE.c.id).limit(1)
        async with self._readers.connect() as connection:
            at = (await connection.execute(oldest)).scalar_one_or_none()
        if at is None or at >= before:
            return 0
        async with self._engine.begin() as connection:
            return await connection.run_sync(drop, campaign_id, before=before)


async def _sure() -> None:
    """Be sure."""


def _moved(db: Connection, after: int, span: OffsetRange) -> bool:
    """Move the position, unless it is not where the reader saw it."""
    key = {"projection": PROJECTION, "partition": span.partition}
    mine = (_LEDGER.c.projection == PROJECTION, _LEDGER.c.partition == span.partition)
    if db.execute(select(_LEDGER.c.position).where(*mine)).one_or_none() is None:
        db.execute(insert(_LEDGER).values(**key, position=0))
    moved = update(_LEDGER).where(*mine, _LEDGER.c.position == after).values(position=span.last)
    return db.execute(moved).rowcount == 1


def rows(db: Connection, campaign_id: int | None = None) -> Sequence[Row[Any]]:
    """Read the rows of webhooks, joined with their campaigns, with `waiting`: whether anything is queued."""
    return db.execute(_ENDPOINTS if campaign_id is None else _ENDPOINTS.where(CAMPAIGNS.c.id == campaign_id)).all()


def endpoint_of(row: Row[Any]) -> Endpoint:
    """Read a row of webhooks joined with its campaign."""
    return Endpoint(
        campaign_id=row.campaign_id,
        url=decode_settings(row.settings, row.campaign_id, row.name).callback_url,
        since=row.since,
        revision=row.revision,
        generation=row.generation,
        fingerprint=row.fingerprint,
        old_until=row.old_until,
        health=health_of(row),
        waiting=row.waiting,
    )


def health_of(row: Row[Any]) -> Health:
    """Read the columns of an endpoint's health."""
    return Health(**{name: getattr(row, name) for name in Health.__struct_fields__})


def _health_values(health: Health) -> dict[str, Any]:
    return {name: getattr(health, name) for name in Health.__struct_fields__}


def address_set(db: Connection, campaign_id: int, *, now: float) -> None:
    """Begin with a campaign's first address, or another one, which starts well; the caller has locked the campaign."""
    acted = {"revision": WEBHOOKS.c.revision + 1, **_WELL}
    if db.execute(update(WEBHOOKS).where(WEBHOOKS.c.campaign_id == campaign_id).values(**acted)).rowcount == 0:
        values = {"revision": 0, "generation": 1, "delivered": 0, "dropped": 0, **_WELL}
        db.execute(insert(WEBHOOKS).values(campaign_id=campaign_id, since=now, **values))


def enable(db: Connection, campaign_id: int) -> None:
    """Try again at once and go on with what waits."""
    acted = {"revision": WEBHOOKS.c.revision + 1, **_WELL}
    db.execute(update(WEBHOOKS).where(WEBHOOKS.c.campaign_id == campaign_id).values(**acted))


def begin_now(db: Connection, campaign_id: int, *, now: float) -> int:
    """Drop what waits, and what happened before now; return how many waited."""
    db.execute(update(WEBHOOKS).where(WEBHOOKS.c.campaign_id == campaign_id).values(since=now))
    return drop(db, campaign_id)


def drop(db: Connection, campaign_id: int, before: float | None = None) -> int:
    """Drop what waits, or only what was queued before a time; return how many, and count them."""
    gone = delete(QUEUE).where(QUEUE.c.campaign_id == campaign_id)
    count = db.execute(gone if before is None else gone.where(QUEUE.c.queued_at < before)).rowcount
    mine = update(WEBHOOKS).where(WEBHOOKS.c.campaign_id == campaign_id)
    db.execute(mine.values(dropped=WEBHOOKS.c.dropped + count))
    return count


def rotate(db: Connection, campaign_id: int, *, old_until: float) -> None:
    """Begin with another secret; the one before signs too until then."""
    mine = update(WEBHOOKS).where(WEBHOOKS.c.campaign_id == campaign_id)
    grown = {"revision": WEBHOOKS.c.revision + 1, "generation": WEBHOOKS.c.generation + 1}
    db.execute(mine.values(**grown, fingerprint=None, old_until=old_until))


def mark_secret(db: Connection, campaign_id: int, generation: int, mark: str) -> None:
    """Write the fingerprint of a secret at its first use; an older generation's is not written."""
    mine = (WEBHOOKS.c.campaign_id == campaign_id, WEBHOOKS.c.generation == generation)
    db.execute(update(WEBHOOKS).where(*mine, WEBHOOKS.c.fingerprint.is_(None)).values(fingerprint=mark))


def waiting(db: Connection, campaign_id: int) -> tuple[int, float | None]:
    """Return how many events wait, and when the oldest was queued (UTC epoch seconds)."""
    query = select(func.count(), func.min(QUEUE.c.queued_at)).where(QUEUE.c.campaign_id == campaign_id)
    count, oldest = db.execute(query).one()
    return int(count), oldest
