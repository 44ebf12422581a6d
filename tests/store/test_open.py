"""Opening a database: what is refused, in which words, and how it is set up."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.errors import BadInput
from store.open import open_database, readers, sessions


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("no url at all", "not a database URL"),
        ("mysql://host/db", "must be sqlite:///PATH"),
        ("sqlite:///{tmp}/missing/dialer.db", "does not exist"),
        ("sqlite:///{tmp}", "is a folder"),
    ],
)
def test_a_database_that_cannot_be_is_refused(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        open_database(url.format(tmp=tmp_path))


def test_a_password_is_not_told() -> None:
    with pytest.raises(BadInput) as caught:
        open_database("mysql://me:s3cret@host/db")
    assert "s3cret" not in str(caught.value)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "leads.xlsx"
    path.write_bytes(b"PK\x03\x04 a workbook, not a database")
    with pytest.raises(BadInput, match="not an SQLite database"):
        open_database(f"sqlite:///{path}")
    assert path.read_bytes().startswith(b"PK")


async def test_readers_do_not_wait_for_a_writer(sqlite: AsyncEngine) -> None:
    async with sqlite.begin() as writer:
        await writer.execute(text("INSERT INTO app_settings (key, value) VALUES ('a', '1')"))
        async with readers(sqlite).connect() as reader:
            assert (await reader.execute(text("SELECT count(*) FROM app_settings"))).scalar_one() == 0
    async with sessions(sqlite)() as session:
        assert (await session.execute(text("SELECT value FROM app_settings"))).scalar_one() == "1"


async def test_commits_survive_the_power(sqlite: AsyncEngine) -> None:
    async with sqlite.connect() as connection:
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar_one() == "wal"
        assert (await connection.execute(text("PRAGMA synchronous"))).scalar_one() == 2
        assert (await connection.execute(text("PRAGMA foreign_keys"))).scalar_one() == 1
