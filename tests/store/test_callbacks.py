"""Tasks for people: one open task a number and campaign, closed by a talk."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.ext.asyncio import AsyncEngine

from store.callbacks import follow_up
from store.models import Callback
from store.rows import CallbackRow
from tests.store.worlds import NOW, phone


def task(number: int, *, campaign_id: int = 1, due_at: float = NOW, agent: str | None = None) -> CallbackRow:
    return CallbackRow(campaign_id, number, number, phone(number), due_at, "missed_call", agent)


async def test_missed_calls_of_a_number_count_in_its_open_task_and_a_talk_closes_all_of_it(
    engine: AsyncEngine,
) -> None:
    def work(db: Connection) -> None:
        follow_up(db, [task(1, agent="an"), task(1, due_at=NOW + 9), task(2), task(1, campaign_id=2)], {}, now=NOW)
        of = Callback
        kept = select(of.campaign_id, of.phone_e164, of.calls, of.due_at, of.agent, of.done_by).order_by(of.id)
        assert [tuple(row) for row in db.execute(kept)] == [
            (1, phone(1), 2, NOW + 9, "an", None),
            (1, phone(2), 1, NOW, None, None),
            (2, phone(1), 1, NOW, None, None),
        ]
        follow_up(db, [], {phone(1): ("binh", NOW + 20)}, now=NOW + 20)
        assert [row.done_by for row in db.execute(kept)] == ["binh", None, "binh"]
        follow_up(db, [task(1)], {}, now=NOW + 30)
        assert [row.calls for row in db.execute(kept)] == [2, 1, 1, 1]

    async with engine.begin() as connection:
        await connection.run_sync(work)
