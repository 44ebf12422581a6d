from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.lead_actions import add_comment, edit_comment, pause_lead, remove_lead, set_call_at, start_lead
from crm.leads import need_lead
from dialer.errors import BadInput, IllegalAction, NotFound
from statuses.lead import LeadState
from store.models import Suppression
from tests.crm.worlds import NOW, call, campaign, campaign_row, change_lead, e164, lead, moves, people


@pytest.fixture
async def engine(sqlite: AsyncEngine) -> AsyncEngine:
    return sqlite


@pytest.fixture
async def only(engine: AsyncEngine, tmp_path: Path) -> int:
    await campaign(engine)
    return (await people(engine, tmp_path, 1))[0]


@pytest.mark.req("S4-18", "S4-20", "S4-3.9")
async def test_a_pause_holds_and_a_start_returns(engine: AsyncEngine, only: int) -> None:
    await change_lead(engine, only, state="called_no_success", next_at=NOW + 60, lease_owner="engine", lease_epoch=1)
    before = await campaign_row(engine)
    assert await pause_lead(engine, only, now=NOW) is LeadState.PAUSED
    held = await lead(engine, only)
    assert (held.state, held.remembered, held.due_at, held.lease_owner) == ("paused", "called_no_success", None, None)
    assert (await campaign_row(engine)).revision == before.revision + 1
    assert await start_lead(engine, only, now=NOW) is LeadState.CALLED_NO_SUCCESS
    again = await lead(engine, only)
    assert (again.state, again.due_at, again.version) == ("called_no_success", NOW + 60, held.version + 1)
    assert [data.rule for _, data in await moves(engine)] == ["T1", "T15", "T17"]


async def test_in_a_call_a_pause_and_a_removal_wait(engine: AsyncEngine, only: int) -> None:
    await change_lead(engine, only, state="in_progress", remembered="not_called")
    assert await pause_lead(engine, only, now=NOW) is LeadState.IN_PROGRESS
    assert (await lead(engine, only)).pending == "pause"
    assert await start_lead(engine, only, now=NOW) is LeadState.IN_PROGRESS
    assert (await lead(engine, only)).pending is None
    assert await remove_lead(engine, only, now=NOW) is False
    assert (await lead(engine, only)).pending == "remove"
    assert len(await moves(engine)) == 1


@pytest.mark.req("S4-19", "S0-16")
async def test_a_removed_lead_is_gone_and_its_attempts_stay(engine: AsyncEngine, only: int, tmp_path: Path) -> None:
    await call(engine, only, 1)
    assert await remove_lead(engine, only, now=NOW) is True
    assert await lead(engine, only) is None
    event, data = (await moves(engine))[-1]
    assert (event.lead_id, data.rule, data.state_to) == (only, "T21", None)
    with pytest.raises(NotFound, match=f"no lead {only}"):
        await remove_lead(engine, only, now=NOW)
    (back,) = await people(engine, tmp_path, 1)
    assert back > only
    assert (await need_lead(engine, back)).calls == 1


async def test_what_the_state_does_not_allow_is_refused(engine: AsyncEngine, only: int) -> None:
    with pytest.raises(IllegalAction, match=r"cannot apply start to a lead that is not_called .* allowed now: "):
        await start_lead(engine, only, now=NOW)
    await change_lead(engine, only, state="success")
    with pytest.raises(IllegalAction, match="cannot apply pause to a lead that is success"):
        await pause_lead(engine, only, now=NOW)
    with pytest.raises(NotFound):
        await pause_lead(engine, 999, now=NOW)


async def test_a_suppressed_number_is_not_started(engine: AsyncEngine, only: int) -> None:
    await pause_lead(engine, only, now=NOW)
    async with engine.begin() as db:
        await db.execute(insert(Suppression).values(phone_e164=e164(1), kind="dnc", created_at=NOW))
    with pytest.raises(IllegalAction, match=r"suppressed \(dnc\)"):
        await start_lead(engine, only, now=NOW)
    assert (await lead(engine, only)).state == "paused"


@pytest.mark.req("S4-15")
async def test_a_time_to_call_out(engine: AsyncEngine, only: int) -> None:
    await set_call_at(engine, only, NOW + 3600, now=NOW)
    appointed = await lead(engine, only)
    assert (appointed.call_at, appointed.due_at, appointed.dial_rank) == (NOW + 3600, NOW + 3600, 1)
    await set_call_at(engine, only, None, now=NOW)
    assert (await lead(engine, only)).due_at == 0
    await change_lead(engine, only, state="success")
    with pytest.raises(IllegalAction, match="only a lead not called yet"):
        await set_call_at(engine, only, NOW, now=NOW)
    with pytest.raises(BadInput, match="more than a year ago"):
        await set_call_at(engine, only, 1.0, now=NOW)
    with pytest.raises(NotFound):
        await set_call_at(engine, 999, None, now=NOW)


@pytest.mark.req("S0-13")
async def test_comments_are_written_and_changed(engine: AsyncEngine, only: int) -> None:
    comment = await add_comment(engine, only, "  gọi lại  ", author="admin", now=NOW)
    assert (await need_lead(engine, only)).comment == "gọi lại"
    await edit_comment(engine, comment, "thôi")
    assert (await need_lead(engine, only)).comment == "thôi"
    for wrong, words in (("  ", "nothing in it"), ("x" * 5000, "longer than 4000")):
        with pytest.raises(BadInput, match=words):
            await add_comment(engine, only, wrong, author="admin", now=NOW)
    with pytest.raises(NotFound, match="no comment 999"):
        await edit_comment(engine, 999, "x")
    with pytest.raises(NotFound, match="no lead 999"):
        await add_comment(engine, 999, "x", author="", now=NOW)
