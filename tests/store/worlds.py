"""The same small world in memory, in SQLite and in PostgreSQL, for one body of tests."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.encode import OutboxEvent
from cdr.events import Decoded, decode
from dialer.core.campaign import CampaignState
from dialer.core.effects import (
    BeginAttempts,
    LeaseLeads,
    RecordProgress,
    ReleaseLeads,
    SettleAttempt,
    SettleLead,
    StoreEffect,
)
from dialer.core.events import AttemptsBegun, LeadsLeased
from dialer.core.types import AttemptIntent, AttemptRecord, CampaignSettings, Fence, Lead, LeadResult
from dialer.ports import Owned
from statuses.classify import AttemptFacts, classify
from statuses.lead import Trigger, trigger_for
from store import learning, models
from store.lead_store import SqlLeadStore
from store.load import ATTEMPT_FIELDS, ATTEMPTS, BANS, CAMPAIGNS, LEADS, LISTS, lead_columns, lead_of
from store.memory import MemoryLeadStore
from store.rows import AttemptRow, Ban, CallbackRow, LeadRow

NOW = 1_800_000_000.0
HOUR = 3600.0
_SERIAL = itertools.count(1)


class World(Protocol):
    """What a test needs of a store beyond its port."""

    @property
    def store(self) -> MemoryLeadStore | SqlLeadStore: ...
    async def add_campaign(self, settings: CampaignSettings, *, lists: Sequence[int] = ()) -> None: ...
    async def switch_list(self, list_id: int, *, active: bool) -> None: ...
    async def add_lead(self, lead: LeadRow) -> None: ...
    async def add_leads(self, leads: Sequence[LeadRow]) -> None: ...
    async def change_lead(self, lead_id: int, **values: Any) -> None: ...
    async def correct_number(self, lead_id: int, number: str) -> None: ...
    async def add_ban(self, ban: Ban) -> None: ...
    async def lead(self, lead_id: int) -> LeadRow | None: ...
    async def attempt(self, call_id: str) -> AttemptRow: ...
    async def records(self) -> list[tuple[int, bytes]]: ...
    async def runtime(self, campaign_id: int) -> tuple[bytes, float]: ...
    async def callbacks(self) -> list[CallbackRow]: ...
    async def forget(self, campaign_id: int, *, now: float) -> None: ...


async def events(world: World, *kinds: str) -> list[Decoded]:
    """Decode the CDR events of these types, in order."""
    every = [decode(value) for _, value in await world.records()]
    return [one for one in every if not kinds or one.event.type in kinds]


class MemoryWorld:
    """A world without a database."""

    def __init__(self) -> None:
        self.store = MemoryLeadStore()

    async def add_campaign(self, settings: CampaignSettings, *, lists: Sequence[int] = ()) -> None:
        self.store.add_campaign(settings)
        for list_id in lists:
            self.store.add_list(list_id)

    async def switch_list(self, list_id: int, *, active: bool) -> None:
        self.store.add_list(list_id, active=active)

    async def add_lead(self, lead: LeadRow) -> None:
        self.store.add_lead(lead)

    async def add_leads(self, leads: Sequence[LeadRow]) -> None:
        for lead in leads:
            self.store.add_lead(lead)

    async def change_lead(self, lead_id: int, **values: Any) -> None:
        lead = self.store.book.leads[lead_id]
        for name, value in values.items():
            setattr(lead, name, value)
        self.store.book.hold_number(lead)

    async def correct_number(self, lead_id: int, number: str) -> None:
        lead = self.store.book.leads[lead_id]
        self.store.book.holders.get(lead.phone, {}).pop(lead_id, None)
        await self.change_lead(lead_id, phone=number)

    async def add_ban(self, ban: Ban) -> None:
        self.store.add_ban(ban)

    async def lead(self, lead_id: int) -> LeadRow | None:
        return self.store.book.leads.get(lead_id)

    async def attempt(self, call_id: str) -> AttemptRow:
        return self.store.book.attempts[call_id]

    async def records(self) -> list[tuple[int, bytes]]:
        return [(offset, event.value) for offset, event in enumerate(self.store.events, 1)]

    async def runtime(self, campaign_id: int) -> tuple[bytes, float]:
        return self.store.runtimes[campaign_id]

    async def callbacks(self) -> list[CallbackRow]:
        return list(self.store.callbacks.values())

    async def forget(self, campaign_id: int, *, now: float) -> None:
        self.store.forget(campaign_id, now=now)


class SqlWorld:
    """A world in a database whose schema is there."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.store = SqlLeadStore(engine)

    async def _execute(self, statement: Any, values: Any = None) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(statement, values)

    async def _rows(self, query: Any) -> list[Any]:
        async with self.engine.connect() as connection:
            return list((await connection.execute(query)).all())

    async def add_campaign(self, settings: CampaignSettings, *, lists: Sequence[int] = ()) -> None:
        row = {
            "id": settings.campaign_id,
            "name": settings.name,
            "state": CampaignState.RUNNING.value,
            "settings": msgspec.json.encode(settings).decode(),
            "state_since": NOW,
            "created_at": NOW,
        }
        await self._execute(insert(CAMPAIGNS), row)
        about = {"campaign_id": settings.campaign_id, "created_at": NOW}
        if lists:
            await self._execute(insert(LISTS), [{"id": list_id, "name": f"L{list_id}", **about} for list_id in lists])

    async def switch_list(self, list_id: int, *, active: bool) -> None:
        await self._execute(update(LISTS).where(LISTS.c.id == list_id).values(active=active))

    async def add_lead(self, lead: LeadRow) -> None:
        await self.add_leads([lead])

    async def add_leads(self, leads: Sequence[LeadRow]) -> None:
        """Add leads and their customers, who must be new."""
        rows = [{column.name: getattr(lead, _FIELDS[column.name]) for column in lead_columns()} for lead in leads]
        async with self.engine.begin() as connection:
            await connection.execute(insert(models.Customer), [_customer(lead) for lead in leads])
            await connection.execute(insert(LEADS), [{**row, "added_at": NOW} for row in rows])
            for table in ("customers", "leads") if connection.dialect.name == "postgresql" else ():
                await connection.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))  # noqa: S608 -- our own names

    async def change_lead(self, lead_id: int, **values: Any) -> None:
        await self._execute(update(LEADS).where(LEADS.c.id == lead_id).values(**values))

    async def correct_number(self, lead_id: int, number: str) -> None:
        await self.change_lead(lead_id, phone_e164=number)

    async def add_ban(self, ban: Ban) -> None:
        values = {name: getattr(ban, name) for name in Ban.__slots__ if name != "phone"}
        await self._execute(insert(BANS), {**values, "phone_e164": ban.phone, "created_at": NOW})

    async def lead(self, lead_id: int) -> LeadRow | None:
        rows = await self._rows(select(*lead_columns()).where(LEADS.c.id == lead_id))
        return lead_of(rows[0]) if rows else None

    async def attempt(self, call_id: str) -> AttemptRow:
        columns = [ATTEMPTS.c["phone_e164" if name == "phone" else name] for name in ATTEMPT_FIELDS]
        return AttemptRow(*(await self._rows(select(*columns).where(ATTEMPTS.c.call_id == call_id)))[0])

    async def records(self) -> list[tuple[int, bytes]]:
        outbox = models.OutboxRecord
        rows = await self._rows(select(outbox.offset, outbox.value).order_by(outbox.offset))
        return [(row[0], row[1]) for row in rows]

    async def runtime(self, campaign_id: int) -> tuple[bytes, float]:
        query = select(CAMPAIGNS.c.runtime, CAMPAIGNS.c.runtime_at).where(CAMPAIGNS.c.id == campaign_id)
        runtime, at = (await self._rows(query))[0]
        return bytes(runtime), at

    async def callbacks(self) -> list[CallbackRow]:
        of = models.Callback
        columns = (of.campaign_id, of.lead_id, of.customer_id, of.phone_e164, of.due_at, of.reason, of.agent)
        return [CallbackRow(*row) for row in await self._rows(select(*columns).where(of.done_at.is_(None)))]

    async def forget(self, campaign_id: int, *, now: float) -> None:
        async with self.engine.begin() as connection:
            await connection.run_sync(lambda db: learning.forget(db, campaign_id, now=now))


_FIELDS = {column.name: "phone" if column.name == "phone_e164" else column.name for column in lead_columns()}


def _customer(lead: LeadRow) -> dict[str, Any]:
    return {
        "id": lead.customer_id,
        "code": f"KH{lead.customer_id:06d}",
        "phone_e164": phone(500_000 + lead.customer_id),  # the lead may be about a further number of the customer
        "name": lead.name,
        "created_at": NOW,
        "updated_at": NOW,
    }


def phone(number: int) -> str:
    """Return a synthetic number."""
    return f"+84000{number:06d}"


def settings(campaign_id: int = 1, **values: Any) -> CampaignSettings:
    """Return a campaign's settings."""
    return CampaignSettings(campaign_id, f"Campaign {campaign_id}", **values)


def new_lead(lead_id: int, *, campaign_id: int = 1, list_id: int = 10, number: int = 0, **values: Any) -> LeadRow:
    """Return a lead that was never called; its phone number is its own unless `number` says so."""
    name = f"Khách {lead_id}"
    return LeadRow(lead_id, lead_id, campaign_id, list_id, phone(number or lead_id), name, **values)


async def standing(world: World, count: int = 1, **values: Any) -> Fence:
    """Make campaign 1 with list 10 and leads 1..count, and take it."""
    await world.add_campaign(settings(1, **values), lists=[10])
    if count:
        await world.add_leads([new_lead(lead_id) for lead_id in range(1, count + 1)])
    return await take(world)


async def take(world: World, campaign_id: int = 1, *, owner: str = "a", now: float = NOW) -> Fence:
    """Acquire a campaign that is free."""
    fence = await world.store.acquire(campaign_id, owner=owner, now=now, ttl_s=30.0)
    assert fence is not None
    return fence


async def commit(world: World, fence: Fence, *effects: StoreEffect, now: float = NOW) -> list[Any]:
    """Commit a batch under one fence and return the answers."""
    answers = await world.store.commit([Owned(fence, effect) for effect in effects], now=now)
    assert all(campaign_id == fence.campaign_id for campaign_id, _ in answers)
    return [answer for _, answer in answers]


async def leased(world: World, fence: Fence, count: int = 100, *, now: float = NOW) -> list[Lead]:
    """Lease leads."""
    (answer,) = await commit(world, fence, LeaseLeads(count), now=now)
    assert isinstance(answer, LeadsLeased)
    return list(answer.leads)


def intent(lead: Lead, *, at: float = NOW) -> AttemptIntent:
    """Return the intent to call a leased lead."""
    return AttemptIntent(
        call_id=f"call-{next(_SERIAL)}",
        lead_id=lead.lead_id,
        customer_id=lead.customer_id,
        list_id=lead.list_id,
        phone=lead.phone,
        hotline="19001000",
        trunk="sim",
        attempt_no=lead.dialed + 1,
        begun_at=at,
    )


async def begin(world: World, fence: Fence, *intents: AttemptIntent, now: float = NOW) -> AttemptsBegun:
    """Begin attempts."""
    (answer,) = await commit(world, fence, BeginAttempts(intents), now=now)
    assert isinstance(answer, AttemptsBegun)
    return answer


async def begun(world: World, fence: Fence, *, now: float = NOW) -> AttemptIntent:
    """Lease one lead and begin an attempt with it."""
    lead = (await leased(world, fence, 1, now=now))[0]
    wanted = intent(lead, at=now)
    assert (await begin(world, fence, wanted, now=now)).begun == (wanted.call_id,)
    return wanted


def record(of: AttemptIntent, *, at: float = NOW + 20, facts: AttemptFacts, **values: Any) -> AttemptRecord:
    """Return the record of a finished attempt as the engine would classify it."""
    verdict = classify(facts)
    trigger, kind = trigger_for(verdict)
    made = AttemptRecord(
        call_id=of.call_id,
        lead_id=of.lead_id,
        customer_id=of.customer_id,
        list_id=of.list_id,
        phone=of.phone,
        hotline=of.hotline,
        trunk=of.trunk,
        attempt_no=of.attempt_no,
        started_at=of.begun_at,
        ended_at=at,
        facts=facts,
        verdict=verdict,
        lead_trigger=None if trigger is Trigger.ANSWERED else trigger,
        error_kind=kind,
    )
    return msgspec.structs.replace(made, **values)


def talk(of: AttemptIntent, *, at: float = NOW + 60, agent: str = "an", **values: Any) -> AttemptRecord:
    """Return the record of a talk whose lead waits for the wrap-up."""
    times = {"ringing_at": at - 50, "answered_at": at - 40, "bridged_at": at - 39, "agent_id": agent, **values}
    facts = AttemptFacts(sip_status=200, rang=True, answered=True, agent_bridged=True)
    return record(of, at=at, facts=facts, **times)


RANG_OUT = AttemptFacts(sip_status=480, rang=True)
REFUSED = AttemptFacts(sip_status=486, rang=True)
NEVER_RANG = AttemptFacts(sip_status=480)
TRUNK_DOWN = AttemptFacts(sip_status=503)

__all__ = [
    "HOUR",
    "NEVER_RANG",
    "NOW",
    "RANG_OUT",
    "REFUSED",
    "TRUNK_DOWN",
    "LeadResult",
    "MemoryWorld",
    "OutboxEvent",
    "Owned",
    "RecordProgress",
    "ReleaseLeads",
    "SettleAttempt",
    "SettleLead",
    "SqlWorld",
    "World",
    "begin",
    "begun",
    "commit",
    "events",
    "intent",
    "leased",
    "new_lead",
    "phone",
    "record",
    "settings",
    "standing",
    "take",
    "talk",
]
