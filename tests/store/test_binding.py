"""A projection is bound to one log and one analytics database; anything else is refused until it is made anew."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.errors import DialerError
from dialer.ports import OffsetRange, RangeFenced
from store.binding import Bound, begin_anew, bind, is_elsewhere, rebind
from store.ledger import SqlOffsetLedger

HERE = Bound("the outbox", "2026-11-25T08:00:00.000Z")
OTHER_LOG = HERE._replace(log="Kafka's topic cdr.events")
OTHER_FOLDER = HERE._replace(analytics="2026-11-26T09:00:00.000Z")


async def projected(engine: AsyncEngine) -> SqlOffsetLedger:
    ledger = SqlOffsetLedger(engine)
    for projection in ("clickhouse", "webhook"):
        await ledger.begin(projection, OffsetRange(0, 1, 50))
        await ledger.confirm(projection, OffsetRange(0, 1, 50))
    return ledger


async def test_it_is_bound_once_and_stays_so(engine: AsyncEngine) -> None:
    await projected(engine)
    await bind(engine, "clickhouse", HERE)
    await bind(engine, "clickhouse", HERE)
    with pytest.raises(DialerError, match=r"the outbox, and the event log is Kafka's topic cdr\.events now"):
        await bind(engine, "clickhouse", OTHER_LOG)
    with pytest.raises(DialerError, match=r"made at 2026-11-25T08.*made at 2026-11-26T09.*bring that one back"):
        await bind(engine, "clickhouse", OTHER_FOLDER)
    await bind(engine, "clickhouse", HERE)


async def test_a_projection_that_was_never_bound_is_nowhere_else(engine: AsyncEngine) -> None:
    assert not await is_elsewhere(engine, "clickhouse", HERE)


async def test_one_of_two_that_begin_at_once_is_refused(engine: AsyncEngine) -> None:
    done = await asyncio.gather(
        bind(engine, "clickhouse", HERE), bind(engine, "clickhouse", OTHER_FOLDER), return_exceptions=True
    )
    assert sorted(map(type, done), key=str) == sorted([type(None), DialerError], key=str)


async def test_another_log_begins_at_its_start_and_is_bound_when_it_is_there(engine: AsyncEngine) -> None:
    ledger = await projected(engine)
    await bind(engine, "clickhouse", HERE)
    assert await is_elsewhere(engine, "clickhouse", OTHER_LOG)
    await begin_anew(engine, "clickhouse", OTHER_LOG)
    assert await ledger.positions("clickhouse") == {0: 0}
    with pytest.raises(RangeFenced):
        await ledger.begin("clickhouse", OffsetRange(0, 1, 5))  # the old log's projector waits
    assert await ledger.positions("webhook") == {0: 50}
    with pytest.raises(DialerError, match="projected from the outbox"):
        await bind(engine, "clickhouse", OTHER_LOG)
    await rebind(engine, "clickhouse", OTHER_LOG)
    await bind(engine, "clickhouse", OTHER_LOG)
    assert await ledger.positions("clickhouse") == {}
    await ledger.begin("clickhouse", OffsetRange(0, 1, 5))
    assert await ledger.positions("webhook") == {0: 50}


async def test_another_folder_is_projected_again_to_the_same_position(engine: AsyncEngine) -> None:
    ledger = await projected(engine)
    await bind(engine, "clickhouse", HERE)
    assert not await is_elsewhere(engine, "clickhouse", OTHER_FOLDER)
    await begin_anew(engine, "clickhouse", OTHER_FOLDER)
    assert await ledger.positions("clickhouse") == {0: 50}
    await rebind(engine, "clickhouse", OTHER_FOLDER)
    await bind(engine, "clickhouse", OTHER_FOLDER)
    with pytest.raises(DialerError, match="projected into an analytics database"):
        await bind(engine, "clickhouse", HERE)
