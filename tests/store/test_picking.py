"""Leasing must stay quick on a million leads: the questions go by the indexes that were made for them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from store import picking
from store.load import ATTEMPTS, LEADS
from store.models import BUSY, UNFINISHED
from tests.store.worlds import NOW, SqlWorld, leased, new_lead, settings, take


async def plan(engine: AsyncEngine, query: Any) -> str:
    words = str(query.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True}))
    async with engine.connect() as connection:
        return "\n".join(row.detail for row in await connection.execute(text(f"EXPLAIN QUERY PLAN {words}")))


async def test_due_leads_come_from_their_index_without_sorting(sqlite: AsyncEngine) -> None:
    found = await plan(sqlite, picking._due(10, 4, NOW, 50))
    assert "ix_leads_dial (list_id=? AND dial_rank=? AND due_at<?)" in found
    assert "TEMP B-TREE" not in found


async def test_the_next_due_time_comes_from_the_index(sqlite: AsyncEngine) -> None:
    assert "ix_leads_dial (list_id=? AND dial_rank=? AND due_at>?)" in await plan(
        sqlite, picking._first_after(10, 3, NOW)
    )


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (select(LEADS.c.id).where(LEADS.c.campaign_id == 1, text(BUSY)), "ix_leads_busy"),
        (select(ATTEMPTS.c.call_id).where(ATTEMPTS.c.campaign_id == 1, text(UNFINISHED)), "ix_attempts_unfinished"),
        (
            select(ATTEMPTS.c.call_id).where(ATTEMPTS.c.phone_e164 == "+84", ATTEMPTS.c.begun_at > 1),
            "ix_attempts_phone",
        ),
    ],
    ids=["numbers in use", "open attempts", "calls of a number"],
)
async def test_guards_and_recovery_go_by_an_index(sqlite: AsyncEngine, query: Any, index: str) -> None:
    assert index in await plan(sqlite, query)


async def test_many_lists_are_asked_in_portions(sqlite: AsyncEngine) -> None:
    world = SqlWorld(sqlite)
    lists = range(10, 10 + picking._LISTS_AT_ONCE + 5)
    await world.add_campaign(settings(1), lists=lists)
    await world.add_leads([new_lead(n, list_id=list_id) for n, list_id in enumerate(lists, 1)])
    fence = await take(world)
    assert [lead.lead_id for lead in await leased(world, fence, 200)] == list(range(1, len(lists) + 1))
