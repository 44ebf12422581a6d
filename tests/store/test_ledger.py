"""Durable offset ranges: begun, confirmed, found again after a crash."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.ports import OffsetRange, RangeFenced
from store.ledger import SqlOffsetLedger
from tests.cdr.event_log_contract import OffsetLedgerContract


class TestSqlOffsetLedger(OffsetLedgerContract):
    @pytest.fixture
    def ledger(self, engine: AsyncEngine) -> SqlOffsetLedger:
        return SqlOffsetLedger(engine)


async def test_a_range_is_pending_until_it_is_confirmed(engine: AsyncEngine) -> None:
    ledger = SqlOffsetLedger(engine)
    assert (await ledger.position("calls", 0), await ledger.pending("calls", 0)) == (0, None)
    first = OffsetRange(0, 1, 50)
    await ledger.begin("calls", first)
    again = SqlOffsetLedger(engine)
    assert (await again.position("calls", 0), await again.pending("calls", 0)) == (0, first)
    await again.confirm("calls", first)
    assert (await ledger.position("calls", 0), await ledger.pending("calls", 0)) == (50, None)
    await ledger.begin("calls", OffsetRange(0, 51, 60))
    assert (await ledger.position("calls", 0), await ledger.pending("calls", 0)) == (50, OffsetRange(0, 51, 60))


async def test_projections_and_partitions_stand_by_themselves(engine: AsyncEngine) -> None:
    ledger = SqlOffsetLedger(engine)
    await ledger.begin("calls", OffsetRange(0, 1, 5))
    await ledger.confirm("calls", OffsetRange(0, 1, 5))
    assert await ledger.position("calls", 1) == 0
    assert await ledger.position("leads", 0) == 0


async def test_of_many_projectors_at_once_one_begins(engine: AsyncEngine) -> None:
    async def begin(last: int) -> int:
        try:
            await SqlOffsetLedger(engine).begin("calls", OffsetRange(0, 1, last))
        except RangeFenced:
            return 0
        return last

    (won,) = set(await asyncio.gather(*(begin(last) for last in range(5, 15)))) - {0}
    assert await SqlOffsetLedger(engine).pending("calls", 0) == OffsetRange(0, 1, won)
