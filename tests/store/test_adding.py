from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.core.types import CampaignSettings
from store.adding import NewLead, add_leads
from store.bulk import reserve_ids
from store.load import BANS, CAMPAIGNS, CUSTOMERS, LEADS, LISTS
from store.models import OutboxRecord

NOW = 1_800_000_000.0
CAMPAIGN = CampaignSettings(1, "Tết")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.component("postgresql"))])
def engine(request: pytest.FixtureRequest) -> AsyncEngine:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, AsyncEngine)
    return found


def phone(serial: int) -> str:
    return f"+8495{serial:07d}"


def prepare(db: Connection, count: int) -> None:
    campaign = {"id": 1, "name": "Tết", "state": "draft", "state_since": NOW, "settings": "{}", "created_at": NOW}
    db.execute(insert(CAMPAIGNS).values({**campaign, "revision": 0, "epoch": 0, "resumes_by_schedule": False}))
    db.execute(insert(LISTS).values(id=1, campaign_id=1, name="l", active=True, created_at=NOW))
    rows = [
        {"id": n, "code": f"K{n}", "phone_e164": phone(n), "name": "", "name_sort": "", "extra": {},
         "created_at": NOW, "updated_at": NOW}
        for n in range(1, count + 1)
    ]  # fmt: skip
    db.execute(insert(CUSTOMERS), rows)


async def test_leads_come_in_dialable_or_held_with_their_events(engine: AsyncEngine) -> None:
    bans: list[tuple[int, dict[str, Any]]] = [
        (1, {"kind": "dnc", "scope": "all"}), (2, {"kind": "blacklist"}), (3, {"kind": "dnc", "scope": "messages"}),
        (4, {"kind": "blacklist", "until": NOW - 1}), (5, {"kind": "blacklist", "campaign_id": 2}),
        (6, {"kind": "no_recall", "until": NOW + 9}),
    ]  # fmt: skip

    def work(db: Connection) -> None:
        prepare(db, 6)
        for serial, ban in bans:
            db.execute(
                insert(BANS).values(
                    {"phone_e164": phone(serial), "created_at": NOW, "reason": "", "scope": "all", **ban}
                )
            )
        add_leads(db, CAMPAIGN, 1, [NewLead(n, phone(n), NOW + n if n == 3 else None) for n in range(1, 7)], now=NOW)
        add_leads(db, CAMPAIGN, 1, [], now=NOW)

    async with engine.begin() as db:
        await db.run_sync(work)
    async with engine.connect() as db:
        leads = (await db.execute(select(LEADS).order_by(LEADS.c.customer_id))).all()
        keys = (await db.execute(select(OutboxRecord.key).order_by(OutboxRecord.offset))).scalars().all()
    assert [lead.state for lead in leads] == ["dnc", "blacklisted", *["not_called"] * 4]
    assert [lead.remembered for lead in leads] == ["not_called"] * 2 + [None] * 4
    assert [lead.due_at for lead in leads] == [None, None, NOW + 3, 0, 0, 0]
    assert (leads[0].version, leads[0].status_attempts, leads[0].attempts, leads[0].reconcile) == (1, {}, 0, False)
    assert keys == [str(lead.id) for lead in leads]


async def test_ids_are_never_given_twice(engine: AsyncEngine) -> None:
    given: list[int] = []

    def work(db: Connection) -> None:
        prepare(db, 3)
        for n in (1, 2, 3):
            add_leads(db, CAMPAIGN, 1, [NewLead(n, phone(n))], now=NOW)
            given.append(db.execute(select(LEADS.c.id)).scalar_one())
            db.execute(delete(LEADS))

    async with engine.begin() as db:
        await db.run_sync(work)
        more = await db.run_sync(lambda sync: list(reserve_ids(sync, LEADS, 3)))
    assert sorted({*given, *more}) == sorted([*given, *more])
