"""The demo as a newcomer meets it: a link, leads that change status, records to search, a stop that cuts nobody off."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from cdr.folder_lock import FolderLock
from tests.dialer.process import run, started

DEMO = ("demo", "--port", "0", "--speed", "20", "--leads", "60", "--agents", "8")
pytestmark = [pytest.mark.component("sqlite"), pytest.mark.component("chdb"), pytest.mark.timeout(600)]


async def link_of(demo: object) -> str:
    line = await demo.line_with("/login?token=")  # type: ignore[attr-defined]
    found = re.search(r"http://127\.0\.0\.1:\d+/login\?token=\S+", line)
    assert found is not None
    return found.group()


@pytest.mark.component("chromium")
@pytest.mark.req("S0-2", "S0-10", "S0-11")
async def test_leads_change_status_before_the_viewers_eyes(tmp_path: Path, chromium_page: Page) -> None:
    async with started(tmp_path, *DEMO) as demo:
        link = await link_of(demo)
        await chromium_page.goto(link)
        await expect(chromium_page.get_by_text("Đang chạy")).to_be_visible(timeout=30_000)
        await chromium_page.goto(link.split("/login")[0] + "/leads")
        statuses = chromium_page.locator("tbody tr td:nth-child(4)")
        await expect(statuses.first).to_be_visible(timeout=30_000)
        seen: set[tuple[str, ...]] = set()
        for _ in range(120):
            seen.add(tuple(text.strip() for text in await statuses.all_inner_texts()))
            if len(seen) > 2 and any("A1" in row for row in seen):
                break
            await asyncio.sleep(0.5)
        assert len(seen) > 2, "the page follows the calls without being reloaded"
        assert any("A1" in row for row in seen), seen
        code, out = await demo.stop()
        assert code == 0, out
        assert "records verified" in out


async def test_a_running_demo_answers_the_command_line_and_drains_when_stopped(tmp_path: Path) -> None:
    async with started(tmp_path, *DEMO) as demo:
        await link_of(demo)
        for _ in range(60):
            code, out, err = await run(tmp_path, "cdr", "search", "--limit", "5", "--json")
            assert code == 0, err
            if json.loads(out):
                break
            await asyncio.sleep(1)
        assert json.loads(out)
        code, out, err = await run(tmp_path, "campaign", "status", "--json")
        assert code == 0, err
        assert "Chăm sóc khách hàng (demo)" in out
        second = await run(tmp_path, "demo", "--port", "0")
        assert second[0] == 2
        assert "is served by process" in second[2]
        code, out = await demo.stop()
        assert code == 0, out
        assert "records verified" in out
        assert "Traceback" not in out
    assert not (tmp_path / "service.json").exists()
    left = [line for line in (tmp_path / "dialer.log").read_text().splitlines() if '"level": "ERROR"' in line]
    assert left == []


async def test_until_done_ends_by_itself_with_the_report(tmp_path: Path) -> None:
    words = ("demo", "--headless", "--until-done", "--speed", "200", "--leads", "25", "--agents", "4", "--json")
    table = tmp_path / "carrier.toml"
    entry = '[[override]]\ntrunk = "sim"\nsip = {}\nstatus = "phone-block"\n'
    table.write_text("".join(entry.format(sip) for sip in (486, 600, 603)))
    code, out, err = await run(tmp_path, *words, "--overrides", str(table), wait_s=270)
    assert code == 0, err
    report = json.loads(out[out.index("{") :])
    assert report["verified"]
    assert sum(report["statuses"].values()) == report["attempts"] >= 25
    assert "busy" not in report["statuses"]
    assert sum(report["leads"].values()) == 25
    assert "in_progress" not in report["leads"]
    again = await run(tmp_path, *words, wait_s=270)
    assert again[0] == 0, again[2]
    assert json.loads(again[1][again[1].index("{") :])["attempts"] == report["attempts"], (
        "an ended campaign is not dialed"
    )


async def test_a_taken_port_costs_one_line_and_nothing_is_made(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _, err = await run(tmp_path / "home", "demo", "--port", str(taken.getsockname()[1]), "--leads", "5")
    assert code == 2
    assert re.fullmatch(r"dialer: port \d+ on 127\.0\.0\.1 is taken .* --port\s*", err)
    assert not (tmp_path / "home" / "dialer.db").exists()


@pytest.mark.parametrize("more", [(), ("--fresh",)])
async def test_call_records_open_elsewhere_cost_one_line_and_nothing_is_made_or_lost(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    lock = FolderLock(tmp_path / "analytics")
    lock.acquire()
    try:
        code, _, err = await run(tmp_path, "demo", "--headless", "--leads", "5", *more)
    finally:
        lock.release()
    assert code == 2
    assert re.fullmatch(rf"dialer: .*analytics: the call records are open in process {os.getpid()}; .*\n", err)
    assert os.listdir(tmp_path) == ["analytics"]  # noqa: PTH208 -- asyncio rules out pathlib here


async def test_wrong_options_name_the_option(tmp_path: Path) -> None:
    code, _, err = await run(tmp_path, "demo", "--speed", "0")
    assert code == 2
    assert "--speed" in err
