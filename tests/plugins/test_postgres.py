from __future__ import annotations

import asyncpg


async def connect(url: str) -> asyncpg.Connection:
    return await asyncpg.connect(url.replace("postgresql+asyncpg:", "postgresql:", 1))


async def test_the_database_is_real_and_empty(postgres_url: str) -> None:
    assert postgres_url.startswith("postgresql+asyncpg://")
    connection = await connect(postgres_url)
    try:
        assert "PostgreSQL" in await connection.fetchval("SELECT version()")
        assert await connection.fetchval("SELECT count(*) FROM pg_stat_user_tables") == 0
    finally:
        await connection.close()


async def test_a_session_left_open_does_not_keep_the_database(postgres_url: str) -> None:
    connection = await connect(postgres_url)
    await connection.execute("CREATE TABLE left_behind (id int)")
    connection.terminate()  # the fixture still drops the database


def test_a_plain_test_gets_one_too(postgres_url: str) -> None:
    assert postgres_url.rsplit("/", 1)[1].startswith("test_")
