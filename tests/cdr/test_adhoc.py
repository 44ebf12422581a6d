"""Questions of analysts against the real engine: what is answered, and a list of attacks that must not be."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cdr.adhoc import Table, ask
from cdr.clickhouse import Analytics, open_chdb
from cdr.memory import MemoryOffsetLedger
from cdr.projector import Projector
from cdr.readonly import _ELSEWHERE, _ELSEWHERE_BEGIN, _REACHING, TABLE_FUNCTIONS
from dialer.errors import BadInput
from tests.cdr.samples import log_of, phone

pytestmark = pytest.mark.component("chdb")


async def _stored(folder: Path) -> Analytics:
    analytics = await open_chdb(folder)
    projector = Projector(log_of(9), MemoryOffsetLedger(), analytics)
    while await projector.run_once():
        pass
    return analytics


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analytics]:
    analytics = asyncio.run(_stored(tmp_path_factory.mktemp("adhoc") / "analytics"))
    yield analytics
    asyncio.run(analytics.close())


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT status, count() FROM v_calls GROUP BY status ORDER BY status", [["answered", 5], ["busy", 4]]),
        ("WITH talks AS (SELECT * FROM v_calls WHERE is_connected) SELECT count() FROM talks, system.one;", [[5]]),
        ("SELECT count() FROM v_calls AS c JOIN v_lead_status AS l USING (lead_id) WHERE l.state = 'success'", [[5]]),
        ("SELECT phone_e164 FROM default.v_calls WHERE call_id = 'call-000003'", [[phone(3)]]),
        ("(SELECT 1) UNION ALL (SELECT 1)", [[1], [1]]),
        ("SELECT number FROM numbers(2)", [[0], [1]]),
        ("SELECT 1 IN (SELECT attempt_no FROM v_calls)", [[1]]),
        ("SELECT NULL, 0.5, 1 / 0, true, [1, 2], map('a', 1), toDecimal32(1.5, 2)", None),
        ("SELECT toDateTime64(0, 3, 'UTC'), toDate('2026-01-02'), toIPv4('127.0.0.1')",
         [["1970-01-01T00:00:00+00:00", "2026-01-02", "127.0.0.1"]]),
        ("SELECT toUInt256('99999999999999999999999')", [["99999999999999999999999"]]),
        ("SELECT call_id FROM v_calls WHERE campaign_id = 99", []),
        ("EXPLAIN SELECT * FROM v_calls", None),
        ("EXPLAIN indexes = 1 SELECT * FROM v_calls", None),
        ("DESCRIBE v_calls", None),
        ("SHOW TABLES", None),
        ("SHOW CREATE VIEW v_calls", None),
    ],
)  # fmt: skip
async def test_questions_are_answered(calls: Analytics, sql: str, rows: list[Any] | None) -> None:
    table = await ask(calls, sql)
    assert table.columns
    assert len(table.columns) == len(table.types)
    assert table.rows == rows if rows is not None else table.rows
    assert msgspec.json.decode(msgspec.json.encode(table), type=Table) == table


async def test_names_and_types_are_told_without_rows_too(calls: Analytics) -> None:
    table = await ask(calls, "SELECT call_id, duration_s AS s FROM v_calls WHERE 0 -- none")
    assert (table.columns, table.types, table.rows) == (("call_id", "s"), ("String", "Float64"), [])


async def test_no_more_rows_than_asked_for_and_it_says_so(calls: Analytics) -> None:
    assert (await ask(calls, "SELECT number FROM numbers(9)", limit=9)).more is False
    table = await ask(calls, "SELECT number FROM numbers(1000000000000)", limit=3)
    assert (table.rows, table.more) == ([[0], [1], [2]], True)
    assert (await ask(calls, "SELECT count() FROM (SELECT * FROM numbers(50))", limit=3)).rows == [[50]]


@pytest.mark.parametrize(
    ("sql", "options", "says"),
    [
        ("SELECT sum(cityHash64(number)) FROM numbers(1000000000000)", {"seconds": 1}, "longer than 1 s"),
        ("SELECT groupArray(number) FROM numbers(1000000000)", {}, "MB"),
        ("SELECT repeat(toString(number % 10), 1000) FROM numbers(100000)", {"limit": 100_000}, "larger than 64 MB"),
        ("SELECT 1", {"limit": 0}, "1 to 100000 rows"),
        ("SELECT 1", {"limit": 100_001}, "1 to 100000 rows"),
        ("SELECT 1", {"seconds": 301}, "1 to 300"),
        ("SELECT nothing FROM v_calls", {}, "refused the query: Unknown"),
        ("SELECT FROM WHERE", {}, "refused the query: Syntax error"),
    ],
)
async def test_what_is_too_much_or_wrong_is_said(
    calls: Analytics, sql: str, options: dict[str, int], says: str
) -> None:
    with pytest.raises(BadInput, match=re.escape(says)):
        await ask(calls, sql, **options)
    assert (await ask(calls, "SELECT 1")).rows == [[1]]


class _Trap(HTTPServer):
    """A server that notes whoever calls."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Note)
        self.visits: list[str] = []

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Note(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Trap)
        self.server.visits.append(self.path)
        self.send_response(404)
        self.end_headers()

    do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 -- the base class's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
        pass


@pytest.fixture(scope="module")
def trap() -> Iterator[_Trap]:
    server = _Trap()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


ATTACKS = [
    line.replace("⏎", "\n")
    for line in (Path(__file__).parent / "attacks.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("# ")
]
"""One attack a line; {secret}, {out} and {trap} are a file to read, one to write and a server to call."""


@pytest.mark.parametrize("attack", ATTACKS)
async def test_attacks_are_refused_and_change_nothing(
    calls: Analytics, trap: _Trap, tmp_path: Path, attack: str
) -> None:
    secret, out = tmp_path / "secret.csv", tmp_path / "out.csv"
    secret.write_text("secret\n")
    sql = attack.replace("{secret}", str(secret)).replace("{out}", str(out)).replace("{trap}", trap.url)
    with pytest.raises(BadInput) as refused:
        await ask(calls, sql, seconds=5)
    by_the_engine = "refused the query" in str(refused.value)
    assert not by_the_engine or re.search(r"Syntax error|in readonly mode", str(refused.value))
    assert trap.visits == []
    assert _names(tmp_path) == ["secret.csv"]
    assert await calls.query("SELECT count(), countIf(note != '') FROM calls FINAL", {}) == [(9, 5)]


def _names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def test_after_questions_the_projector_can_still_write(calls: Analytics) -> None:
    await ask(calls, "SELECT 1")
    with pytest.raises(BadInput):
        await ask(calls, "DROP TABLE calls")
    await calls.command("CREATE TABLE kept (x UInt8) ENGINE = Memory")
    await calls.command("DROP TABLE kept")


async def test_every_table_function_of_the_engine_is_known(calls: Analytics) -> None:
    """A new engine may bring new ones: in FROM they are refused anyway, elsewhere only by name."""
    names = {name.casefold() for (name,) in await calls.query("SELECT name FROM system.table_functions", {})}
    others = names - TABLE_FUNCTIONS - _ELSEWHERE
    assert {n for n in others if not n.startswith(_ELSEWHERE_BEGIN) and not _REACHING.fullmatch(n)} == set()


SUSPICIOUS = r"\\b(file|disk|network|remote|http|dictionary|dns|certificate|host|sleeps|environment variable)\\b"
HARMLESS = frozenset(
    [
        "blockserializedsize",
        "currenthandler",
        "cuturlparameter",
        "globalin",
        "globalinignoreset",
        "globalnotin",
        "globalnotinignoreset",
        "globalnotnullin",
        "globalnotnullinignoreset",
        "globalnullin",
        "globalnullinignoreset",
        "indexhint",
        "isipaddressinrange",
        "javahash",
        "javahashutf16le",
        "lowcardinalityindices",
        "lowcardinalitykeys",
        "metrohash64",
        "netloc",
        "protocol",
        "reversebyseparator",
        "tokens",
        "urlhierarchy",
        "urlpathhierarchy",
        "xxhash32",
        "xxhash64",
        "xxhash64spark",
    ]
)
"""Functions whose descriptions use those words and that reach nothing: looked at one by one."""


async def test_functions_that_speak_of_files_servers_or_networks_were_looked_at(calls: Analytics) -> None:
    sql = "SELECT lower(name) FROM system.functions WHERE NOT is_aggregate AND alias_to = ''"
    rows = await calls.query(f"{sql} AND match(lower(description), '{SUSPICIOUS}')", {})
    assert {name for (name,) in rows if not _REACHING.fullmatch(name)} - HARMLESS == set()


async def test_the_log_tells_that_something_was_asked_and_not_what(
    calls: Analytics, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cdr.adhoc")
    whose = f"phone_e164 = '{phone(3)}'"
    await ask(calls, f"SELECT note FROM v_calls WHERE {whose} AND note != 'secret'")  # noqa: S608 -- an analyst's
    with pytest.raises(BadInput) as refused:
        await ask(calls, f"SELECT nothing FROM v_calls WHERE {whose}")  # noqa: S608 -- an analyst's
    lines = [vars(record) for record in caplog.records]
    assert [(line["action"], line["outcome"], line["rows"]) for line in lines] == [
        ("cdr.sql", "answered", 1), ("cdr.sql", "refused", 0),
    ]  # fmt: skip
    assert "secret" not in str(lines)
    assert phone(3)[1:] not in str(lines)
    assert phone(3)[1:] not in str(refused.value)
