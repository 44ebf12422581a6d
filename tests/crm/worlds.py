"""Small worlds for the tests of the services: a campaign, a file, leads in it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.events import Envelope, LeadMoved, decode
from crm.campaigns import create
from crm.importing import ImportResult, import_leads
from dialer.core.types import CallWindow, CampaignSettings, Slot
from store.models import Attempt, Campaign, Customer, Lead, OutboxRecord

NOW = 1_800_000_000.0
ALL_DAY = CallWindow(weekdays=((Slot(0, 1440),),) * 7)
SETTINGS = CampaignSettings(0, "Tết", window=ALL_DAY, hotlines=("+842873001234",))
COLUMNS = {"name": 1, "phone": 2, "email": 3}


def number(serial: int) -> str:
    """Return a number that reaches nobody, as people type it."""
    return f"095{serial:07d}"


def e164(serial: int) -> str:
    return f"+8495{serial:07d}"


async def campaign(engine: AsyncEngine, name: str = "Tết", **changes: Any) -> int:
    return await create(engine, msgspec.structs.replace(SETTINGS, name=name, **changes), now=NOW)


def csv_file(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


async def add(
    engine: AsyncEngine, folder: Path, rows: Sequence[Sequence[object]], name: str = "Tết", **options: Any
) -> ImportResult:
    """Import rows of (name, number, email) as a CSV file with a header."""
    path = csv_file(folder / "leads.csv", [["Họ tên", "Số", "Email"], *rows])
    wanted: dict[str, Any] = {"mapping": COLUMNS, "start_row": 2, "now": NOW, **options}
    return await import_leads(engine, path, name, **wanted)


async def people(engine: AsyncEngine, folder: Path, count: int, name: str = "Tết", *, first: int = 1) -> list[int]:
    """Add so many leads; return the ids of all leads of the campaign in order."""
    await add(engine, folder, [[f"Khách {n}", number(n), ""] for n in range(first, first + count)], name)
    async with engine.connect() as db:
        query = select(Lead.id).join(Campaign, Campaign.id == Lead.campaign_id).where(Campaign.name == name)
        return list((await db.execute(query.order_by(Lead.id))).scalars())


async def change_lead(engine: AsyncEngine, lead_id: int, **values: Any) -> None:
    async with engine.begin() as db:
        await db.execute(update(Lead).where(Lead.id == lead_id).values(**values))


async def lead(engine: AsyncEngine, lead_id: int) -> Any:
    async with engine.connect() as db:
        return (await db.execute(select(Lead.__table__).where(Lead.id == lead_id))).one_or_none()


async def customer(engine: AsyncEngine, phone: str) -> Any:
    async with engine.connect() as db:
        return (await db.execute(select(Customer.__table__).where(Customer.phone_e164 == phone))).one_or_none()


async def campaign_row(engine: AsyncEngine, name: str = "Tết") -> Any:
    async with engine.connect() as db:
        return (await db.execute(select(Campaign.__table__).where(Campaign.name == name))).one()


async def call(engine: AsyncEngine, lead_id: int, serial: int, *, begun_at: float = NOW) -> None:
    """Write down one attempt, as the store would."""
    found = await lead(engine, lead_id)
    values = {
        "call_id": f"call-{serial}", "campaign_id": found.campaign_id, "lead_id": lead_id, "list_id": found.list_id,
        "customer_id": found.customer_id, "phone_e164": found.phone_e164, "hotline": "1", "trunk": "t",
        "attempt_no": serial, "owner_epoch": 1, "begun_at": begun_at, "settled": True, "lead_done": True, "rang": True,
    }  # fmt: skip
    async with engine.begin() as db:
        await db.execute(insert(Attempt).values(values))


async def moves(engine: AsyncEngine) -> list[tuple[Envelope[Any], LeadMoved]]:
    """Decode every lead.state_changed of the outbox, in order."""
    async with engine.connect() as db:
        query = select(OutboxRecord.value).where(OutboxRecord.type == "lead.state_changed")
        values = (await db.execute(query.order_by(OutboxRecord.offset))).scalars().all()
    decoded = [decode(value) for value in values]
    found = []
    for one in decoded:
        assert isinstance(one.data, LeadMoved)
        found.append((one.event, one.data))
    return found
