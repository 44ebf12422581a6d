"""Keys and rows that are handed over whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest
from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.expression import bindparam

from store.bulk import BulkStatement, among
from store.models import AppSetting

TABLE = cast("Table", AppSetting.__table__)


@dataclass
class Pair:
    key: str
    value: str
    name: str = ""


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncEngine:
    async with engine.begin() as connection:
        await connection.execute(delete(AppSetting))
        pairs = [Pair(str(number), "Đường 'số' \"1\"") for number in range(40_000)]
        await connection.run_sync(BulkStatement(insert(AppSetting), ["key", "value"]).run, pairs)
    return engine


async def test_more_keys_than_a_statement_has_parameters(filled: AsyncEngine) -> None:
    keys = [str(number) for number in range(39_999)] + ["unknown"]
    async with filled.connect() as connection:
        query = select(AppSetting.key).where(among(TABLE.c.key))
        assert len((await connection.execute(query, {"keys": keys})).all()) == 39_999
        assert (await connection.execute(query, {"keys": []})).all() == []
        assert (await connection.execute(query, {"keys": ["'; --"]})).all() == []


async def test_rows_are_taken_from_attributes_by_name(filled: AsyncEngine) -> None:
    changed = update(AppSetting).where(AppSetting.key == bindparam("name"))
    async with filled.begin() as connection:
        await connection.run_sync(BulkStatement(changed, ["value", "name"]).run, [Pair("", "new", name="7")])
        await connection.run_sync(BulkStatement(changed, ["value", "name"]).run, [])
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
