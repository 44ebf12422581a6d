"""PostgreSQL for tests: the server of DIALER_TEST_POSTGRES_URL, else a container, else a process of this run's own.

Each test has a fresh database.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.plugins.components import Absent, Found, register
from tests.plugins.containers import containers

URL_ENV = "DIALER_TEST_POSTGRES_URL"
IMAGE = "postgres:15"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0


def _bin_dir() -> Path | None:
    """Find the server's programs: the newest of Debian, which keeps them off PATH, or those beside `initdb` on PATH."""
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(installed, key=lambda path: float(path.parts[-3]), default=None)
    on_path = shutil.which("initdb")
    if newest is None and on_path is not None:
        newest = Path(on_path).resolve()  # a link: the programs that it needs are beside its target
    return newest.parent if newest else None


def _probe() -> Found | Absent:
    if os.environ.get(URL_ENV):
        return Found(f"the server of {URL_ENV}")
    if containers():
        return Found(f"{IMAGE} in a container")
    folder = _bin_dir()
    if folder is None:
        return Absent(f"no initdb found: install postgresql, or set {URL_ENV}")
    version = subprocess.run([folder / "postgres", "--version"], check=True, capture_output=True, text=True)
    return Found(version.stdout.strip())


register("postgresql", _probe, fixtures=["postgres_url", "postgres_server"])


def _owner() -> dict[str, Any]:
    """Say as whom the server runs: it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _initdb(bin_dir: Path, folder: Path, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password)
    if owner := _owner():
        for path in (folder, secret):
            os.chown(path, owner["user"], owner["group"])
    command: list[str | Path] = [bin_dir / "initdb", "-D", folder / "data", "-U", "postgres", "--pwfile", secret]
    command += ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, **_owner())
    if done.returncode:
        pytest.fail(f"initdb failed with status {done.returncode}: {done.stderr.strip()}", pytrace=False)


class LocalPostgres:
    """A server of this run's own, on a port of its own; it can be stopped, killed and started again on its data.

    Without `durable` what was committed in the last moment before a kill may be gone, as nothing waits for a disk.
    """

    def __init__(self, bin_dir: Path, folder: Path, *, durable: bool = False) -> None:
        self._bin_dir = bin_dir
        self._folder = folder
        self._port = _free_port()
        self._options = ["fsync=off", "full_page_writes=off", *([] if durable else ["synchronous_commit=off"])]
        self._process: subprocess.Popen[bytes] | None = None
        password = secrets.token_hex(16)
        self.url = f"postgresql://postgres:{password}@127.0.0.1:{self._port}/postgres"
        _initdb(bin_dir, folder, password)

    def start(self) -> None:
        """Start it, unless it runs; returns when it answers."""
        if self._process is not None:
            return
        command: list[str | Path] = [self._bin_dir / "postgres", "-D", self._folder / "data", "-h", "127.0.0.1"]
        command += ["-p", str(self._port), "-k", self._folder]
        for option in self._options:
            command += ["-c", option]
        with (self._folder / "server.log").open("ab") as out:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL, **_owner()
            )
        _wait_ready(self._bin_dir, self._folder, self._port, self._process)

    def stop(self, *, kill: bool = False) -> None:
        """End it: by "fast shutdown", which ends open sessions, or as a crash would; a second call does nothing."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGQUIT if kill else signal.SIGINT)
            process.wait(STOP_TIMEOUT_S)


@contextlib.contextmanager
def local_postgres(*, durable: bool = False) -> Iterator[LocalPostgres]:
    """Run a server that the test may stop, kill and start again."""
    bin_dir = _bin_dir()
    if bin_dir is None:
        pytest.skip("no initdb found, and a server that is not this run's own must not be stopped")
    folder = Path(tempfile.mkdtemp(prefix="dialer-pg-"))
    try:
        server = LocalPostgres(bin_dir, folder, durable=durable)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_ready(bin_dir: Path, folder: Path, port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    command: list[str | Path] = [bin_dir / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(command, check=False).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            log = (folder / "server.log").read_text(errors="replace")
            pytest.fail(f"PostgreSQL did not start on port {port}: {log[-2000:]}", pytrace=False)
        time.sleep(0.05)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Give the address of a server (`postgresql://user:password@host:port/postgres`), stopped when the run ends."""
    given = os.environ.get(URL_ENV)
    if given:
        yield re.sub(r"^postgresql\+\w+:", "postgresql:", given)
        return
    if containers():
        module = importlib.import_module("testcontainers.postgres")
        with module.PostgresContainer(IMAGE, driver=None) as running:
            yield running.get_connection_url()
        return
    with local_postgres() as server:
        yield server.url


@pytest.fixture
async def postgres_url(postgres_server: str) -> AsyncIterator[str]:
    """Give the SQLAlchemy address (`postgresql+asyncpg://...`) of a new, empty database, dropped after the test."""
    name = f"test_{uuid.uuid4().hex}"
    await _execute(postgres_server, f'CREATE DATABASE "{name}"')
    base = postgres_server.rsplit("/", 1)[0].replace("postgresql:", "postgresql+asyncpg:", 1)
    yield f"{base}/{name}"
    await _execute(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)')


async def _execute(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
