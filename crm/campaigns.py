"""Campaigns by hand: create, change, approve, start, pause, stop, end, and look at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, Select, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.laws import check_may_dial
from crm.lead_actions import in_transaction
from crm.names import near
from crm.reconciling import release_reconciled
from crm.scripts import need_script
from crm.settings_check import check_settings
from crm.settings_text import apply_settings
from crm.webhooks import WebhookState, follow_address, read_webhooks
from crm.why import CampaignHold, WhyReport, why
from dialer.core.campaign import CampaignAction, CampaignState, CampaignStep, IllegalCampaignAction, step
from dialer.core.figures import LiveFigures
from dialer.core.types import CampaignSettings
from dialer.errors import BadInput, IllegalAction, NotFound
from store import learning
from store.load import decode_settings
from store.models import Campaign, Lead
from store.open import readers

__all__ = [
    "CampaignHold",
    "CampaignStatus",
    "WhyReport",
    "act",
    "change_settings",
    "create",
    "forget",
    "read_status",
    "release_reconciled",
    "why",
]

_ENCODER: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class CampaignStatus:
    """A campaign at one moment; `served`: a dialing service owns it, `stale`: its figures are history or nobody's."""

    campaign_id: int
    name: str
    state: CampaignState
    resumes_by_schedule: bool
    state_since: float
    settings: CampaignSettings
    leads: int
    figures: LiveFigures | None
    figures_at: float | None
    served: bool
    stale: bool
    webhook: WebhookState | None = None
    """How its call records get to their receiver; None: it never had one."""


async def create(engine: AsyncEngine, settings: CampaignSettings, *, now: float, private_webhooks: bool = False) -> int:
    """Create a draft and return its id; raise BadInput that names the wrong field, or says that the name is taken.

    `private_webhooks`: call records may be posted inside the installation's own network.
    """
    settings = msgspec.structs.replace(settings, name=settings.name.strip())
    check_settings(settings, now=now)
    values = {
        "name": settings.name,
        "state": CampaignState.DRAFT.value,
        "resumes_by_schedule": False,
        "state_since": now,
        "settings": _ENCODER.encode(settings).decode(),
        "revision": 0,
        "epoch": 0,
        "created_at": now,
    }

    def work(db: Connection) -> int:
        _need_script(db, settings)
        campaign_id = int(db.execute(insert(Campaign).values(values).returning(Campaign.id)).scalar_one())
        follow_address(db, campaign_id, None, settings.callback_url, now=now, private=private_webhooks)
        return campaign_id

    try:
        return await in_transaction(engine, work)
    except IntegrityError as error:
        raise BadInput(f"name: there is a campaign {settings.name!r} already; choose another name.") from error


async def act(engine: AsyncEngine, name: str, action: CampaignAction, *, now: float) -> CampaignStep:
    """Take a campaign one step (approve, start, pause, stop, end).

    Raises IllegalAction that says what is allowed, BadInput for settings that cannot be dialed with.
    """

    def work(db: Connection) -> CampaignStep:
        row = locked(db, name)
        state = CampaignState(row.state)
        try:
            taken = step(state, action, resumes_by_schedule=row.resumes_by_schedule)
        except IllegalCampaignAction as error:
            raise IllegalAction(f"campaign {row.name!r}: {error}.") from error
        if action in (CampaignAction.APPROVE, CampaignAction.START):
            settings = decode_settings(row.settings, row.id, row.name)
            check_settings(settings, now=now)
            check_may_dial(settings)
            _need_hotline(settings)
            _need_script(db, settings)
        since = {} if taken.state is state else {"state_since": now}
        _write(db, row.id, state=taken.state.value, resumes_by_schedule=taken.resumes_by_schedule, **since)
        return taken

    return await in_transaction(engine, work)


def _need_script(db: Connection, settings: CampaignSettings) -> None:
    if settings.script is not None:
        need_script(db, settings.script)


def _need_hotline(settings: CampaignSettings) -> None:
    if not settings.hotlines:
        raise BadInput(
            f"hotlines: campaign {settings.name!r} has no number to show; "
            f"give it one: dialer campaign set {settings.name!r} hotlines=NUMBER"
        )


async def change_settings(
    engine: AsyncEngine, name: str, changes: Mapping[str, str], *, now: float, private_webhooks: bool = False
) -> CampaignSettings:
    """Change settings by key and text; a running engine follows at once. Raises BadInput that names the wrong key."""

    def work(db: Connection) -> CampaignSettings:
        row = locked(db, name)
        if row.state == CampaignState.ENDED:
            raise IllegalAction(f"campaign {row.name!r} has ended; its settings stay as they are.")
        before = decode_settings(row.settings, row.id, row.name)
        after = apply_settings(before, changes)
        if after.kind is not before.kind and row.state != CampaignState.DRAFT:
            raise IllegalAction(f"campaign {row.name!r}: kind can be changed only in a draft; create another campaign.")
        check_settings(after, now=now)
        if after.script != before.script:
            _need_script(db, after)
        follow_address(db, row.id, before.callback_url, after.callback_url, now=now, private=private_webhooks)
        _write(db, row.id, settings=_ENCODER.encode(after).decode())
        return after

    return await in_transaction(engine, work)


async def forget(engine: AsyncEngine, name: str, *, now: float) -> None:
    """Drop what a campaign has learned; a running engine follows at once. Raises NotFound with the nearest names."""

    def work(db: Connection) -> None:
        row = locked(db, name)
        learning.forget(db, row.id, now=now)
        _write(db, row.id)

    await in_transaction(engine, work)


def locked(db: Connection, name: str) -> Row[Any]:
    """Read a campaign's row for a change; raise NotFound with the nearest names."""
    query = select(Campaign.__table__).where(Campaign.name == name.strip()).with_for_update()
    row = db.execute(query).one_or_none()
    if row is None:
        raise unknown_campaign(name, db.execute(select(Campaign.name)).scalars().all())
    return row


def unknown_campaign(name: str, known: Sequence[str]) -> NotFound:
    """Make the error for a name that no campaign has."""
    return NotFound(f"there is no campaign {name!r}. {near(name, known)}")


def _write(db: Connection, campaign_id: int, **values: Any) -> None:
    changed = update(Campaign).where(Campaign.id == campaign_id)
    db.execute(changed.values(revision=Campaign.revision + 1, **values))


async def read_status(engine: AsyncEngine, name: str | None = None, *, now: float) -> list[CampaignStatus]:
    """Return every campaign by id, or the one of this name; raise NotFound with the nearest names."""
    leads = select(Lead.campaign_id, func.count().label("leads")).group_by(Lead.campaign_id).subquery()
    query: Select[*tuple[Any, ...]] = select(*Campaign.__table__.c, func.coalesce(leads.c.leads, 0).label("leads"))
    query = query.outerjoin(leads, leads.c.campaign_id == Campaign.id).order_by(Campaign.id)
    if name is not None:
        query = query.where(Campaign.name == name.strip())
    async with readers(engine).connect() as db:
        webhooks = await db.run_sync(read_webhooks)
        found = [_status(row, now, webhooks.get(row.id)) for row in await db.execute(query)]
        if name is not None and not found:
            raise unknown_campaign(name, (await db.execute(select(Campaign.name))).scalars().all())
    return found


def _status(row: Row[Any], now: float, webhook: WebhookState | None) -> CampaignStatus:
    served = row.owner is not None and (row.lease_expires_at or 0.0) > now
    return CampaignStatus(
        campaign_id=row.id,
        name=row.name,
        state=CampaignState(row.state),
        resumes_by_schedule=row.resumes_by_schedule,
        state_since=row.state_since,
        settings=decode_settings(row.settings, row.id, row.name),
        leads=row.leads,
        figures=msgspec.json.decode(row.runtime, type=LiveFigures) if row.runtime else None,
        figures_at=row.runtime_at,
        served=served,
        stale=not served or row.runtime_at is None,
        webhook=webhook,
    )
