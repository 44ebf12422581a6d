"""Calls by hand, as people ask for them: what is asked of an agent's desk, and what came of it (S2-13, S2-14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, select
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.campaigns import CampaignStatus, read_status
from crm.lead_actions import in_transaction
from crm.numbers import Phone, parse_phone
from dialer.core.campaign import CampaignState
from dialer.core.types import CallId, CampaignKind
from dialer.errors import BadInput, IllegalAction, NotFound
from dialer.requests import FRESH_S, ID_MAX, Wanted, clean
from statuses.lead import AGENTS_SAY
from store import requests
from store.models import Attempt, Campaign, DeskRequest
from store.open import readers

BY_HAND: Final = frozenset({CampaignKind.MANUAL, CampaignKind.PREVIEW})
"""The kinds of campaign whose agents may dial."""

LATEST_S: Final = 253_370_764_800.0
"""The first moment of the year 9999 (UTC epoch seconds): a later one cannot be shown in every zone."""


class Stage(StrEnum):
    """How far a call is."""

    CALLING = "calling"
    """The agent's leg comes up, then the customer's phone rings."""
    ANSWERED = "answered"
    TALKING = "talking"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CallNow:
    """A call as the store knows it; times in UTC epoch seconds, `status` a CallStatus value once it has ended."""

    call_id: CallId
    lead_id: int
    phone: str
    stage: Stage
    began_at: float
    bridged_at: float | None
    ended_at: float | None
    status: str | None


@dataclass(frozen=True, slots=True)
class RequestNow:
    """A request: asked, taken, done or refused (`code`: a HoldReason or a Declined); `call` once there is one."""

    request_id: int
    state: str
    code: str | None
    lead_id: int | None
    call: CallNow | None


async def ask(engine: AsyncEngine, campaign: str, wanted: Wanted, *, author: str, now: float) -> int:
    """Ask something of an agent's desk and return the request's id; the engine that owns the campaign answers.

    Raises BadInput for what cannot be meant, NotFound for an unknown campaign, IllegalAction when nobody dials it.
    """
    if not wanted.agent_id.strip():
        raise BadInput("agent: name the agent whose desk it is.")
    wanted = _cleaned(wanted)
    if wanted.action == "dial" and not (wanted.phone or wanted.lead_id):
        raise BadInput("number: say whom to call, a number or a lead.")
    (status,) = await read_status(engine, campaign, now=now)
    _check(status, wanted)

    def work(db: Connection) -> int:
        return requests.ask(db, status.campaign_id, wanted, author=author, now=now)

    return await in_transaction(engine, work)


def _cleaned(wanted: Wanted) -> Wanted:
    """Return a request that an engine and the database can bear; raise BadInput for one that neither can."""
    if not 0 <= wanted.lead_id <= ID_MAX:
        raise BadInput("lead_id: no lead has such an id.")
    if wanted.trigger not in AGENTS_SAY:
        raise BadInput(f"trigger: a talk comes to {', '.join(sorted(AGENTS_SAY))}.")
    if wanted.callback_at is not None and not 0 <= wanted.callback_at <= LATEST_S:
        raise BadInput("callback_at: give the time in seconds since 1970 (UTC), before the year 9999.")
    return msgspec.structs.replace(
        wanted, agent_id=clean(wanted.agent_id).strip(), phone=number(wanted.phone),
        to_agent=None if wanted.to_agent is None else clean(wanted.to_agent), supervisor=clean(wanted.supervisor),
        note=None if wanted.note is None else clean(wanted.note),
    )  # fmt: skip


def number(text: str) -> str:
    """Return a number as E.164 however it is written, empty for nothing; raise BadInput."""
    if not text.strip():
        return ""
    found = parse_phone(text, migrate_2018=True)
    if not isinstance(found, Phone):
        raise BadInput(f"number: this is no number that can be called: {found.en}.")
    return found.e164


def _check(status: CampaignStatus, wanted: Wanted) -> None:
    if wanted.action == "dial" and status.settings.kind not in BY_HAND:
        raise IllegalAction(
            f"campaign {status.name!r} is {status.settings.kind}: agents dial in campaigns of kind manual or preview."
        )
    if not status.served:
        raise IllegalAction(f"campaign {status.name!r}: no dialing service runs it; start one with `dialer up`.")
    if wanted.action == "dial" and status.state is not CampaignState.RUNNING:
        raise IllegalAction(f"campaign {status.name!r} is {status.state}; start it first.")


async def read_request(engine: AsyncEngine, request_id: int, *, now: float) -> RequestNow:
    """Return what came of a request so far; raise NotFound for one that is unknown, or of yesterday."""
    async with readers(engine).connect() as db:
        row = (await db.execute(select(DeskRequest.__table__).where(DeskRequest.id == request_id))).one_or_none()
        if row is None:
            raise NotFound(f"there is no request {request_id}; requests are kept for a day.")
        call = None if row.call_id is None else await _call(db, row.call_id)
    late = row.state == "asked" and row.asked_at < now - FRESH_S
    return RequestNow(row.id, "refused" if late else row.state, "too_late" if late else row.code, row.lead_id, call)


async def read_call(engine: AsyncEngine, call_id: CallId) -> CallNow | None:
    """Return a call as far as the store knows it, None when it was never begun."""
    async with readers(engine).connect() as db:
        return await _call(db, call_id)


async def _call(db: Any, call_id: CallId) -> CallNow | None:
    row = (await db.execute(select(Attempt.__table__).where(Attempt.call_id == call_id))).one_or_none()
    return None if row is None else _call_now(row)


def _call_now(row: Row[Any]) -> CallNow:
    stage = Stage.ENDED if row.settled else Stage.CALLING
    if not row.settled and row.answered_at is not None:
        stage = Stage.ANSWERED if row.bridged_at is None else Stage.TALKING
    return CallNow(
        row.call_id, row.lead_id, row.phone_e164, stage, row.begun_at, row.bridged_at, row.ended_at, row.status
    )


async def campaign_name(engine: AsyncEngine, campaign_id: int) -> str:
    """Return a campaign's name; raise NotFound."""
    async with readers(engine).connect() as db:
        name = await db.scalar(select(Campaign.name).where(Campaign.id == campaign_id))
    if name is None:
        raise NotFound(f"there is no campaign with the id {campaign_id}.")
    return str(name)


async def dialable_campaigns(engine: AsyncEngine, *, now: float) -> Sequence[CampaignStatus]:
    """List the campaigns whose agents dial, that have not ended, by id."""
    everything = await read_status(engine, now=now)
    return [one for one in everything if one.settings.kind in BY_HAND and one.state is not CampaignState.ENDED]
