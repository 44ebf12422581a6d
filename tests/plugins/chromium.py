"""Chromium for tests: the machine's own browser, driven through Playwright; nothing is downloaded."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.plugins.components import Absent, Found, register

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",  # tests may run as root; they open only pages of their own
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
START_TIMEOUT_MS = 60_000.0


@functools.cache
def executable() -> str | None:
    """Find the browser on PATH."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def _probe() -> Found | Absent:
    program = executable()
    if program is None:
        return Absent(f"none of {', '.join(NAMES)} is on PATH: install chromium")
    version = subprocess.run([program, "--version"], check=False, capture_output=True, text=True)
    return Found(version.stdout.strip() or program)


register("chromium", _probe, fixtures=["chromium_browser", "chromium_page"])


@pytest.fixture
async def chromium_browser() -> AsyncIterator[Browser]:
    """Give a headless browser of the test's own."""
    program = executable()
    assert program is not None, "the component's probe found a browser"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=list(ARGUMENTS), headless=True, timeout=START_TIMEOUT_MS
        )
        yield browser
        await browser.close()


@pytest.fixture
async def chromium_page(chromium_browser: Browser) -> AsyncIterator[Page]:
    """Give an empty page (Playwright's async interface) at desktop size; `set_viewport_size` makes it a phone's."""
    page = await chromium_browser.new_page(viewport={"width": 1280, "height": 800})
    yield page
    await page.close()
