"""Mosquitto for tests: the broker at DIALER_TEST_MQTT, a container, or Debian's as a process of the run's own.

Container and process are started as compose.yaml starts its own: the same command, the same configuration.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
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
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

import pytest
import yaml

from tests.plugins.components import Absent, Found, register
from tests.plugins.containers import containers

URL_ENV: Final = "DIALER_TEST_MQTT"
ROOT: Final = Path(__file__).resolve().parents[2]
CONFIG: Final = ROOT / "deploy" / "mosquitto"
USER: Final = "dialer"
"""Whom compose.yaml's command lets in; the password comes in the variable MQTT_PASSWORD."""
START_TIMEOUT_S: Final = 20.0
STOP_TIMEOUT_S: Final = 10.0
_PATH: Final = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
"""Debian keeps servers where only root looks for programs."""
_HELLO: Final = bytes.fromhex("10 0e 0004 4d515454 04 02 000a 0002 6869")
"""CONNECT of MQTT 3.1.1 (section 3.1) by a client "hi", without user and password."""


class Mosquitto(Protocol):
    """A broker for tests: its address with user and password, and a hand on its process."""

    url: str

    def stop(self) -> None:
        """End it; no-op when it does not run."""
        ...

    def start(self) -> None:
        """Start it again on the same port; no-op when it runs."""
        ...


class ForeignMosquitto:
    """A broker that somebody else runs: tests that must stop it are skipped, and say so."""

    def __init__(self, url: str) -> None:
        self.url = url

    def stop(self) -> None:
        """Skip the test."""
        pytest.skip("the broker is not this run's to stop")

    def start(self) -> None:
        """Do nothing: nobody here could stop it."""


class LocalMosquitto:
    """Debian's broker as compose.yaml starts it, with its files in a folder of its own and on a free port."""

    def __init__(self, folder: Path, *, more: str = "", password: str = "") -> None:
        self._folder = folder
        self._password = password or secrets.token_hex(8)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        scheme = "mqtts" if "certfile" in more else "mqtt"
        self.url = f"{scheme}://{USER}:{quote(self._password, safe='')}@127.0.0.1:{self.port}"
        (folder / "acl").write_text((CONFIG / "acl").read_text())
        (folder / "mosquitto.conf").write_text(self._moved((CONFIG / "mosquitto.conf").read_text()) + more)
        owner = _owner()
        for path in (folder, *folder.iterdir()):
            path.chmod(0o700)  # it warns of files that others can read
            if owner:
                os.chown(path, owner["user"], owner["group"])

    def _moved(self, text: str) -> str:
        """Put this folder and port in the place of the container's."""
        text = re.sub(r"^listener 1883$", f"listener {self.port} 127.0.0.1", text, flags=re.MULTILINE)
        return re.sub(r"/tmp/|/mosquitto/(config|data)/", f"{self._folder}/", text)  # noqa: S108 -- the container's

    def start(self) -> None:
        """Start it, unless it runs, and wait until it answers."""
        if self._process is not None:
            return
        command = [self._moved(word) for word in composed_command()]
        env = {"PATH": _PATH, "MQTT_PASSWORD": self._password}
        with (self._folder / "server.log").open("ab") as out:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=env, stdout=out, stderr=out, stdin=subprocess.DEVNULL, **_owner()
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"Mosquitto did not start on port {self.port}: {self.log()[-2000:]}", pytrace=False)
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in good order, else with SIGKILL."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_TIMEOUT_S)

    def _listens(self) -> bool:
        if self.url.startswith("mqtt:"):
            return greeting(self.port) is not None
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1.0):
            return True
        return False

    def log(self) -> str:
        """Return what it has said so far."""
        return (self._folder / "server.log").read_text(errors="replace")


def composed_command() -> list[str]:
    """Return the command of compose.yaml's service, with `$$` read as `$`."""
    document = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return [str(word).replace("$$", "$") for word in document["services"]["mosquitto"]["command"]]


def _image() -> str:
    document = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return str(document["services"]["mosquitto"]["image"])


def greeting(port: int, host: str = "127.0.0.1") -> int | None:
    """Return what a broker answers to a client without user and password: CONNACK's code, 5 = not authorised."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1.0) as connection:
        connection.sendall(_HELLO)
        answer = connection.recv(4)
        return answer[3] if len(answer) == 4 else None
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _owner() -> dict[str, Any]:
    """Say as whom the broker runs: as root it would change to this user only after it has read some of its files."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("mosquitto")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _missing() -> list[str]:
    return [name for name in ("mosquitto", "mosquitto_passwd") if shutil.which(name, path=_PATH) is None]


def _probe() -> Found | Absent:
    if os.environ.get(URL_ENV):
        return Found(f"the broker of {URL_ENV}")
    if containers():
        return Found(f"{_image()} in a container")
    if missing := _missing():
        return Absent(f"no {' and no '.join(missing)} found: install mosquitto, or set {URL_ENV}")
    said = subprocess.run(["mosquitto", "-h"], check=False, capture_output=True, text=True, env={"PATH": _PATH})
    return Found(said.stdout.partition("\n")[0])


register("mosquitto", _probe, fixtures=["mosquitto", "mosquitto_server"])


@contextlib.contextmanager
def local_mosquitto(*, more: str = "", password: str = "") -> Iterator[LocalMosquitto]:
    """Run a broker of the test's own, with `more` lines of configuration; skip where the program is not installed."""
    if missing := _missing():
        pytest.skip(f"no {' and no '.join(missing)} found, and the test needs a broker of its own")
    folder = Path(tempfile.mkdtemp(prefix="dialer-mqtt-"))
    with contextlib.ExitStack() as ending:
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        server = LocalMosquitto(folder, more=more, password=password)
        ending.callback(server.stop)
        server.start()
        yield server


@contextlib.contextmanager
def _container() -> Iterator[str]:
    module = importlib.import_module("testcontainers.core.container")
    password = secrets.token_hex(8)
    container = module.DockerContainer(_image(), user="1883:1883").with_command(composed_command())
    container = container.with_env("MQTT_PASSWORD", password).with_volume_mapping(str(CONFIG), "/mosquitto/config")
    with container.with_exposed_ports(1883) as running:
        host, port = running.get_container_host_ip(), int(running.get_exposed_port(1883))
        deadline = time.monotonic() + START_TIMEOUT_S
        while greeting(port, host) is None:
            if time.monotonic() > deadline:
                pytest.fail(f"Mosquitto did not start: {running.get_logs()}", pytrace=False)
            time.sleep(0.05)
        yield f"mqtt://{USER}:{password}@{host}:{port}"


@pytest.fixture(scope="session")
def mosquitto_server() -> Iterator[Mosquitto]:
    """Give the run's broker; a test takes `mosquitto`, which sees to it that the next test finds it running."""
    if url := os.environ.get(URL_ENV):
        yield ForeignMosquitto(url)
    elif containers():
        with _container() as url:
            yield ForeignMosquitto(url)
    else:
        with local_mosquitto() as server:
            yield server


@pytest.fixture
def mosquitto(mosquitto_server: Mosquitto) -> Iterator[Mosquitto]:
    """Give a broker that runs, and that the test may stop."""
    yield mosquitto_server
    mosquitto_server.start()
