"""ClickHouse for tests: the server of DIALER_TEST_CLICKHOUSE_URL, else a container, else chDB behind HTTP.

Which one it was is said in the table of real components; a fresh database per test in each case.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import os
import secrets
import select
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

import httpx
import pytest

from tests.plugins.components import Absent, Found, register
from tests.plugins.containers import containers

URL_ENV: Final = "DIALER_TEST_CLICKHOUSE_URL"
IMAGE: Final = "clickhouse/clickhouse-server:25.8"
START_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 20.0
ROOT: Final = Path(__file__).resolve().parents[2]


def send(url: str, statement: str) -> str:
    """Perform a statement over plain HTTP and return what came back; an error is the server's text."""
    parts = urlsplit(url)
    netloc = f"{parts.hostname}:{parts.port}"
    answer = httpx.post(
        f"{parts.scheme}://{netloc}/",
        params={"database": parts.path.strip("/") or "default"},
        content=statement,
        auth=(parts.username or "default", parts.password or ""),
        timeout=START_TIMEOUT_S,
        trust_env=False,
    )
    assert answer.is_success, answer.text
    return answer.text


def _probe() -> Found | Absent:
    given = os.environ.get(URL_ENV)
    if given:
        try:
            return Found(f"ClickHouse {send(given, 'SELECT version()').strip()} of {URL_ENV}")
        except (httpx.HTTPError, AssertionError) as error:
            return Absent(f"the server of {URL_ENV} does not serve: {type(error).__name__}")
    if containers():
        return Found(f"{IMAGE} in a container")
    try:
        return Found(f"chDB {importlib.metadata.version('chdb')} behind HTTP")
    except importlib.metadata.PackageNotFoundError:
        return Absent(f"the package chdb is not installed, and {URL_ENV} names no server")


register("clickhouse", _probe, fixtures=["clickhouse_server", "clickhouse_url"])


class ChdbServer:
    """chDB behind ClickHouse's HTTP interface, in a process of its own; it can be killed and started again."""

    def __init__(self, folder: Path, *, version: str = "") -> None:
        self._folder = folder
        self._version = version
        self._password = secrets.token_hex(8)
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the address, http://user:password@host:port/default."""
        return f"http://tester:{self._password}@127.0.0.1:{self._port}/default"

    def start(self) -> None:
        """Start, again on the port of the first time; returns when it answers."""
        command = [sys.executable, "-m", "tests.servers.clickhouse.server", str(self._folder / "data")]
        command += ["--port", str(self._port), "--version", self._version]
        secret = {"SERVER_USER": "tester", "SERVER_PASSWORD": self._password}
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | secret, stdout=subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        waiting = select.poll()  # unlike select, it takes any number of open files
        waiting.register(self._process.stdout, select.POLLIN)
        ready = waiting.poll(START_TIMEOUT_S * 1000)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            self.stop()
            pytest.fail(f"the server did not start: {(self._folder / 'server.log').read_text()[-2000:]}", pytrace=False)
        self._port = int(line)

    def stop(self, *, kill: bool = False) -> None:
        """End it, with `kill` as a power failure would; a second call does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_TIMEOUT_S)
        if process.stdout is not None:
            process.stdout.close()


@contextlib.contextmanager
def chdb_server(*, version: str = "") -> Iterator[ChdbServer]:
    """Run a server of the test's own, which the test may stop, kill and start again."""
    folder = Path(tempfile.mkdtemp(prefix="dialer-clickhouse-"))
    server = ChdbServer(folder, version=version)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _container() -> Iterator[str]:
    module = importlib.import_module("testcontainers.clickhouse")
    with module.ClickHouseContainer(IMAGE, port=8123) as running:
        host, port = running.get_container_host_ip(), running.get_exposed_port(8123)
        yield f"http://{quote(running.username)}:{quote(running.password)}@{host}:{port}/default"


@pytest.fixture(scope="session")
def clickhouse_server() -> Iterator[str]:
    """Give the address of a server (`http://user:password@host:port/database`), stopped when the run ends."""
    given = os.environ.get(URL_ENV)
    if given:
        yield given
    elif containers():
        with _container() as url:
            yield url
    else:
        with chdb_server() as server:
            yield server.url


@pytest.fixture
def clickhouse_url(clickhouse_server: str) -> Iterator[str]:
    """Give the address of a new, empty database, dropped after the test."""
    name = f"test_{uuid.uuid4().hex}"
    send(clickhouse_server, f"CREATE DATABASE {name}")
    yield urlunsplit(urlsplit(clickhouse_server)._replace(path=f"/{name}"))
    send(clickhouse_server, f"DROP DATABASE {name} SYNC")
