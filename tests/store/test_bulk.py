"""Keys and rows that are handed over whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest
from sqlalchemy import Table, delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from store.bulk import BulkInsert, BulkUpdate, among
from store.models import AppSetting, OutboxRecord

TABLE = cast("Table", AppSetting.__table__)


@dataclass
class Pair:
    key: str
    value: str
    name: str = ""


@dataclass
class OutboxRow:
    offset: int
    created_at: float
    event_id: str
    key: str
    type: str
    value: bytes


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncEngine:
    async with engine.begin() as connection:
        await connection.execute(delete(AppSetting))
        pairs = [Pair(str(number), "Đường 'số' \"1\"") for number in range(40_000)]
        await connection.run_sync(BulkInsert(TABLE, ["key", "value"]).run, pairs)
    return engine


async def test_more_keys_than_a_statement_has_parameters(filled: AsyncEngine) -> None:
    keys = [str(number) for number in range(39_999)] + ["unknown"]
    async with filled.connect() as connection:
        query = select(AppSetting.key).where(among(TABLE.c.key))
        assert len((await connection.execute(query, {"keys": keys})).all()) == 39_999
        assert (await connection.execute(query, {"keys": []})).all() == []
        assert (await connection.execute(query, {"keys": ["'; --"]})).all() == []


async def test_rows_are_taken_from_attributes_by_name(filled: AsyncEngine) -> None:
    changed = BulkUpdate(TABLE, "key", ["value"], key="name")
    async with filled.begin() as connection:
        await connection.run_sync(changed.run, [Pair("", "new", name="7"), Pair("", "no", name="unknown")])
        await connection.run_sync(changed.run, [])
        found = (await connection.execute(select(AppSetting.value).where(AppSetting.key.in_(["7", "8"])))).scalars()
        assert sorted(found) == ["new", "Đường 'số' \"1\""]


async def test_keys_find_their_rows_by_index(filled: AsyncEngine) -> None:
    query = select(AppSetting.value).where(among(TABLE.c.key))
    words = str(query.compile(dialect=filled.dialect))
    if filled.dialect.name == "sqlite":
        async with filled.connect() as connection:
            plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", ("[]",))).all()
        assert f"SEARCH {TABLE.name} USING INDEX" in str(plan)
    assert "= 1" not in words


async def test_every_kind_of_value_arrives_unchanged(engine: AsyncEngine) -> None:
    """Text, JSON, numbers, flags, bytes, and none of them."""
    table = cast("Table", OutboxRecord.__table__)
    rows = [
        OutboxRow(1, 1.5, "a", "9", "x", b"\x00\xff"),
        OutboxRow(2, 0.1 + 0.2, "b", "Đường 'số'", "{}", b""),
    ]
    names = ["offset", "created_at", "event_id", "key", "type", "value"]
    async with engine.begin() as connection:
        await connection.run_sync(BulkInsert(table, names).run, rows)
        found = (await connection.execute(select(*(table.c[name] for name in names)).order_by(table.c.offset))).all()
    assert [OutboxRow(*row) for row in found] == rows
