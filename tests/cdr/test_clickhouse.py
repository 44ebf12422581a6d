from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import Error

from cdr.clickhouse import Analytics, open_chdb
from cdr.clickhouse_errors import AnalyticsFailed
from cdr.project import project
from dialer.errors import DialerError, ResourceBusy
from dialer.ports import LogRecord
from tests.cdr.conftest import OpenAnalytics
from tests.cdr.samples import life, log_of, phone

embedded_only = pytest.mark.parametrize("reopen", ["chdb"], indirect=True)
ROOT = Path(__file__).resolve().parents[2]
COUNT = "SELECT count() FROM call_events"
HEAVY = "SELECT number FROM numbers(30000000) ORDER BY sipHash64(number) SETTINGS "
IDLE_RSS_MAX_KB = 420_000  # of 600 MB for the whole idle service

OPEN = """
import asyncio, sys
from cdr.clickhouse import open_chdb
from dialer.errors import DialerError
async def main():
    try:
        await open_chdb(sys.argv[1])
    except DialerError as error:
        print(type(error).__name__, error)
asyncio.run(main())
"""
IDLE = """
import asyncio, os, sys
from cdr.clickhouse import open_chdb
async def main():
    opened = await open_chdb(sys.argv[1])
    await opened.query("SELECT count() FROM calls FINAL", {})
    print(open("/proc/self/status").read().split("VmRSS:")[1].split()[0])
    await opened.close()
asyncio.run(main())
"""


def run_python(code: str, *args: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *args], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


async def count(analytics: Analytics) -> int:
    return int((await analytics.query(COUNT, {}))[0][0])


def block(first: int) -> list[LogRecord]:
    return [LogRecord(0, first + place, event.key, event.value) for place, event in enumerate(life(1))]


async def test_a_block_whose_token_was_seen_is_dropped_whatever_it_holds(analytics: Analytics) -> None:
    rows, others = project(block(1)).call_events, project(block(100)).call_events
    await analytics.insert(rows, token="t:0:1-9")
    await analytics.insert(rows, token="t:0:1-9")
    await analytics.insert(others, token="t:0:1-9")
    assert await count(analytics) == rows.count
    await analytics.insert(others, token="t:0:100-109")
    assert await count(analytics) == rows.count + others.count


async def test_tokens_are_remembered_when_it_is_opened_again(reopen: OpenAnalytics) -> None:
    rows = project(block(1)).call_events
    for _ in range(3):
        opened = await reopen()
        await opened.insert(rows, token="t:0:1-9")
        assert await count(opened) == rows.count
        await opened.close()


async def test_a_large_block_is_one_block_to_its_token(analytics: Analytics) -> None:
    records = await log_of(1_500).read(0, after=0, limit=10_000)
    assert len(records) == 10_000
    projection = project(records)
    for _ in range(2):
        for rows in projection.blocks:
            await analytics.insert(rows, token="t:0:1-10000")
    assert await count(analytics) == 10_000
    stored = await analytics.query("SELECT count() FROM calls", {})
    assert stored[0][0] <= projection.calls.count


async def test_a_batch_that_the_client_sends_in_several_blocks_is_there_whole(analytics: Analytics) -> None:
    records = await log_of(3_000).read(0, after=0, limit=20_000)
    rows = project(records).call_events
    for _ in range(2):
        await analytics.insert(rows, token="t:0:1-20000")
    found = await analytics.query("SELECT count(), uniqExact(log_offset), max(log_offset) FROM call_events", {})
    assert tuple(found[0]) == (20_000, 20_000, 20_000)


async def test_an_empty_block_is_no_insert(analytics: Analytics) -> None:
    await analytics.insert(project([]).call_events, token="t:0:0-0")
    await analytics.insert(project(block(1)).call_events, token="t:0:0-0")
    assert await count(analytics) == len(block(1))


@embedded_only
@pytest.mark.component("chdb")
async def test_a_folder_that_another_process_has_is_refused_with_what_to_do(analytics: Analytics, folder: Path) -> None:
    said = await asyncio.to_thread(run_python, OPEN, str(folder))
    assert said.startswith(f"ResourceBusy {folder}: the call records are open in process {os.getpid()}; stop it")
    assert "dialer cdr" in said


@embedded_only
@pytest.mark.component("chdb")
async def test_a_second_folder_in_one_process_is_refused(analytics: Analytics, tmp_path: Path) -> None:
    with pytest.raises(ResourceBusy, match="this process already has another analytics folder open"):
        await open_chdb(tmp_path / "other")


@embedded_only
@pytest.mark.component("chdb")
async def test_after_a_refusal_the_folder_can_be_opened(analytics: Analytics, tmp_path: Path) -> None:
    with pytest.raises(ResourceBusy):
        await open_chdb(tmp_path / "other")
    await analytics.close()
    other = await open_chdb(tmp_path / "other")
    await other.close()
    await analytics.close()


async def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("no folder")
    with pytest.raises(DialerError, match=r"/a: the analytics folder cannot be used"):
        await open_chdb(tmp_path / "a")


async def test_the_event_loop_is_free_while_the_engine_works(analytics: Analytics) -> None:
    busy = asyncio.create_task(analytics.query("SELECT sleep(0.3)", {}))
    turns = 0
    while not busy.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert turns > 5


@pytest.mark.component("chdb")
async def test_all_calls_share_one_thread_that_ends_with_close(folder: Path) -> None:
    opened = await open_chdb(folder)
    await asyncio.gather(*(opened.query("SELECT 1", {}) for _ in range(5)))
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("chdb")] == ["chdb_0"]
    await opened.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("chdb")]


@embedded_only
@pytest.mark.component("chdb")
async def test_the_engine_keeps_to_its_limits(analytics: Analytics) -> None:
    rows = await analytics.query("SELECT name, value FROM system.server_settings WHERE changed", {})
    limits = {str(name): str(value) for name, value in rows}
    assert limits.items() >= {"max_server_memory_usage": "2000000000", "mark_cache_size": "33554432"}.items()


@pytest.mark.component("chdb")
def test_idle_it_leaves_most_of_the_600_mb_to_the_rest(folder: Path) -> None:
    assert int(run_python(IDLE, str(folder))) < IDLE_RSS_MAX_KB


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("max_memory_usage = 1000000", "it has not the memory for this"),
        ("max_execution_time = 0.001, timeout_before_checking_execution_speed = 0", "the time allowed was not enough"),
    ],
)
async def test_what_a_query_lacks_is_said(analytics: Analytics, setting: str, words: str) -> None:
    with pytest.raises(AnalyticsFailed, match=words):
        await analytics.query(HEAVY + setting, {})


async def test_a_full_disk_is_said_and_loses_nothing(analytics: Analytics) -> None:
    rows = project(block(1)).call_events
    await analytics.command("ALTER TABLE call_events MODIFY SETTING min_free_disk_bytes_to_perform_insert = 1e18")
    with pytest.raises(AnalyticsFailed, match=r"its disk is full; free some space .*ClickHouse error 243") as failed:
        await analytics.insert(rows, token="t:0:1-9")
    assert phone(1)[1:] not in "".join(traceback.format_exception(failed.value))
    await analytics.command("ALTER TABLE call_events RESET SETTING min_free_disk_bytes_to_perform_insert")
    await analytics.insert(rows, token="t:0:1-9")
    assert await count(analytics) == rows.count


async def test_a_query_that_is_wrong_is_told_as_the_server_tells_it(analytics: Analytics) -> None:
    with pytest.raises(Error, match="SYNTAX_ERROR"):
        await analytics.query("SELEC 1", {})


async def test_a_refused_insert_does_not_repeat_the_rows(analytics: Analytics) -> None:
    rows = project(block(1)).call_events
    await analytics.command("ALTER TABLE call_events ADD CONSTRAINT never CHECK phone_e164 = '' ")
    with pytest.raises(AnalyticsFailed, match="VIOLATED_CONSTRAINT") as failed:
        await analytics.insert(rows, token="t:0:1-9")
    assert phone(1)[1:] not in "".join(traceback.format_exception(failed.value))
