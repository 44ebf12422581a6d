"""SIPp for tests: Debian's traffic generator as a carrier or as a caller, with the scenarios of `sipp_scenarios`."""

from __future__ import annotations

import asyncio
import csv
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.plugins.components import register
from tests.plugins.processes import HOST, Program, free_port, is_open, probed

WAIT_S: Final = 30.0
_TRANSPORTS: Final = {"udp": "u1", "tcp": "t1"}
_MESSAGE: Final = re.compile(r"^(?:.*\(recv\)\.)?-{20,}.*\n.* message (?:sent|received).*\n", re.MULTILINE)
_TIMED_OUT: Final = re.compile(r"\S+\s\S+\s\S+: Call-Id: .*?, jumping to label \d+?(?=\d{4}-\d\d-\d\d|\s|$)")
"""A wait of a scenario that ended as it should is reported too."""


class Counts(NamedTuple):
    """What SIPp has counted: calls begun, gone as the scenario says, gone otherwise, and messages sent once more."""

    calls: int
    done: int
    failed: int
    repeated: int


class SippRun:
    """One SIPp: its address, its counts, its messages, and a hand on its process."""

    def __init__(self, sipp: Program, port: int, transport: str, *, is_callee: bool) -> None:
        self.program = sipp
        self.port = port
        self.address = f"{HOST}:{port}"
        self._suffix = "" if transport == "udp" else f";transport={transport}"
        self._is_callee = is_callee

    def uri(self, user: str) -> str:
        """Return the SIP address of anybody here: `sip:USER@127.0.0.1:PORT`, with its transport unless that is UDP."""
        return f"sip:{user}@{self.address}{self._suffix}"

    def stats(self) -> dict[str, str]:
        """Return SIPp's statistics by column (`SuccessfulCall(C)`): at most a second old, exact once it has ended."""
        rows = list(csv.reader(self._file("stats.csv").splitlines(), delimiter=";"))
        return dict(zip(rows[0], rows[-1], strict=False))

    def counts(self) -> Counts:
        """Return the most wanted of its statistics."""
        stats = self.stats()
        columns = ("TotalCallCreated", "SuccessfulCall(C)", "FailedCall(C)", "Retransmissions(C)")
        return Counts(*(int(stats[column]) for column in columns))

    def messages(self) -> list[str]:
        """Return each message that came or went so far."""
        return [text.strip() for text in _MESSAGE.split(self._file("messages.log")) if text.strip()]

    def first_lines(self) -> list[str]:
        """Return the first lines of those."""
        return [text.partition("\n")[0] for text in self.messages()]

    def errors(self) -> str:
        """Return what went otherwise than the scenario says."""
        text = self._file("errors.log").removeprefix("The following events occurred:\n")
        return _TIMED_OUT.sub("", text).strip()

    def _file(self, name: str) -> str:
        path = self.program.folder / name
        return path.read_text(errors="replace").replace("\r\n", "\n") if path.exists() else ""

    async def finished(self, timeout_s: float = WAIT_S) -> Counts:
        """Wait, while the loop goes on, for a caller to make its calls, or a callee to end those that it has."""
        return await asyncio.to_thread(self.wait, timeout_s)

    def wait(self, timeout_s: float = WAIT_S) -> Counts:
        """Do the same where no loop of this process has a part in the calls."""
        if self._is_callee:
            self.program.send(signal.SIGUSR1)
        if not self.program.has_ended(timeout_s):
            self.program.fail(f"still runs after {timeout_s:g} s, {self.first_lines()}, {self.errors()}")
        return self.counts()

    def stop(self) -> Counts:
        """End it now; calls that are open count neither as done nor as failed."""
        self.program.stop()
        return self.counts()


class Sipp:
    """Starts SIPps, and ends them with the test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs: list[SippRun] = []

    def uas(self, scenario: str, *, transport: str = "udp", options: Sequence[str] = (), trace: bool = True) -> SippRun:
        """Start a callee, by a scenario's XML or the name of one of SIPp's own; returns when it listens."""
        run = self._start(scenario, transport, options, trace=trace, is_callee=True)
        run.program.ready(lambda: is_open(run.port, transport))
        return run

    def uac(
        self, target: str, scenario: str, *, user: str = "0900000000", calls: int = 1, rate: float = 10.0,
        transport: str = "udp", options: Sequence[str] = (), trace: bool = True,
    ) -> SippRun:  # fmt: skip
        """Start a caller of `user` at `target` (host:port), with `rate` calls a second; `finished` waits for it."""
        more = (target, "-s", user, "-m", str(calls), "-r", f"{rate:g}", *options)
        return self._start(scenario, transport, more, trace=trace, is_callee=False)

    def _start(self, scenario: str, transport: str, options: Sequence[str], *, trace: bool, is_callee: bool) -> SippRun:
        folder = Path(tempfile.mkdtemp(prefix="sipp-", dir=self._folder))
        port, media = free_port(), free_port(3)  # sound is for the first and the third
        command = ["sipp", *_scenario(scenario, folder), "-t", _TRANSPORTS[transport], "-bind_local"]
        command += ["-i", HOST, "-p", str(port), "-mi", HOST, "-mp", str(media), "-ci", HOST, "-cp", str(media + 1)]
        command += ["-nostdin", "-buff_size", "4000000"]  # with less it loses messages at high rates
        command += ["-trace_stat", "-stf", "stats.csv", "-fd", "1", "-trace_err", "-error_file", "errors.log"]
        command += ["-trace_msg", "-message_file", "messages.log"] if trace else []
        run = SippRun(Program([*command, *options], folder), port, transport, is_callee=is_callee)
        self._runs.append(run)
        return run

    def stop(self) -> None:
        """End all of them."""
        for run in self._runs:
            run.program.stop()


def _scenario(scenario: str, folder: Path) -> tuple[str, str]:
    if not scenario.startswith("<?xml"):
        return "-sn", scenario
    (folder / "scenario.xml").write_text(scenario)
    return "-sf", "scenario.xml"


register("sipp", lambda: probed("sipp", "sip-tester", "-v"), fixtures=["sipp"])


@pytest.fixture
def sipp() -> Iterator[Sipp]:
    """Give what starts SIPps for the test."""
    folder = Path(tempfile.mkdtemp(prefix="dialer-sipp-"))
    every = Sipp(folder)
    yield every
    every.stop()
    shutil.rmtree(folder, ignore_errors=True)
