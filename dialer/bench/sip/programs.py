"""Programs that a measurement starts: found, pinned to a processor, awaited, with what they cost, ended by their id."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from dialer.errors import DialerError

HOST: Final = "127.0.0.1"
_PATH: Final = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
_START_S: Final = 20.0
_STOP_S: Final = 10.0
_POLL_S: Final = 0.005
_SAID: Final = 2000


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody has, neither for UDP nor for TCP."""
    while True:
        with socket.socket(type=socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind((HOST, 0))
            port = int(udp.getsockname()[1])
            with contextlib.suppress(OSError):
                tcp.bind((HOST, port))
                return port


def found(name: str, package: str) -> str:
    """Return a program's path; raise DialerError that says what to install."""
    path = shutil.which(name, path=_PATH)
    if path is None:
        raise DialerError(f"{name} is not installed, and it is what ours is measured beside: install {package}")
    return path


class Program:
    """One running process, in a folder of its own, pinned to one processor where `core` names one."""

    def __init__(self, command: Sequence[str | Path], folder: Path, *, core: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.name = Path(command[0]).name
        words = [*_pinned(core), *map(str, command)]
        with (folder / "errors").open("ab") as errors, (folder / "said").open("ab") as said:
            self._process = subprocess.Popen(  # noqa: S603 -- what the measurement is made of
                words, cwd=None, stdin=subprocess.DEVNULL, stdout=said, stderr=errors, env=_environment()
            )
        self._used_s: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def said(self) -> str:
        """Return what it has written to its output."""
        return (self.folder / "said").read_text("utf-8", "replace")

    def wait_for_port(self, port: int) -> None:
        """Return when it has a port of 127.0.0.1 open; raise DialerError when it ends or takes too long."""
        process, deadline = psutil.Process(self._process.pid), time.monotonic() + _START_S
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(psutil.Error):
                if any(getattr(one.laddr, "port", 0) == port for one in process.net_connections("inet")):
                    return
            time.sleep(_POLL_S)
        self.fail("did not start")

    def cpu_s(self) -> float:
        """Return the processor time that it and its children have used so far, to 10 ms."""
        process = psutil.Process(self._process.pid)
        times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
        return float(sum(used.user + used.system for used in times))

    def wait(self, seconds: float) -> float:
        """Wait for its end, and return the processor time that it used; raise DialerError unless it ends well."""
        deadline = time.monotonic() + seconds
        while self._used_s is None:
            pid, status, used = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                self._used_s = used.ru_utime + used.ru_stime
                self._process.returncode = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                self.fail(f"still ran after {seconds:g} s")
            else:
                time.sleep(_POLL_S)
        if self._process.returncode:
            self.fail(f"ended with {self._process.returncode}")
        return self._used_s

    def fail(self, what: str) -> None:
        """Raise DialerError with the end of what it said."""
        words = f"{self.said()[-_SAID:]} {(self.folder / 'errors').read_text('utf-8', 'replace')[-_SAID:]}"
        raise DialerError(f"{self.name} {what}; it said: {words.strip()}")

    def stop(self) -> None:
        """End it and wait for that, if need be by SIGKILL; a second call does nothing."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def _pinned(core: int | None) -> list[str]:
    taskset = shutil.which("taskset", path=_PATH)
    return [] if core is None or taskset is None else [taskset, "-c", str(core)]


def _environment() -> dict[str, str]:
    """Return this process's environment without what would slow a child down."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONASYNCIODEBUG"}


def cores() -> tuple[int | None, int | None]:
    """Return a processor for who is called and one for who calls; None where there is only one, or no pinning."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)
