"""A served console: seeded (`console`) or with nothing in it (`empty_console`), each in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.web.served import Console, Visit, ready


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    running = Console(tmp_path_factory.mktemp("console"))
    yield running
    assert running.close() == 0


@pytest.fixture
def empty_console(tmp_path: Path) -> Iterator[Console]:
    running = Console(tmp_path, "--empty")
    yield running
    assert running.close() == 0


@pytest.fixture
def visit(console: Console, chromium_page: Page) -> Visit:
    """Sign in at a path of the console, at desktop size, and wait until its websocket lives."""
    chromium_page.set_default_timeout(20_000)

    async def go(path: str) -> Page:
        await chromium_page.goto(console.link(path))
        await ready(chromium_page)
        return chromium_page

    return go
