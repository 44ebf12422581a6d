"""Why is nobody called? What holds the whole campaign, and how many leads wait for which reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import msgspec
from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.names import near
from dialer.core.campaign import CampaignState
from dialer.core.figures import LiveFigures
from dialer.core.types import CampaignKind, HoldReason
from dialer.core.window import WindowClock, effective
from dialer.errors import NotFound
from store.load import decode_settings
from store.models import Campaign, Lead
from store.open import readers
from store.why import lead_hold, lead_holds

NoService: TypeAlias = Literal["no_service"]
_EXAMPLES: Final = 3
_SAMPLE: Final = 60


@dataclass(frozen=True, slots=True)
class CampaignHold:
    """Something that stops the whole campaign; `until`: when it ends by itself (UTC epoch seconds), if it does."""

    reason: HoldReason | NoService
    until: float | None
    detail: str
    """For people, in English."""


@dataclass(frozen=True, slots=True)
class LeadHold:
    """What holds one lead; reason None: it is ready to be dialed."""

    lead_id: int
    reason: HoldReason | None
    until: float | None


@dataclass(frozen=True, slots=True)
class WhyReport:
    """The answer: holds of the campaign, and of its leads; a lead counts under exactly one reason, None = ready."""

    campaign_id: int
    name: str
    state: CampaignState
    holds: tuple[CampaignHold, ...]
    counts: Mapping[HoldReason | None, int]
    examples: Mapping[HoldReason | None, tuple[int, ...]]
    """A few lead ids per reason, from the first leads of the campaign."""
    timezone: str
    """The campaign's, for showing times."""
    lead: LeadHold | None = None
    """The one that was asked about."""


async def why(
    engine: AsyncEngine, name: str, *, now: float, lead_id: int | None = None, examples_from: int = _SAMPLE
) -> WhyReport:
    """Say what holds a campaign and its leads, or one of them, back; raise NotFound with the nearest names.

    Examples are looked for among the first `examples_from` leads; that takes much longer than counting.
    """
    async with readers(engine).connect() as db:
        row = (await db.execute(select(Campaign.__table__).where(Campaign.name == name.strip()))).one_or_none()
        if row is None:
            known = (await db.execute(select(Campaign.name))).scalars().all()
            raise NotFound(f"there is no campaign {name!r}. {near(name, known)}")
        some = select(Lead.id).where(Lead.campaign_id == row.id).order_by(Lead.id).limit(examples_from)
        sample = (await db.execute(some)).scalars().all()
        if lead_id is not None and await db.scalar(_has(row.id, lead_id)) is None:
            raise NotFound(f"campaign {row.name!r} has no lead {lead_id}; `dialer leads list` shows the leads.")
    counts = await lead_holds(engine, row.id, now)
    return WhyReport(
        campaign_id=row.id,
        name=row.name,
        state=CampaignState(row.state),
        holds=_campaign_holds(row, now),
        counts=counts,
        examples=await _examples(engine, sample, counts, now),
        timezone=decode_settings(row.settings, row.id, row.name).window.timezone,
        lead=None if lead_id is None else LeadHold(lead_id, *await lead_hold(engine, lead_id, now)),
    )


def _has(campaign_id: int, lead_id: int) -> Select[int]:
    return select(Lead.id).where(Lead.id == lead_id, Lead.campaign_id == campaign_id)


async def _examples(
    engine: AsyncEngine, sample: Sequence[int], counts: Mapping[HoldReason | None, int], now: float
) -> dict[HoldReason | None, tuple[int, ...]]:
    examples: dict[HoldReason | None, tuple[int, ...]] = {}
    for lead_id in sample:
        if all(len(examples.get(reason, ())) == min(count, _EXAMPLES) for reason, count in counts.items()):
            break
        reason, _ = await lead_hold(engine, lead_id, now)
        if len(examples.get(reason, ())) < _EXAMPLES:
            examples[reason] = (*examples.get(reason, ()), lead_id)
    return examples


def _campaign_holds(row: Row[Any], now: float) -> tuple[CampaignHold, ...]:
    state = CampaignState(row.state)
    holds: list[CampaignHold] = []
    if state is not CampaignState.RUNNING:
        holds.append(_not_running(state, resumes=row.resumes_by_schedule))
    if state is not CampaignState.ENDED and (row.owner is None or (row.lease_expires_at or 0.0) <= now):
        holds.append(CampaignHold("no_service", None, "no dialing service is running; start one with `dialer up`"))
    settings = decode_settings(row.settings, row.id, row.name)
    opens = WindowClock(effective(settings)).next_open(now)
    if settings.kind is CampaignKind.INBOUND:
        holds.append(CampaignHold(HoldReason.INBOUND_ONLY, None, "it takes calls to its hotlines and dials nobody"))
    elif opens != now:
        holds.append(CampaignHold(HoldReason.WINDOW, opens, "outside the campaign's calling hours"))
    figures = msgspec.json.decode(row.runtime, type=LiveFigures) if row.runtime else None
    fresh = row.owner is not None and (row.lease_expires_at or 0.0) > now  # the owner reports more often than it renews
    if state is CampaignState.RUNNING and figures is not None and figures.reason is not None and fresh:
        known = {hold.reason for hold in holds}
        if figures.reason not in known:
            holds.append(CampaignHold(figures.reason, figures.next_open_at, figures.detail))
    return tuple(holds)


def _not_running(state: CampaignState, *, resumes: bool) -> CampaignHold:
    says = {
        CampaignState.DRAFT: "it is a draft; approve it, then start it",
        CampaignState.APPROVED: "it is approved; start it",
        CampaignState.PAUSED: "it is paused and resumes by its schedule" if resumes else "it is stopped; start it",
        CampaignState.ENDED: "it has ended",
    }
    return CampaignHold(HoldReason.CAMPAIGN_NOT_RUNNING, None, says[state])
