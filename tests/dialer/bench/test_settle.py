"""The PostgreSQL bench really does the work that it times."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from dialer.bench.settle import bench_settle, find_pgbench, script
from dialer.errors import BadInput, DialerError
from store.load import ATTEMPTS, LEADS


def test_rows_become_as_many_transactions_with_every_kind_of_value() -> None:
    leads = [{"id": 1, "state": "it's", "status_attempts": {"busy": 1}, "next_at": None}] * 3
    outbox = [{"offset": number, "value": b"\x00%", "key": "a"} for number in range(1, 4)]
    text = script({LEADS.name: leads, ATTEMPTS.name: [], "outbox": outbox}, 2)
    assert text.count("BEGIN;") == text.count("COMMIT;") == 2
    assert text.count("INSERT INTO leads") == text.count("INSERT INTO outbox") == 2
    assert "(1, 'it''s', '{\"busy\":1}', NULL)" in text
    assert "'\\x0025'" in text


@pytest.mark.component("postgresql")
@pytest.mark.parametrize("url", ["sqlite:///x.db", "nonsense"])
def test_a_server_of_another_kind_is_refused(url: str) -> None:
    assert find_pgbench().exists()
    with pytest.raises(BadInput, match="needs postgresql"):
        bench_settle(url=url, attempts=1, batch=1, repeats=1, step=lambda _: None)


@pytest.mark.component("postgresql")
def test_a_server_that_is_away_is_named_without_its_password() -> None:
    url = "postgresql://me:secret@127.0.0.1:1/none"
    with pytest.raises(DialerError, match="cannot be reached") as caught:
        bench_settle(url=url, attempts=1, batch=1, repeats=1, step=lambda _: None)
    assert "secret" not in str(caught.value)


async def test_the_same_rows_are_settled_and_inserted(postgres_server: str) -> None:
    steps: list[str] = []

    def bench() -> None:
        result = bench_settle(url=postgres_server, attempts=60, batch=20, repeats=1, step=steps.append)
        by_name = {figure.name: figure.value for figure in result.figures}
        assert by_name["rows an attempt"] > 6
        assert by_name["attempts a second, pgbench"] > 0

    await asyncio.to_thread(bench)
    connection = await asyncpg.connect(postgres_server)
    try:
        left = await connection.fetch("SELECT datname FROM pg_database WHERE datname LIKE 'dialer_bench_%'")
    finally:
        await connection.close()
    assert left == []
    assert steps == ["PostgreSQL, begun to settled, 1 of 1", "pgbench, 1 of 1"]
