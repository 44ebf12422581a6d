from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from cdr.clickhouse import Analytics
from cdr.clickhouse_errors import AnalyticsFailed
from cdr.clickhouse_http import THREADS, open_clickhouse, parse
from cdr.memory import MemoryOffsetLedger
from cdr.projector import Projector
from cdr.queries import CdrFilter, CdrQueries
from cdr.verify import verify
from dialer.errors import BadInput, DialerError
from tests.cdr.samples import log_of, phone
from tests.plugins.clickhouse import ChdbServer, chdb_server


@pytest.fixture(scope="module")
def own_server() -> Iterator[ChdbServer]:
    """Give a server that tests may stop and start."""
    with chdb_server() as server:
        yield server


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://host", ("http", "host", 8123, "default", "", "default")),
        ("https://me:p%40ss@host/cdr", ("https", "host", 8443, "me", "p@ss", "cdr")),
        ("http://me@[::1]:9000/", ("http", "::1", 9000, "me", "", "default")),
    ],
)
def test_an_address_is_read(url: str, told: tuple[object, ...]) -> None:
    found = parse(url)
    assert (found.scheme, found.host, found.port, found.user, found.password, found.database) == told
    assert "p@ss" not in found.shown


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("tcp://host:9000", "must be http"),
        ("http://:8123/x", "must be http"),
        ("http://me:hidden@host:99999/x", "no address"),
        ("http://me:hidden@host/x?compress=0", "unknown options: compress"),
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(url: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        parse(url)
    assert "hidden" not in str(refused.value)


async def test_opening_twice_finds_the_tables_again(clickhouse_url: str) -> None:
    for calls in (0, 3):
        analytics = await open_clickhouse(clickhouse_url)
        assert await CdrQueries(analytics).count(CdrFilter()) == calls
        projector = Projector(log_of(3), MemoryOffsetLedger(), analytics)
        await projector.run_once()
        await analytics.close()


async def test_queries_run_side_by_side(clickhouse_url: str) -> None:
    analytics = await open_clickhouse(clickhouse_url)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await asyncio.gather(*(analytics.query("SELECT sleep(0.5)", {}) for _ in range(THREADS)))
    assert loop.time() - begun < 0.5 * THREADS - 0.2
    await analytics.close()


async def test_parameters_reach_the_server_and_no_log(clickhouse_url: str, caplog: pytest.LogCaptureFixture) -> None:
    analytics = await open_clickhouse(clickhouse_url)
    text = "it's \\ {x} \t ữ"
    with caplog.at_level(logging.DEBUG):
        assert list(await analytics.query("SELECT {text:String}", {"text": text})) == [(text,)]
        with pytest.raises(Exception, match="UNKNOWN_TABLE"):
            await analytics.query("SELECT {text:String} FROM nowhere", {"text": phone(1)})
    assert phone(1)[1:] not in caplog.text
    await analytics.close()


@pytest.mark.component("clickhouse")
class TestRefusals:
    """What is in the way is said, with where it is and what to do; never with the password."""

    async def refused(self, url: str, *, cluster: str = "") -> str:
        with pytest.raises(DialerError) as failed:
            await open_clickhouse(url, cluster=cluster)
        password = urlsplit(url).password
        assert password
        assert password not in str(failed.value)
        return str(failed.value)

    async def test_a_wrong_password(self, clickhouse_url: str) -> None:
        said = await self.refused(clickhouse_url.replace("@", "x@"))
        assert "does not know this user with this password" in said

    async def test_a_database_that_is_not_there(self, clickhouse_url: str) -> None:
        assert "the database does not exist there; CREATE DATABASE" in await self.refused(f"{clickhouse_url}_nope")

    async def test_nobody_there(self) -> None:
        said = await self.refused("http://me:hidden@127.0.0.1:1/cdr")
        assert said == (
            "ClickHouse at http://127.0.0.1:1/cdr: nothing answers as ClickHouse does; start it, or mend the address"
        )

    async def test_something_else_there(self) -> None:
        async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
            writer.close()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        assert "nothing answers as ClickHouse does" in await self.refused(f"http://me:hidden@127.0.0.1:{port}/cdr")
        server.close()
        await server.wait_closed()

    async def test_a_cluster_that_the_server_does_not_know(self, clickhouse_url: str) -> None:
        assert "knows no cluster of this name" in await self.refused(clickhouse_url, cluster="nowhere")


@pytest.mark.component("chdb")
async def test_an_old_server_is_refused_with_the_least_version() -> None:
    with chdb_server(version="23.8.1.1") as old, pytest.raises(DialerError) as failed:
        await open_clickhouse(old.url)
    assert str(failed.value).endswith("it is ClickHouse 23.8.1.1; 24.8 is the least that keeps CDRs once")


@pytest.mark.component("chdb")
async def test_a_server_that_is_killed_and_comes_back_has_everything_once(
    own_server: ChdbServer, caplog: pytest.LogCaptureFixture
) -> None:
    log, ledger = log_of(40), MemoryOffsetLedger()
    analytics = await open_clickhouse(own_server.url)
    points: list[str] = []

    def kill(point: str) -> None:
        points.append(point)
        if len(points) in {3, 9, 14}:
            own_server.stop(kill=True)

    projector = Projector(log, ledger, analytics, batch_rows=100, fault=kill)
    failures: list[str] = []
    with caplog.at_level(logging.DEBUG):
        while True:
            try:
                if not await projector.run_once():
                    break
            except AnalyticsFailed:
                failures.append(projector.failure or "")
                own_server.start()
    assert len(failures) == 3
    assert all("not up to date: AnalyticsFailed: ClickHouse at http://127.0.0.1:" in said for said in failures)
    assert all("nothing answers as ClickHouse does" in said for said in failures)
    assert projector.failure is None
    size = len(await log.read(0, after=0, limit=10_000))
    (part,) = (await verify(analytics, {0: size})).partitions
    assert (part.ok, part.records, part.calls) == (True, size, 40)
    assert phone(1)[1:] not in caplog.text
    await analytics.close()


async def test_closing_ends_the_threads(clickhouse_url: str) -> None:
    analytics: Analytics = await open_clickhouse(clickhouse_url)
    await analytics.close()
    await analytics.close()
    with pytest.raises(RuntimeError):
        await analytics.query("SELECT 1", {})
