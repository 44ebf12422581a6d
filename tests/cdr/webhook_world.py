"""A database with campaigns that post their calls, the log beside it, and deliveries that run."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.encode import CampaignRef, OutboxEvent, attempt_settled, disposition_set
from cdr.webhook import Webhooks
from cdr.webhook_policy import Policy
from cdr.webhook_send import Sender
from dialer.core.types import CampaignSettings
from store.models import Campaign, OutboxRecord, WebhookQueue
from store.open import open_database
from store.outbox import SqlOutboxLog, append
from store.upgrade import upgrade
from store.webhooks import SqlWebhookStore, address_set, enable, rows
from tests.cdr.samples import START, engaged, result, talk

KEY = "an-installation's-secret-of-32-letters"
QUICK = Policy(base_s=0.02, cap_s=0.1, retry_after_max_s=5.0, give_up_failures=4, give_up_s=0.0, in_flight=4)
LOOK_S = 0.02
LOOKS_MAX = 2_000


def call_events(number: int, campaign_id: int, *, disposed: bool | None = None) -> list[OutboxEvent]:
    """Return all events of a call: odd numbers talk and get a disposition, even ones are engaged."""
    campaign = CampaignRef(campaign_id, f"campaign {campaign_id}", "predictive")
    disposed = bool(number % 2) if disposed is None else disposed
    record = talk(number) if number % 2 else engaged(number)
    record = msgspec.structs.replace(record, call_id=f"call-{campaign_id}-{number:06}")
    events = attempt_settled(record, campaign)
    if disposed:
        events.append(disposition_set(result(record, disposition="SALE"), record, record.ended_at + 12, campaign))
    return events


def whole_calls(events: Iterable[OutboxEvent]) -> list[str]:
    """Return the ids of the events that a receiver gets, in order."""
    return [event.event_id for event in events if event.type in {"cdr.finalized", "disposition.set"}]


class WebhookWorld:
    """Campaigns with receivers on one database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.log = SqlOutboxLog(engine)
        self.store = SqlWebhookStore(engine)
        self._looks = 0

    async def run(self, work: Callable[[Connection], Any]) -> Any:
        async with self.engine.begin() as connection:
            return await connection.run_sync(work)

    async def campaign(self, campaign_id: int, url: str | None, *, since: float = START - 1) -> None:
        """Add a campaign that posts to `url`, or give it another address."""
        await self.run(lambda db: _campaign(db, campaign_id, url, since))

    async def happen(self, events: Sequence[OutboxEvent]) -> None:
        await self.run(lambda db: append(db, events, now=START))

    async def calls(self, campaign_id: int, numbers: Iterable[int]) -> list[str]:
        """Let calls happen; return what their receiver is to get, in order."""
        events = [event for number in numbers for event in call_events(number, campaign_id)]
        await self.happen(events)
        return whole_calls(events)

    async def enable(self, campaign_id: int) -> None:
        await self.run(lambda db: enable(db, campaign_id))

    async def row(self, campaign_id: int) -> Any:
        (found,) = await self.run(lambda db: rows(db, campaign_id))
        return found

    async def queued(self) -> int:
        async with self.engine.connect() as connection:
            return int((await connection.execute(select(func.count()).select_from(WebhookQueue))).scalar_one())

    async def moved(self) -> bool:
        """Tell whether the whole log has been moved to the queues."""
        async with self.engine.connect() as connection:
            last = (await connection.execute(select(func.max(OutboxRecord.offset)))).scalar_one() or 0
        return await self.store.position(0) == last

    async def settled(self) -> None:
        """Wait until the log is moved and every queue is empty."""
        while not await self.moved() or await self.queued():
            await self.look_again()

    async def until_moved(self) -> None:
        while not await self.moved():
            await self.look_again()

    async def until(self, condition: Callable[[], Any]) -> None:
        while not condition():
            await self.look_again()

    async def until_row(self, campaign_id: int, condition: Callable[[Any], Any]) -> Any:
        while not condition(row := await self.row(campaign_id)):
            await self.look_again()
        return row

    async def look_again(self) -> None:
        """Let some time pass: nothing tells a test when a row changes."""
        self._looks += 1
        assert self._looks < LOOKS_MAX, "what the test waits for does not happen"
        await asyncio.sleep(LOOK_S)

    def webhooks(self, *, deadline_s: float = 1.0, tls: ssl.SSLContext | None = None, **options: Any) -> Webhooks:
        sender = Sender(private=True, deadline_s=deadline_s, tls=tls)
        return Webhooks(self.log, self.store, **{"key": KEY, "policy": QUICK, "sender": sender, **options})

    @asynccontextmanager
    async def delivering(self, **options: Any) -> AsyncIterator[None]:
        task = asyncio.create_task(self.webhooks(**options).run())
        try:
            yield
            assert not task.done(), "the deliveries have ended by themselves"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _campaign(db: Connection, campaign_id: int, url: str | None, since: float) -> None:
    settings = msgspec.json.encode(CampaignSettings(campaign_id, "", callback_url=url)).decode()
    changed = update(Campaign).where(Campaign.id == campaign_id).values(settings=settings)
    if db.execute(changed).rowcount == 0:
        values = {"id": campaign_id, "name": f"campaign {campaign_id}", "state": "running", "settings": settings}
        more = {"resumes_by_schedule": False, "state_since": 0.0, "created_at": 0.0, "revision": 0, "epoch": 0}
        db.execute(insert(Campaign).values(**values, **more))
    if url is not None:
        address_set(db, campaign_id, now=since)


@asynccontextmanager
async def webhook_world(path: Path) -> AsyncIterator[WebhookWorld]:
    engine = open_database(f"sqlite:///{path}")
    await upgrade(engine)
    try:
        yield WebhookWorld(engine)
    finally:
        await engine.dispose()
