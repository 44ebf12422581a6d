"""The two brokers that the link's tests run against, each with the agents an, ba and the supervisor boss."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import msgspec
import pytest

from dialer.agents import mosquitto
from dialer.agents.embedded import Rights, embedded_broker
from dialer.agents.mqtt_at import MqttAt
from dialer.agents.password import hashed, matches
from dialer.agents.topics import DIALER
from dialer.ports import AgentAccount
from tests.plugins.mosquitto import _PATH, START_TIMEOUT_S, _owner, greeting

SECRETS = {who: f"secret-of-{who}" for who in (DIALER, "an", "ba", "boss")}
ACCOUNTS = [AgentAccount(who, secret=hashed(SECRETS[who]), supervisor=who == "boss") for who in ("an", "ba", "boss")]


class Broker(Protocol):
    """A broker under test."""

    name: str

    def at(self, user: str) -> MqttAt:
        """Return its address for a user."""
        ...

    async def restart(self, away_s: float = 0.0) -> None:
        """Stop it, and start it on the same port."""
        ...


class Embedded:
    """amqtt, in this process."""

    name = "embedded"

    def __init__(self) -> None:
        self._stack = contextlib.AsyncExitStack()
        self.port = 0

    async def start(self) -> None:
        self.port = (await self._stack.enter_async_context(embedded_broker(_door, port=self.port))).port

    async def stop(self) -> None:
        await self._stack.aclose()

    def at(self, user: str) -> MqttAt:
        return MqttAt("127.0.0.1", self.port, user=user, password=SECRETS[user])

    async def restart(self, away_s: float = 0.0) -> None:
        await self.stop()
        await asyncio.sleep(away_s)
        await self.start()


async def _door(user: str, password: str) -> Rights | None:
    if user == DIALER:
        return Rights() if password == SECRETS[DIALER] else None
    account = next((one for one in ACCOUNTS if one.agent_id == user), None)
    known = account is not None and matches(password, account.secret)
    return Rights(supervisor=account.supervisor) if account is not None and known else None


class Mosquitto:
    """Debian's Mosquitto with the very files that `dialer mqtt acl` writes."""

    name = "mosquitto"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        (folder / mosquitto.ACL).write_text(mosquitto.acl(ACCOUNTS))
        (folder / mosquitto.PASSWORDS).write_text(mosquitto.passwords(ACCOUNTS, secret=hashed(SECRETS[DIALER])))
        conf = mosquitto.conf(str(folder)).replace("listener 1883", f"listener {self.port} 127.0.0.1")
        (folder / mosquitto.CONF).write_text(conf.replace("/var/lib/mosquitto/", f"{folder}/"))
        owner = _owner()
        for path in (folder, *folder.iterdir()):
            path.chmod(0o700)
            if owner:
                os.chown(path, owner["user"], owner["group"])
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "log").open("ab") as out:
            self._process = subprocess.Popen(
                ["mosquitto", "-c", self._folder / mosquitto.CONF], env={"PATH": _PATH}, stdout=out, stderr=out,
                stdin=subprocess.DEVNULL, **_owner(),
            )  # fmt: skip
        deadline = time.monotonic() + START_TIMEOUT_S
        while greeting(self.port) is None:
            if time.monotonic() > deadline or self._process.poll() is not None:
                pytest.fail((self._folder / "log").read_text(), pytrace=False)
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def at(self, user: str) -> MqttAt:
        return MqttAt("127.0.0.1", self.port, user=user, password=SECRETS[user])

    async def restart(self, away_s: float = 0.0) -> None:
        self.stop()
        await asyncio.sleep(away_s)
        self.start()


def wrong(at: MqttAt) -> MqttAt:
    """Return the address with a password that is wrong."""
    return msgspec.structs.replace(at, password="wrong")


@contextlib.asynccontextmanager
async def running(name: str) -> AsyncIterator[Broker]:
    """Run a broker by its name; Mosquitto is a component that a test names."""
    if name == Embedded.name:
        embedded = Embedded()
        await embedded.start()
        try:
            yield embedded
        finally:
            await embedded.stop()
        return
    folder = Path(tempfile.mkdtemp(prefix="dialer-mqtt-"))
    server = Mosquitto(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
