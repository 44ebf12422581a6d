from __future__ import annotations

import asyncio
import threading

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from cdr.aside import beside
from cdr.clickhouse import Analytics

pytestmark = pytest.mark.component("chdb")


async def test_settings_hold_beside_and_nowhere_else(analytics: Analytics) -> None:
    def work(client: Client) -> str:
        with beside(client, {"max_threads": 1, "readonly": 1}) as side:
            assert (side.folder is None) == client.uri.startswith("http")
            with pytest.raises(DatabaseError, match="READONLY"):
                side.client.command("CREATE TABLE x (y UInt8) ENGINE = Memory", settings=side.settings)
            return str(side.client.query("SELECT getSetting('max_threads')", settings=side.settings).result_rows[0][0])

    assert await analytics.aside(work) == "1"
    assert await analytics.query("SELECT toUInt8(getSetting('readonly'))", {}) == [(0,)]
    await analytics.command("CREATE TABLE x (y UInt8) ENGINE = Memory")


async def test_others_do_not_wait_for_what_is_aside(analytics: Analytics) -> None:
    begun, go = threading.Event(), threading.Event()

    def work(client: Client) -> bool:
        with beside(client, {}):
            begun.set()
            return go.wait(30)

    aside = asyncio.create_task(analytics.aside(work))
    assert await asyncio.to_thread(begun.wait, 30)
    assert await analytics.query("SELECT 1", {}) == [(1,)]
    go.set()
    assert await aside
