"""Calls by our adapter in a process of its own: a job in, what it came to out, both as JSON."""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path
from typing import Final

import msgspec

from dialer.bench.load import Load, Seen
from dialer.bench.load_report import Report, report_of
from dialer.bench.load_trunk import TARGET, loader, trunk_to
from dialer.bench.sip.programs import Program, cores
from dialer.clock import SystemClock
from telephony_adapters.trunks.model import TrunksFile
from telephony_adapters.trunks.reading import Secret
from telephony_adapters.trunks.setup import Plant
from telephony_adapters.wire.collecting import collect_seldom
from telephony_adapters.wire.uvloops import run

_START: Final = "from dialer.bench.sip.ours import main; main()"
_PHONE: Final = "+84900000001"
_HOTLINE: Final = "+84240000000"
_GRACE_S: Final = 60.0


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Calls to a place (udp:127.0.0.1:5070): `calls`, so many `at_once`; or `rate` a second for `duration_s`."""

    to: str
    calls: int = 0
    at_once: int = 0
    rate: float = 0.0
    duration_s: float = 0.0
    hold_s: float = 0.0
    password: str = ""
    """For a callee that challenges."""
    authorities: str = ""
    """Of a TLS callee's certificate: a file."""

    @property
    def takes_s(self) -> float:
        """Return for how long it may be waited."""
        return self.duration_s + self.hold_s + self.calls / 50 + _GRACE_S


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What a job came to: the load test's report, and what the whole process used meanwhile."""

    report: Report
    cpu_s: float
    rss_mb: float

    @property
    def ms(self) -> float:
        """Return milliseconds of processor time a call."""
        return 1000 * self.cpu_s / self.report.placed

    @property
    def per_s(self) -> float:
        """Return the set-ups a second."""
        return self.report.answered / self.report.elapsed_s


def call(folder: Path, job: Job, *, pinned: bool = True) -> Done:
    """Do a job in a process of its own; raise DialerError when that ends badly."""
    words = [sys.executable, "-c", _START, msgspec.json.encode(job).decode()]
    with Program(words, folder, core=cores()[1] if pinned else None) as program:
        program.wait(job.takes_s)
        return msgspec.json.decode(program.said(), type=Done)


def failures(report: Report) -> dict[str, int]:
    """Return the calls that were not answered, by reason: refused here, a code, no response, or cut off at the end."""
    codes = {f"code {code}": count for code, count in report.codes.items() if code != "200"}
    found = codes | report.refused_here | report.no_response
    left = report.calls - report.answered - sum(found.values())
    return found | ({"no end": left} if left else {})


def main() -> None:
    """Do the job of the first argument."""
    collect_seldom()
    done = run(_do(msgspec.json.decode(sys.argv[1], type=Job)))
    sys.stdout.write(msgspec.json.encode(done).decode())


async def _do(job: Job) -> Done:
    load = Load(
        trunk=TARGET, numbers=(_PHONE,), hotline=_HOTLINE, calls=job.calls, at_once=job.at_once, rate=job.rate,
        duration_s=job.duration_s, hold_s=job.hold_s, drain_s=job.hold_s + 1.0,
    )  # fmt: skip
    plant = Plant(_trunks(job), key=b"bench")
    async with loader(plant, load, SystemClock()) as found:
        await asyncio.sleep(0.1)  # what opening costs is not a call's
        before = _cpu_s()
        await found.run()
        cpu_s = _cpu_s() - before
    return Done(report=_report(load, found.seen, job), cpu_s=cpu_s, rss_mb=_rss_mb())


def _trunks(job: Job) -> TrunksFile:
    file = trunk_to(job.to, authorities=Path(job.authorities) if job.authorities else None)
    if not job.password:
        return file
    secured = {"username": "bench", "password": Secret(job.password)}
    return msgspec.structs.replace(file, trunks={TARGET: msgspec.structs.replace(file.trunks[TARGET], **secured)})


def _report(load: Load, seen: Seen, job: Job) -> Report:
    transport, _, server = job.to.partition(":")
    return report_of(load, seen, server=server, transport=transport)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
