"""Programs that tests start as processes of their own: found, given ports and files, awaited, ended by their id."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NoReturn

import pytest

from tests.plugins.components import Absent, Found

HOST: Final = "127.0.0.1"
START_TIMEOUT_S: Final = 20.0
STOP_TIMEOUT_S: Final = 10.0
PORTS: Final = range(20_000, 32_000)
"""Below those that the kernel hands out by itself, so that no passing socket takes one between choice and use."""
RTP_PORTS: Final = (10_000, 19_999)
"""Where programs look for free ones by themselves."""
_PATH: Final = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
"""Debian keeps servers where only root looks for programs."""
_POLL_S: Final = 0.01
_LISTENING: Final = "0A"  # the state in /proc/net/tcp
_WORKERS: Final = 4


def program(name: str) -> str | None:
    """Return the path of a program, wherever Debian puts it; None if it is not installed."""
    return shutil.which(name, path=_PATH)


def probed(name: str, package: str, *options: str) -> Found | Absent:
    """Say whether a program is here, and, by the first line that it prints with these options, which version."""
    if (path := program(name)) is None:
        return Absent(f"no {name} found: install {package}")
    said = subprocess.run([path, *options], check=False, capture_output=True, text=True)
    return Found((said.stdout + said.stderr).strip().partition("\n")[0])


def free_port(count: int = 1) -> int:
    """Return the first of `count` neighbouring ports of 127.0.0.1 that nobody has, neither for UDP nor for TCP."""
    while True:
        ports = list(itertools.islice(_NUMBERS, count))
        if ports[-1] - ports[0] == count - 1 and all(map(_is_free, ports)):
            return ports[0]


def _numbers() -> Iterator[int]:
    """Go round this worker's share, from any of it on: what is chosen is not chosen again before it is in use."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    size = len(PORTS) // _WORKERS
    share = PORTS[worker * size : (worker + 1) * size]
    start = random.SystemRandom().randrange(size)  # other runs on this machine may have the same seed
    return itertools.cycle((*share[start:], *share[:start]))


_NUMBERS: Final = _numbers()


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                return False
    return True


def is_open(port: int, *kinds: str) -> bool:
    """Say whether somebody has this port open for each of these: `udp`, `tcp`; asks the kernel, sends nothing."""
    return all(port in set(_open_ports(kind)) for kind in kinds)


def _open_ports(kind: str) -> Iterator[int]:
    for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        if kind == "udp" or state == _LISTENING:
            yield int(local.rpartition(":")[2], 16)


def filled(template: Path, **values: object) -> str:
    """Return a file's text with each `@word@` replaced by its value; KeyError if a word has none."""
    return re.sub(r"@(\w+)@", lambda match: str(values[match[1]]), template.read_text(encoding="utf-8"))


class Program:
    """One running process, which writes into a log file of its folder."""

    def __init__(self, command: Sequence[str | Path], folder: Path, name: str = "") -> None:
        self.folder = folder
        self._name = name or Path(command[0]).name
        self._log = folder / "program.log"
        words = [str(word) for word in command]
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                words, cwd=folder, env=os.environ | {"PATH": _PATH}, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip

    def log(self) -> str:
        """Return what it has said so far."""
        return self._log.read_text(errors="replace")

    def fail(self, what: str) -> NoReturn:
        """Fail the test, and show the end of the log."""
        pytest.fail(f"{self._name} {what}: {self.log()[-3000:]}", pytrace=False)

    def ready(self, condition: Callable[[], bool]) -> None:
        """Wait until it is up, by a condition; the test fails if it ends before, or takes too long."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not condition():
            if self.has_ended() or time.monotonic() > deadline:
                self.fail("did not start")
            time.sleep(_POLL_S)

    def send(self, how: signal.Signals) -> None:
        """Send it a signal; nothing if it has ended."""
        self._process.send_signal(how)

    def has_ended(self, within_s: float = 0.0) -> bool:
        """Say whether it has ended, or does within a time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(within_s)
        return self._process.poll() is not None

    def kill(self) -> None:
        """End it and what it has started by SIGKILL, and wait for that."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(STOP_TIMEOUT_S)

    def stop(self) -> None:
        """End it and wait for that, if need be by SIGKILL; a second call does nothing."""
        self.send(signal.SIGTERM)
        if not self.has_ended(STOP_TIMEOUT_S):
            self.kill()
