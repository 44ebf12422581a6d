"""`dialer cdr` as a person and as a program use it, on real databases."""

from __future__ import annotations

import asyncio
import csv
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import create_async_engine
from typer.testing import CliRunner, Result

from cdr import parquet
from cdr.clickhouse import open_chdb
from cdr.queries import CallRow, CdrQueries
from dialer.commands.cdr import app
from dialer.errors import BadInput, DialerError, NotFound
from dialer.home import Home
from dialer.service.server import WebServer, listen
from statuses.outcomes import CallStatus
from tests.cdr.parquet_file import read_parquet
from tests.cdr.samples import CAMPAIGN, phone
from tests.dialer.commands.cdr_world import CALLS, make_world
from web.api import make_api_router
from web.deps import WebDeps
from web.errors import install_error_handlers

pytestmark = pytest.mark.component("chdb", "sqlite")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    asyncio.run(make_world(home))
    return home


@pytest.fixture
def home(world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIALER_HOME", str(world))
    return world


def _run(*args: str | Path) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def _json(*args: str | Path) -> Any:
    result = _run(*args, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def _refused(kind: type[DialerError], *args: str | Path) -> str:
    result = _run(*args)
    assert isinstance(result.exception, kind), (result.output, result.exception)
    assert result.stdout == ""
    return str(result.exception)


def test_search_lists_calls_for_people_newest_first(home: Path) -> None:
    lines = _run("search").stdout.splitlines()
    assert lines[0].split()[:3] == ["started", "status", "number"]
    assert [line.split()[-1] for line in lines[1:-1]] == [f"call-{number:06}" for number in range(CALLS, 0, -1)]
    assert lines[-1] == f"{CALLS} of {CALLS} calls; times in Asia/Ho_Chi_Minh"
    last = lines[-2]
    assert all(part in last for part in ("2026-09-21 21:13:21", "answered", phone(1), "remote", "0:40", "0:30"))


def test_search_for_programs_has_every_field_and_times_with_their_zone(home: Path) -> None:
    found = _json("search", "--limit", "1", "--timezone", "UTC")
    (call,) = found
    assert (call["call_id"], call["status"], call["sip_status"]) == ("call-000006", "busy", 486)
    assert (call["started_at"], call["ringing_at"]) == ("2026-09-21T14:13:26.000+00:00", None)


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--campaign", CAMPAIGN.name], [6, 5, 4, 3, 2, 1]),
        (["--status", "busy"], [6, 4, 2]),
        (["--status", "B1", "--status", "Answered"], [6, 5, 4, 3, 2, 1]),
        (["--direction", "inbound"], []),
        (["--agent", "agent-07"], [5, 3, 1]),
        (["--hotline", "+842471099999"], [6, 5, 4, 3, 2, 1]),
        (["--from", "2026-09-21T21:13:24", "--to", "2026-09-21T21:13:26"], [5, 4]),
        (["--from", "2026-09-21", "--to", "2026-09-21"], [6, 5, 4, 3, 2, 1]),
        (["--from", "2026-09-22"], []),
        (["--to", "2026-09-21T14:13:23+00:00"], [2, 1]),
        (["--sip-status", "486", "--q850", "17"], [6, 4, 2]),
        (["--disposition", "SALE", "--min-talk", "30", "--list", "4"], [5, 3, 1]),
        (["--voice", "missed", "--not-recorded", "--max-duration", "2.5"], [6, 4, 2]),
        (["--recorded"], []),
        (["--call-id", "call-000003"], [3]),
        (["--offset", "4"], [2, 1]),
    ],
)
def test_search_filters(home: Path, options: list[str], numbers: list[int]) -> None:
    assert [call["call_id"] for call in _json("search", *options)] == [f"call-{number:06}" for number in numbers]


def test_numbers_can_be_hidden(home: Path) -> None:
    assert [call["phone_e164"] for call in _json("search", "--mask", "--limit", "1")] == ["*****00006"]
    for options in (["search", "--mask"], ["show", "call-000001", "--mask"]):
        assert phone(1) not in _run(*options).stdout


@pytest.mark.req("S0-23")
def test_show_tells_the_timeline_and_all_that_is_known(home: Path) -> None:
    shown = _run("show", "call-000001").stdout
    timeline = [line for line in shown.splitlines() if "2026-09-21" in line]
    assert [line.rsplit("  ", 1)[0].strip() for line in timeline] == [
        "started", "ringing", "answered", "with the agent", "ended",
    ]  # fmt: skip
    assert all(part in shown for part in ("SALE", "sip_call_id", "billsec_s", "30.0", CAMPAIGN.name, phone(1)))
    assert "ringing" not in _run("show", "call-000002").stdout.split("ended")[0]
    assert _json("show", "call-000001")["disposition"] == "SALE"


def test_show_of_an_unknown_call_says_where_to_find_ids(home: Path) -> None:
    assert "dialer cdr search" in _refused(NotFound, "show", "nobody")


def test_an_unknown_status_is_answered_with_all_twelve(home: Path) -> None:
    said = _refused(BadInput, "search", "--status", "sleepy")
    assert said.startswith("--status 'sleepy'")
    assert all(status.value in said for status in CallStatus)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--from", "yesterday"], "--from 'yesterday': write a date like 2026-11-22"),
        (["--to", "2026-13-01"], "--to '2026-13-01': write a date like"),
        (["--timezone", "Mars/Base"], "--timezone 'Mars/Base': no such zone"),
        (["--direction", "up"], "--direction 'up': write outbound, inbound or missed"),
        (["--phone", "12"], "--phone: '12' is not a phone number"),
        (["--campaign", "Nope"], f"--campaign 'Nope': no such campaign; known: {CAMPAIGN.name}"),
    ],
)
def test_a_wrong_option_is_named_with_what_it_takes(home: Path, options: list[str], says: str) -> None:
    assert says in _refused(BadInput, "search", *options)


def test_the_limit_is_checked_by_the_command_line(home: Path) -> None:
    result = _run("search", "--limit", "0")
    assert result.exit_code == 2
    assert "--limit" in result.stderr


def test_export_to_csv(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    result = _run("export", path, "--status", "answered")
    assert result.stdout == f"3 calls written to {path}\n"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["call_id"] for row in rows] == ["call-000005", "call-000003", "call-000001"]
    assert {row["note"] for row in rows} == {"'=1+1"}


def test_export_to_a_workbook_with_hidden_numbers(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "calls.xlsx"
    told = _json("export", path, "--limit", "4", "--mask")
    assert told == {"file": str(path), "calls": 4, "bytes": path.stat().st_size}
    heading, *lines = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
    column = heading.index("phone_e164")
    assert [line[column] for line in lines] == ["*****00006", "*****00005", "*****00004", "*****00003"]


def test_export_to_parquet(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "it's all.parquet"
    result = _run("export", path, "--status", "answered", "--limit", "2", "--mask")
    assert result.stdout == f"{path.stat().st_size} bytes written to {path}\n"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    first, second = read_parquet(path)
    assert tuple(first) == CallRow.__struct_fields__
    assert [first["call_id"], second["call_id"]] == ["call-000005", "call-000003"]
    assert (first["phone_e164"], first["note"], first["duration_s"]) == ("*****00005", "=1+1", 40)
    assert first["started_at"].startswith("2026-09-21 14:13:25")
    assert (first["q850"], first["next_at"]) == (None, None)


def test_a_parquet_file_that_fails_half_way_leaves_the_old_one_and_no_rest(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "calls.parquet"
    path.write_text("the old file")
    monkeypatch.setitem(parquet._SETTINGS, "max_bytes_to_read", 1)
    assert "could not write the calls" in _refused(DialerError, "export", path)
    assert path.read_text() == "the old file"
    assert list(tmp_path.iterdir()) == [path]


def test_an_export_that_cannot_be_is_refused_before_anything_is_written(home: Path, tmp_path: Path) -> None:
    assert ".csv, .xlsx or .parquet" in _refused(BadInput, "export", tmp_path / "calls.pdf")
    assert "no such campaign" in _refused(BadInput, "export", tmp_path / "calls.csv", "--campaign", "Nope")
    assert list(tmp_path.iterdir()) == []


def test_verify_finds_everything_there_once(home: Path) -> None:
    result = _run("verify")
    assert result.exit_code == 0
    assert "nothing is missing, nothing is doubled" in result.stdout
    assert f"{CALLS} attempts begun, {CALLS} CDRs, {CALLS} calls" in result.stdout
    assert _json("verify")["ok"] is True


def test_verify_names_what_is_missing_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_HOME", str(tmp_path))

    async def damage() -> None:
        await make_world(tmp_path)
        analytics = await open_chdb(tmp_path / "analytics")
        await analytics.command("ALTER TABLE call_events DELETE WHERE log_offset IN (5, 6) SETTINGS mutations_sync = 1")
        await analytics.close()

    asyncio.run(damage())
    result = _run("verify")
    assert result.exit_code == 1
    assert "missing: offsets 5 to 6" in result.stdout
    failed = _run("verify", "--json")
    assert (failed.exit_code, json.loads(failed.stdout)["ok"]) == (1, False)


@contextmanager
def _service(home: Path) -> Iterator[None]:
    """Serve the folder's call records as the running service does, from a thread with its own event loop."""
    sock = listen("127.0.0.1", 0)
    ready, url = threading.Event(), f"http://127.0.0.1:{sock.getsockname()[1]}"
    stop: list[Any] = []

    async def serve() -> None:
        analytics = await open_chdb(home / "analytics")
        deps = WebDeps(
            engine=create_async_engine("sqlite+aiosqlite://"), cdr=CdrQueries(analytics), now=lambda: 0.0,
            session_secret="s", service_token="t", health=dict,
        )  # fmt: skip
        api = FastAPI()
        api.include_router(make_api_router(deps))
        install_error_handlers(api)
        server = asyncio.create_task(WebServer(api, sock).run_forever())
        stop.extend([asyncio.get_running_loop(), server])
        ready.set()
        await asyncio.wait([server])
        await deps.engine.dispose()
        await analytics.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        with Home(home).claimed(url):
            yield
    finally:
        loop, server = stop
        loop.call_soon_threadsafe(server.cancel)
        thread.join(30)


def test_while_a_service_runs_it_is_asked(home: Path, tmp_path: Path) -> None:
    asked = [
        ("search", "--status", "busy"), ("show", "call-000001"), ("verify",), ("report", "calls", "--by", "hour"),
        ("report", "times", "--sip-status", "486", "--by", "agent"),
    ]  # fmt: skip
    sql = ("sql", "SELECT call_id, started_at, [duration_s] FROM v_calls ORDER BY call_id", "--limit", "3", "--format")
    direct = [_json(*words) for words in asked], _run(*sql, "json").stdout, _run(*sql, "csv").stdout
    with _service(home):
        assert ([_json(*words) for words in asked], _run(*sql, "json").stdout, _run(*sql, "csv").stdout) == direct
        assert _json("export", tmp_path / "calls.csv")["calls"] == CALLS
        narrow = ["--sip-status", "486", "--not-recorded", "--lead", "2", "--max-talk", "0"]
        assert [call["call_id"] for call in _json("search", *narrow)] == ["call-000002"]
        assert _json("export", tmp_path / "one.csv", *narrow)["calls"] == 1
        assert _run("export", tmp_path / "one.parquet", *narrow, "--mask").exit_code == 0
        assert "only questions" in _refused(BadInput, "sql", "DROP TABLE calls")
        assert "took longer than 1 s" in _refused(
            BadInput, "sql", "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)", "--seconds", "1"
        )
    (only,) = read_parquet(tmp_path / "one.parquet")
    assert (only["call_id"], only["phone_e164"]) == ("call-000002", "*****00002")


def test_nothing_stored_yet_is_an_empty_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALER_HOME", str(tmp_path / "new"))
    assert _json("search") == []
    assert "there is none yet" in _refused(BadInput, "search", "--campaign", "x")
