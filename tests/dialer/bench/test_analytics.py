"""A place to measure in is empty, and gone afterwards."""

from __future__ import annotations

import pytest

from dialer.bench.analytics import own_analytics
from tests.plugins.clickhouse import send


async def test_a_servers_database_is_dropped_after_a_failure_too(clickhouse_server: str) -> None:
    async def fail() -> None:
        async with own_analytics(clickhouse_server) as analytics:
            assert [tuple(row) for row in await analytics.query("SELECT count() FROM call_events", {})] == [(0,)]
            assert "dialer_bench_" in send(clickhouse_server, "SHOW DATABASES")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert "dialer_bench_" not in send(clickhouse_server, "SHOW DATABASES")


@pytest.mark.component("chdb")
async def test_without_an_address_it_is_a_folder_that_is_removed() -> None:
    async with own_analytics("") as analytics:
        assert list(await analytics.query("SELECT count() FROM calls", {})) == [(0,)]
        folder = analytics.where
    async with own_analytics("") as analytics:
        assert analytics.where != folder
