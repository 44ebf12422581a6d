"""A crash at any named point leaves either the whole batch or nothing of it, and going on is safe."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from statuses.lead import LeadState
from store.lead_store import SqlLeadStore
from tests.store.worlds import (
    HOUR,
    NOW,
    RANG_OUT,
    SettleAttempt,
    SqlWorld,
    begin,
    begun,
    commit,
    events,
    intent,
    leased,
    record,
    standing,
)


class Died(Exception):
    """The process is gone."""


def dying_at(engine: AsyncEngine, point: str) -> SqlLeadStore:
    def fault(reached: str) -> None:
        if reached == point:
            raise Died(point)

    return SqlLeadStore(engine, fault=fault)


@pytest.mark.parametrize("point", ["commit.before", "begin.before_commit"])
async def test_dying_before_an_intent_commits_calls_nobody(engine: AsyncEngine, point: str) -> None:
    world = SqlWorld(engine)
    fence = await standing(world, 1)
    (lead,) = await leased(world, fence)
    wanted = intent(lead)
    world.store = dying_at(engine, point)
    with pytest.raises(Died):
        await begin(world, fence, wanted)
    world.store = SqlLeadStore(engine)
    left = await world.lead(1)
    assert left is not None
    assert (left.state, left.dialed, left.version) == (LeadState.NOT_CALLED, 0, 0)
    assert await events(world) == []
    assert (await begin(world, fence, wanted)).begun == (wanted.call_id,)


@pytest.mark.parametrize("point", ["begin.after_commit", "commit.after"])
async def test_dying_after_an_intent_committed_leaves_an_open_attempt(engine: AsyncEngine, point: str) -> None:
    world = SqlWorld(engine)
    fence = await standing(world, 1)
    (lead,) = await leased(world, fence)
    wanted = intent(lead)
    world.store = dying_at(engine, point)
    with pytest.raises(Died):
        await begin(world, fence, wanted)
    assert [found.intent for found in await world.store.open_attempts(1)] == [wanted]


@pytest.mark.parametrize(
    ("point", "done"), [("settle.before_commit", False), ("settle.after_commit", True), ("commit.after", True)]
)
async def test_a_settlement_is_whole_or_not_there(engine: AsyncEngine, point: str, done: bool) -> None:
    world = SqlWorld(engine)
    fence = await standing(world, 1)
    wanted = await begun(world, fence)
    settled = SettleAttempt(record(wanted, facts=RANG_OUT, next_at=NOW + HOUR))
    world.store = dying_at(engine, point)
    with pytest.raises(Died):
        await commit(world, fence, settled)
    world.store = SqlLeadStore(engine)
    left = await world.lead(1)
    assert left is not None
    assert (left.state == LeadState.CALLED_NO_SUCCESS) is done
    assert (await world.attempt(wanted.call_id)).settled is done
    assert len(await events(world, "cdr.finalized")) == done
    await commit(world, fence, settled)  # the driver did not hear of it and says it again
    left = await world.lead(1)
    assert left is not None
    assert (left.state, left.attempts) == (LeadState.CALLED_NO_SUCCESS, 1)
    assert len(await events(world, "cdr.finalized")) == 1
    assert [offset for offset, _ in await world.records()] == list(range(1, len(await world.records()) + 1))
