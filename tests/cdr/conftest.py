"""A real analytics database for each test: chDB on a folder of its own, or a fresh database of a server over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from cdr.choose import open_analytics
from cdr.clickhouse import Analytics
from cdr.retention import KEEP, Retention

OpenAnalytics = Callable[..., Awaitable[Analytics]]
BACKENDS = [
    pytest.param("chdb", marks=pytest.mark.component("chdb")),
    pytest.param("clickhouse", marks=pytest.mark.component("clickhouse")),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "analytics"


@pytest.fixture(params=BACKENDS)
async def reopen(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[OpenAnalytics]:
    """Give a function that opens the test's database, empty at first; one process holds a chDB folder open once."""
    url = "" if request.param == "chdb" else str(request.getfixturevalue("clickhouse_url"))
    made: list[Analytics] = []

    async def open_it(retention: Retention = KEEP) -> Analytics:
        made.append(await open_analytics(folder, url=url, retention=retention))
        return made[-1]

    yield open_it
    for analytics in made:
        await analytics.close()


@pytest.fixture
async def analytics(reopen: OpenAnalytics) -> AsyncIterator[Analytics]:
    opened = await reopen()
    yield opened
    await opened.close()
