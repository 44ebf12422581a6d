"""One reader of live figures for the whole process: however many people look, the store is asked once a second."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec
from sqlalchemy import Row, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.core.campaign import CampaignState
from dialer.core.figures import LiveFigures
from dialer.core.types import CampaignSettings
from store.models import Campaign, Comment, OutboxRecord, Webhook
from store.open import readers

EVERY_S: Final = 1.0
STALE_S: Final = 10.0
_COLUMNS: Final = (
    Campaign.id,
    Campaign.name,
    Campaign.state,
    Campaign.resumes_by_schedule,
    Campaign.settings,
    Campaign.revision,
    Campaign.owner,
    Campaign.lease_expires_at,
    Campaign.runtime,
    Campaign.runtime_at,
    Webhook.disabled_at,
    Webhook.disabled_reason,
)
_log = logging.getLogger(__name__)
_settings = msgspec.json.Decoder(CampaignSettings)
_figures = msgspec.json.Decoder(LiveFigures)


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign as the console shows it; `served` = a dialing service owns it now, `stale` = it has gone silent."""

    campaign_id: int
    name: str
    state: CampaignState
    resumes_by_schedule: bool
    settings: CampaignSettings
    figures: LiveFigures | None
    figures_at: float | None
    served: bool
    stale: bool = False
    webhook_disabled: str = ""
    """Why its call records are posted no longer; empty = they are, or it posts none."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All campaigns at one moment; `pulse` changes whenever leads, calls or comments changed."""

    at: float
    campaigns: tuple[CampaignView, ...]
    pulse: tuple[int, int, int]


@dataclass(slots=True)
class LiveBoard:
    """Read snapshots while somebody watches; rest otherwise. `failed` says that the last reading did not work."""

    engine: AsyncEngine
    now: Callable[[], float]
    wall: Callable[[], float] = time.monotonic
    snapshot: Snapshot | None = None
    failed: bool = False
    _read_at: float = 0.0
    _reports: dict[int, tuple[float | None, float]] = field(default_factory=dict)
    _watchers: int = 0
    _task: asyncio.Task[None] | None = None
    _fresh: asyncio.Lock = field(default_factory=asyncio.Lock)

    def watch(self) -> None:
        """Count one more watcher; the first one starts the reading."""
        self._watchers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._read_on(), name="web.live")

    def leave(self) -> None:
        """Count one watcher less; after the last one the reading stops."""
        self._watchers -= 1
        if self._watchers <= 0 and self._task is not None:
            self._task.cancel()
            self._task = None

    async def current(self) -> Snapshot:
        """Return a snapshot no older than a second."""
        async with self._fresh:
            if self.snapshot is None or self.wall() - self._read_at > EVERY_S:
                return await self.refresh()
            return self.snapshot

    async def refresh(self) -> Snapshot:
        """Read the store once."""
        read = await read_snapshot(self.engine, now=self.now())
        self._read_at = self.wall()
        self.snapshot = replace(read, campaigns=tuple(map(self._with_silence, read.campaigns)))
        self.failed = False
        return self.snapshot

    def _with_silence(self, view: CampaignView) -> CampaignView:
        # Judged by the wall: the service's own clock may run faster, and then a second of silence looks long.
        before = self._reports.get(view.campaign_id)
        if before is None or before[0] != view.figures_at:
            self._reports[view.campaign_id] = (view.figures_at, self._read_at)
            return view
        return replace(view, stale=view.served and self._read_at - before[1] > STALE_S)

    async def close(self) -> None:
        """Stop reading for good."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _read_on(self) -> None:
        while True:
            try:
                await self.refresh()
            except (SQLAlchemyError, msgspec.MsgspecError, OSError) as error:
                self.failed = True
                _log.warning("action=web.live.failed error=%s", type(error).__name__)
            await asyncio.sleep(EVERY_S)


async def read_snapshot(engine: AsyncEngine, *, now: float) -> Snapshot:
    """Read every campaign with its figures, and the pulse of the store."""
    query = select(*_COLUMNS).outerjoin(Webhook, Webhook.campaign_id == Campaign.id).order_by(Campaign.id)
    async with readers(engine).connect() as db:
        rows = (await db.execute(query)).all()
        offset = await db.scalar(select(func.max(OutboxRecord.offset)))
        comment = await db.scalar(select(func.max(Comment.id)))
    campaigns = tuple(_view(row, now) for row in rows)
    return Snapshot(now, campaigns, (offset or 0, comment or 0, sum(row.revision for row in rows)))


def _view(row: Row[*tuple[Any, ...]], now: float) -> CampaignView:
    figures = _figures.decode(row.runtime) if row.runtime else None
    served = row.owner is not None and row.lease_expires_at is not None and row.lease_expires_at > now
    settings = _settings.decode(row.settings)
    disabled = row.disabled_at is not None and settings.callback_url is not None
    return CampaignView(
        campaign_id=row.id,
        name=row.name,
        state=CampaignState(row.state),
        resumes_by_schedule=row.resumes_by_schedule,
        settings=settings,
        figures=figures,
        figures_at=row.runtime_at,
        served=served,
        webhook_disabled=row.disabled_reason if disabled else "",
    )
