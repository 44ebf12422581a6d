"""What a service costs that has nothing to do: memory and processor share."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx
import psutil

from dialer.bench.figures import Result, Step, at_most, plain
from dialer.errors import DialerError
from dialer.home import Home

RSS_GOAL_MB: Final = 600.0
READY_WITHIN_S: Final = 120.0
STOP_WITHIN_S: Final = 60.0
_MEGABYTE: Final = 1_000_000
_LOOK_S: Final = 0.1
_START: Final = "from dialer.cli import main; main()"


def bench_idle(*, seconds: float, step: Step) -> Result:
    """Start `dialer up` on an empty home folder, wait until it is ready, look at it for so many seconds."""
    with TemporaryDirectory(prefix="dialer-bench-") as folder, (Path(folder) / "log").open("w+b") as log:
        home = Home(Path(folder) / "home")
        step("starting the service")
        began = time.perf_counter()
        command = [sys.executable, "-c", _START, "--home", str(home.path), "up", "--port", "0"]
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 -- our own program
        try:
            _wait_until_ready(process, home, Path(log.name))
            ready_s = time.perf_counter() - began
            step("watching it idle")
            rss, share = _watch(psutil.Process(process.pid), seconds)
        finally:
            _stop(process)
    return Result(
        "idle",
        {"seconds": seconds},
        [
            at_most("memory of an idle service (RSS)", rss / _MEGABYTE, RSS_GOAL_MB, "MB"),
            plain("processor share of an idle service", 100 * share, "%"),
            plain("from start to ready", ready_s, "s"),
        ],
    )


def _wait_until_ready(process: subprocess.Popen[bytes], home: Home, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        service = home.running()
        if service is not None and _is_ready(service.url):
            return
        time.sleep(_LOOK_S)
    words = log.read_text("utf-8", "replace")[-2000:]
    raise DialerError(f"`dialer up` did not become ready within {READY_WITHIN_S:g} s; it said: {words}")


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5.0).is_success
    except httpx.TransportError:
        return False


def _watch(process: psutil.Process, seconds: float) -> tuple[int, float]:
    """Return bytes and the share of one processor, the process's children with it."""
    began, before = time.monotonic(), _cpu_s(process)
    time.sleep(seconds)
    share = (_cpu_s(process) - before) / (time.monotonic() - began)
    return sum(one.memory_info().rss for one in _family(process)), share


def _cpu_s(process: psutil.Process) -> float:
    times = [one.cpu_times() for one in _family(process)]
    return float(sum(used.user + used.system for used in times))


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
