from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.lead_actions import pause_lead
from crm.suppressing import Listing, suppress, unsuppress
from dialer.errors import BadInput
from store.models import Suppression
from tests.crm.worlds import NOW, campaign, change_lead, lead, moves, number, people


@pytest.mark.parametrize(("kind", "state", "rule"), [("dnc", "dnc", "T19"), ("blacklist", "blacklisted", "T18")])
@pytest.mark.req("S4-3.10", "S4-3.11")
async def test_every_lead_of_the_number_is_held_and_freed(
    engine: AsyncEngine, tmp_path: Path, kind: Listing, state: str, rule: str
) -> None:
    for name in ("Tết", "Hè"):
        await campaign(engine, name)
    here, other = await people(engine, tmp_path, 2)
    (there,) = await people(engine, tmp_path, 1, "Hè")
    await change_lead(engine, there, state="called_no_success", next_at=NOW)
    assert await suppress(engine, number(1), kind, now=NOW, reason="asked") == 2
    assert [(await lead(engine, one)).state for one in (here, other, there)] == [state, "not_called", state]
    assert await suppress(engine, number(1), kind, now=NOW) == 0
    async with engine.connect() as db:
        assert await db.scalar(select(func.count()).select_from(Suppression)) == 1
    assert await unsuppress(engine, number(1), kind, now=NOW) == 2
    assert [(await lead(engine, one)).state for one in (here, there)] == ["not_called", "called_no_success"]
    assert [data.rule for _, data in await moves(engine)][3:] == [rule, rule, "T20", "T20"]


async def test_a_pause_outlives_the_list(sqlite: AsyncEngine, tmp_path: Path) -> None:
    await campaign(sqlite)
    (only,) = await people(sqlite, tmp_path, 1)
    await pause_lead(sqlite, only, now=NOW)
    await suppress(sqlite, number(1), "dnc", now=NOW)
    assert (await lead(sqlite, only)).state == "dnc"
    await unsuppress(sqlite, number(1), "dnc", now=NOW)
    assert (await lead(sqlite, only)).state == "paused"


async def test_one_list_takes_over_from_the_other(sqlite: AsyncEngine, tmp_path: Path) -> None:
    await campaign(sqlite)
    (only,) = await people(sqlite, tmp_path, 1)
    states = []
    changes: list[tuple[Any, Listing]] = [
        (suppress, "blacklist"), (suppress, "dnc"), (unsuppress, "dnc"), (unsuppress, "blacklist")
    ]  # fmt: skip
    for change, kind in changes:
        await change(sqlite, number(1), kind, now=NOW)
        states.append((await lead(sqlite, only)).state)
    assert states == ["blacklisted", "dnc", "blacklisted", "not_called"]


async def test_finished_leads_and_calls_are_left_alone(sqlite: AsyncEngine, tmp_path: Path) -> None:
    for name in ("Tết", "Hè"):
        await campaign(sqlite, name)
    (done,) = await people(sqlite, tmp_path, 1)
    (calling,) = await people(sqlite, tmp_path, 1, "Hè")
    await change_lead(sqlite, done, state="success")
    await change_lead(sqlite, calling, state="in_progress", remembered="not_called")
    assert await suppress(sqlite, number(1), "dnc", now=NOW) == 0
    assert [(await lead(sqlite, one)).state for one in (done, calling)] == ["success", "in_progress"]


async def test_only_numbers_are_listed(sqlite: AsyncEngine) -> None:
    with pytest.raises(BadInput, match="is not a phone number"):
        await suppress(sqlite, "ai đó", "dnc", now=NOW)
    assert await suppress(sqlite, number(9), "dnc", now=NOW) == 0
