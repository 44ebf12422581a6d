"""Connecting to an MQTT broker: a real Mosquitto, with and without TLS, and servers that are none."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from dialer.agents.mqtt_at import MqttAt
from dialer.errors import BadInput, Unreachable
from tests.plugins.mosquitto import Mosquitto, local_mosquitto


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://broker", MqttAt("broker", 1883)),
        ("mqtts://broker/", MqttAt("broker", 8883, tls=True)),
        ("mqtt://dialer:geheim@10.0.0.5:1884", MqttAt("10.0.0.5", 1884, user="dialer", password="geheim")),
        ("mqtt://dialer:a%40%2F%23%3Ab@[::1]", MqttAt("::1", 1883, user="dialer", password="a@/#:b")),
        ("MQTT://dialer@Broker", MqttAt("broker", 1883, user="dialer")),
    ],
)
def test_an_address_is_read(url: str, expected: MqttAt) -> None:
    assert MqttAt.parse(url) == expected


@pytest.mark.parametrize(
    "url",
    ["", "broker:1883", "http://broker", "http://broker:1883", "mqtt://", "mqtt://:geheim@broker", "mqtt://u:geheim@broker:x",
     "mqtt://u:geheim@broker:70000", "mqtt://u:ge#heim@broker", "mqtt://u:geheim@broker/topic", "mqtt://broker?x=1",
     "mqtt://[::1"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_the_form_and_without_the_password(url: str) -> None:
    with pytest.raises(BadInput, match=r"must be mqtt://HOST:1883") as refused:
        MqttAt.parse(url)
    assert "heim" not in str(refused.value)


def test_what_is_shown_has_no_password() -> None:
    assert repr(MqttAt.parse("mqtt://u:geheim@h:1")) == "MqttAt('mqtt://h:1')"
    assert MqttAt.parse("mqtts://u:geheim@[::1]").where == "mqtts://[::1]:8883"


async def test_whoever_has_the_password_is_let_in_and_leaves_nothing_behind(mosquitto: Mosquitto) -> None:
    at = MqttAt.parse(mosquitto.url)
    await at.ask()  # makes the pool of threads that connecting uses
    before = open_sockets()
    for _ in range(3):
        await at.ask()
    assert open_sockets() == before


def open_sockets() -> int:
    """Count this process's sockets."""
    found = 0
    for entry in os.scandir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found += str(Path(entry.path).readlink()).startswith("socket:")
    return found


async def test_a_wrong_or_missing_password_is_told_from_a_broker_that_is_away(mosquitto: Mosquitto) -> None:
    at = MqttAt.parse(mosquitto.url)
    before = open_sockets()
    with pytest.raises(BadInput, match=rf"^{at.where} refuses the user dialer: check DIALER_MQTT_URL"):
        await msgspec.structs.replace(at, password="wrong").ask()
    with pytest.raises(BadInput, match="takes nobody without user and password"):
        await msgspec.structs.replace(at, user=None, password=None).ask()
    gc.collect()
    assert open_sockets() == before


@pytest.mark.component("mosquitto")
async def test_a_password_of_special_characters_travels_whole() -> None:
    password = "p@s/s#w:ö %41"
    with local_mosquitto(password=password) as server:
        await MqttAt.parse(f"mqtt://dialer:{quote(password, safe='')}@127.0.0.1:{server.port}").ask()


async def test_a_broker_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as taken:  # bound and not listening: whoever connects is refused
        taken.bind(("127.0.0.1", 0))
        at = MqttAt("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(Unreachable, match=rf"^{at.where} cannot be reached .*refused.*check that it runs"):
            await at.ask()
    with pytest.raises(Unreachable, match="cannot be reached"):
        await MqttAt("no..such", 1883).ask()


class Stranger:
    """A server that takes connections, answers with these bytes and says no more."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.came, self.gone = asyncio.Event(), asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came.set()
        try:
            writer.write(self.answer)
            with contextlib.suppress(ConnectionError):
                await reader.read()
            self.gone.set()
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def stranger(answer: bytes) -> AsyncIterator[tuple[MqttAt, Stranger]]:
    """Run one; at the end its visitors must be gone."""
    it = Stranger(answer)
    listening = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    async with listening:
        yield MqttAt("127.0.0.1", listening.sockets[0].getsockname()[1], timeout_s=0.3), it
        await asyncio.wait_for(it.gone.wait(), 5)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x02"], ids=["mute", "web", "half"])
async def test_a_server_that_is_no_broker_costs_the_deadline_and_its_connection_is_closed(answer: bytes) -> None:
    async with stranger(answer) as (at, _):
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"(does not answer as an MQTT broker does|cannot be reached)"):
            await at.ask()
        assert time.monotonic() - began < 5, "a deadline of 0.3 s, on a machine that may be busy"


async def test_a_broker_that_is_full_is_no_mistake_of_ours() -> None:
    async with stranger(bytes.fromhex("20020003")) as (at, _):  # CONNACK 3 of MQTT 3.1.1: server unavailable
        with pytest.raises(Unreachable, match=r"takes nobody now .*look at the broker's log"):
            await at.ask()


async def test_who_stops_waiting_closes_the_connection_all_the_same() -> None:
    async with stranger(b"") as (at, it):
        asking = asyncio.create_task(at.ask())
        await asyncio.wait_for(it.came.wait(), 5)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking


@pytest.fixture(scope="module")
def certificate() -> Iterator[Path]:
    """Give a folder with a certificate for 127.0.0.1 that nobody knows, and its key; for any user of this machine."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
        for path in (folder, *folder.iterdir()):
            path.chmod(0o755)
        yield folder


@pytest.mark.component("mosquitto")
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")  # the client leaves a failed one to gc
async def test_tls_is_checked_and_a_known_certificate_is_accepted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = f"certfile {certificate}/cert.pem\nkeyfile {certificate}/key.pem\n"
    with local_mosquitto(more=more) as server:
        at = MqttAt.parse(server.url)
        assert at.tls
        with pytest.raises(Unreachable, match=r"CERTIFICATE_VERIFY_FAILED.*SSL_CERT_FILE names your own authority"):
            await at.ask()
        with pytest.raises(Unreachable, match=r"does not answer as an MQTT broker does|cannot be reached"):
            await msgspec.structs.replace(at, tls=False, timeout_s=0.5).ask()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
        await at.ask()
    gc.collect()
