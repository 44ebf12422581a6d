from __future__ import annotations

import pytest
from playwright.async_api import Page


@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
async def test_a_real_page_is_laid_out_and_runs_script(chromium_page: Page, width: int) -> None:
    await chromium_page.set_viewport_size({"width": width, "height": 800})
    await chromium_page.set_content("<h1 id=words>Chiến dịch</h1>")
    assert await chromium_page.inner_text("#words") == "Chiến dịch"
    assert await chromium_page.evaluate("document.documentElement.clientWidth") == width
