"""A real chDB for each test, on a folder of its own: one process can hold one folder open at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cdr.clickhouse import Analytics, open_chdb


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "analytics"


@pytest.fixture
async def analytics(folder: Path) -> AsyncIterator[Analytics]:
    opened = await open_chdb(folder)
    yield opened
    await opened.close()
