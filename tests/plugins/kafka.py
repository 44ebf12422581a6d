"""Apache Kafka for tests: the server at DIALER_TEST_KAFKA, a container, or a Java process that the run starts itself.

The jars come from `tests/servers/kafka/pom.xml`, once, into a cache outside the repository: at the first test, or by
`python -m tests.plugins.kafka` before.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import importlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from tests.plugins.components import Absent, Found, register
from tests.plugins.containers import containers

ADDRESS_ENV = "DIALER_TEST_KAFKA"
POM = Path(__file__).parents[1] / "servers" / "kafka" / "pom.xml"
VERSION = "4.1.0"
MAVEN_TIMEOUT_S = 300.0
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
_MAIN = "kafka_2.13-{}.jar"
_PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{guarded},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{guarded}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT
listener.name.sasl_plaintext.sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config={login} required user_{user}="{password}";
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.enable=false
"""


class Guarded(NamedTuple):
    """The broker's door for those who sign in (SASL PLAIN, no TLS)."""

    bootstrap: str
    user: str
    password: str


class KafkaServer(Protocol):
    """A broker for tests: its address, and a hand on its process."""

    bootstrap: str

    @property
    def guarded(self) -> Guarded:
        """Return the door where it wants a password."""
        ...

    def stop(self) -> None:
        """End it in good order; no-op when it does not run."""
        ...

    def kill(self) -> None:
        """End it with SIGKILL."""
        ...

    def start(self) -> None:
        """Start it again on the same port and data; no-op when it runs."""
        ...

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, nothing answers."""
        ...

    def resume(self) -> None:
        """Let a frozen one go on."""
        ...


class ForeignKafka:
    """A broker that somebody else runs: tests that must stop it are skipped, and say so."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    def _refuse(self) -> None:
        pytest.skip(f"the broker at {self.bootstrap} is not this run's to stop")

    stop = kill = pause = _refuse

    @property
    def guarded(self) -> Guarded:
        """Skip: who runs it gives no passwords away."""
        pytest.skip(f"nobody told this run a password of the broker at {self.bootstrap}")

    def start(self) -> None:
        """Do nothing: nobody here could stop it."""

    resume = start


class LocalKafka:
    """One KRaft node as a Java process, on ports of its own, with its data under a temporary folder."""

    def __init__(self, jars: Path, folder: Path) -> None:
        self._folder = folder
        self._java = ["java", "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-cp", f"{jars}/*"]
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.bootstrap = f"127.0.0.1:{self._port}"
        self.guarded = Guarded(f"127.0.0.1:{_free_port()}", "dialer", secrets.token_hex(8))
        self._properties = folder / "server.properties"
        self._properties.write_text(self._settings())
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode().replace("-", "a")
        command = [*self._java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._properties)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=START_TIMEOUT_S)
        if done.returncode:
            pytest.fail(f"Kafka's storage could not be formatted: {done.stdout}{done.stderr}", pytrace=False)

    def _settings(self) -> str:
        door = self.guarded
        return _PROPERTIES.format(
            port=self._port, controller=_free_port(), folder=self._folder, login=_LOGIN,
            guarded=door.bootstrap.rpartition(":")[2], user=door.user, password=door.password,
        )  # fmt: skip

    def start(self) -> None:
        """Start it, unless it runs, and wait until it answers."""
        if self._process is not None:
            return
        command = [*self._java, "kafka.Kafka", str(self._properties)]
        with (self._folder / "server.log").open("ab") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self._folder / "server.log").read_text(errors="replace")
                pytest.fail(f"Kafka did not start on port {self._port}: {log[-3000:]}", pytrace=False)
            time.sleep(0.1)

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Freeze it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self.resume()
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT_S)
        self._process = None

    def _answers(self) -> bool:
        """Ask for the API versions: the port listens before the broker is unfenced, and then it closes connections."""
        request = bytes.fromhex("0000000d 0012 0000 00000001 0003 616263")
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1.0) as connection:
                connection.sendall(request)
                return bool(connection.recv(4))
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "predictive-dialer" / f"kafka-{VERSION}"


def _jars() -> Path:
    """Return the folder of the jars; Maven fetches them the first time, one process at a time."""
    folder = _cache()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _MAIN.format(VERSION)).exists():
            _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={draft}"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=MAVEN_TIMEOUT_S)
        if done.returncode:
            pytest.fail(f"Maven could not fetch Kafka {VERSION}: {done.stdout}{done.stderr}", pytrace=False)
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _probe() -> Found | Absent:
    if os.environ.get(ADDRESS_ENV):
        return Found(f"the server of {ADDRESS_ENV}")
    if containers():
        return Found("a container")
    if shutil.which("java") is None:
        return Absent(f"no java found: install default-jre-headless and maven, or set {ADDRESS_ENV}")
    if shutil.which("mvn") is None and not (_cache() / _MAIN.format(VERSION)).exists():
        return Absent(f"no mvn to fetch Kafka with: install maven, or set {ADDRESS_ENV}")
    return Found(f"Apache Kafka {VERSION}, a Java process")


register("kafka", _probe, fixtures=["kafka", "kafka_server", "kafka_topic"])


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[KafkaServer]:
    """Give the run's broker; a test takes `kafka`, which sees to it that the next test finds it running."""
    if address := os.environ.get(ADDRESS_ENV):
        yield ForeignKafka(address)
    elif containers():
        module = importlib.import_module("testcontainers.kafka")
        with module.KafkaContainer(f"apache/kafka:{VERSION}").with_kraft() as container:
            yield ForeignKafka(container.get_bootstrap_server())
    else:
        yield from _local()


def _local() -> Iterator[LocalKafka]:
    folder = Path(tempfile.mkdtemp(prefix="dialer-kafka-"))
    with contextlib.ExitStack() as ending:
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        server = LocalKafka(_jars(), folder)
        ending.callback(server.kill)
        server.start()
        yield server


@pytest.fixture
def kafka(kafka_server: KafkaServer) -> Iterator[KafkaServer]:
    """Give a broker that runs, and that the test may stop, kill or freeze."""
    yield kafka_server
    kafka_server.resume()
    kafka_server.start()


@pytest.fixture
def kafka_topic() -> str:
    """Give the name of a topic that does not exist yet."""
    return f"cdr.events.{uuid.uuid4().hex[:12]}"


if __name__ == "__main__":
    _jars()
