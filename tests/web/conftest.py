"""A served console: seeded (`console`) or with nothing in it (`empty_console`), each in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.plugins.chromium import ARGUMENTS, START_TIMEOUT_MS, executable
from tests.web.served import Console, Visit, ready

expect.set_options(timeout=20_000)  # patience costs nothing where things are quick, and machines of tests are busy


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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium_browser() -> AsyncIterator[Browser]:
    """Give one browser to all tests of the console: their readers differ by context, and starting it takes seconds."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable(), args=list(ARGUMENTS), headless=True, timeout=START_TIMEOUT_MS
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def chromium_page(chromium_browser: Browser) -> AsyncIterator[Page]:
    """Give a page of a reader who was never here before, at desktop size."""
    context = await chromium_browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    yield await context.new_page()
    await context.close()


@pytest.fixture
def visit(console: Console, chromium_page: Page) -> Visit:
    """Sign in at a path of the console, at desktop size, and wait until its websocket lives."""
    chromium_page.set_default_timeout(20_000)

    async def go(path: str) -> Page:
        await chromium_page.goto(console.link(path))
        await ready(chromium_page)
        return chromium_page

    return go
