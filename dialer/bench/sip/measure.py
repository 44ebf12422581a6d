"""One round: each thing that is compared with another one right after it, so that both have the same machine."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from dialer.bench.figures import Step
from dialer.bench.sip import ari, asterisk, ours, sipp
from dialer.bench.sip.programs import HOST, Program, cores, found, free_port

ARI_AT_ONCE: Final = 50
PACED: Final = 200.0
LIVE_RATE: Final = 500.0
FAILED: Final = "failed, "
"""How the names of counts of calls begin that were not answered, in a round."""
_TICK_S: Final = 0.01
"""The system counts the processor time of a running process so finely."""
_DIALER: Final = "from dialer.cli import main; main()"
_PASSWORD: Final = "bench"  # noqa: S105 -- of a callee that anybody may be
_OPENSSL: Final = (
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=IP:{HOST}",
)  # fmt: skip


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured."""

    repeats: int = 3
    sipp_calls: int = 20_000
    calls: int = 10_000
    stream_calls: int = 5000
    ari_calls: int = 1000
    paced_s: float = 10.0
    hold_s: float = 5.0
    """Of the paced calls at LIVE_RATE: so many of them are up, seconds times rate."""


QUICK: Final = Sizes(
    repeats=1, sipp_calls=500, calls=500, stream_calls=100, ari_calls=50, paced_s=1.0, hold_s=0.5
)  # fmt: skip
AT_ONCE: Final = 50

Round = dict[str, float]
"""Values by name: `... ms` is processor time a call."""


class Bench(NamedTuple):
    """Where a run works, how much it does, and Asterisk's programs where there are any."""

    folder: Path
    sizes: Sizes
    asterisk: Path | None
    numbers: Iterator[int]

    def place(self, name: str) -> Path:
        """Return a new folder."""
        return self.folder / f"{next(self.numbers)}-{name}"


def make(folder: Path, sizes: Sizes, root: Path | None) -> Bench:
    """Make ready."""
    return Bench(folder, sizes, root, itertools.count())


def play(bench: Bench, step: Step) -> Round:
    """Play one round."""
    round_: Round = {}
    step("SIPp calls SIPp")
    _baseline(bench, round_)
    step("we call SIPp")
    _closed(bench, round_)
    step(f"we call SIPp, {PACED:g} a second")
    _paced(bench, round_)
    if bench.asterisk is not None:
        step("Asterisk calls SIPp")
        _asterisk(bench, bench.asterisk, round_)
    step(f"we call SIPp, {LIVE_RATE:g} a second")
    _live(bench, round_)
    step("SIPp calls SIPp, and the carrier simulator")
    _callees(bench, round_)
    step("we call over UDP, TCP and TLS")
    _transports(bench, round_)
    return round_


def _baseline(bench: Bench, round_: Round) -> None:
    with _sipp(bench) as (port, _callee):
        for at_once in (50, 200):
            used = sipp.caller(bench.place("uac"), port, calls=bench.sizes.sipp_calls, at_once=at_once)
            round_[f"sipp {at_once} ms"] = used.ms
            round_[f"sipp {at_once} per s"] = used.calls / used.wall_s


def _closed(bench: Bench, round_: Round) -> None:
    calls = bench.sizes.calls
    with _sipp(bench) as (port, _callee):
        done = ours.call(bench.place("ours"), ours.Job(to=f"udp:{HOST}:{port}", calls=calls, at_once=AT_ONCE))
    _note(round_, "closed", done)
    round_["closed per s"] = done.per_s
    with _sipp(bench, scenario=sipp.challenging()) as (port, _callee):
        job = ours.Job(to=f"udp:{HOST}:{port}", calls=calls, at_once=AT_ONCE, password=_PASSWORD)
        done = ours.call(bench.place("ours"), job)
    _note(round_, "digest", done)
    round_["digest per s"] = done.per_s
    with _sipp(bench, transport="tcp") as (port, _callee):
        job = ours.Job(to=f"tcp:{HOST}:{port}", calls=bench.sizes.stream_calls, at_once=AT_ONCE)
        _note(round_, "sipp tcp", ours.call(bench.place("ours"), job))


def _paced(bench: Bench, round_: Round) -> None:
    with _sipp(bench) as (port, _callee):
        job = ours.Job(to=f"udp:{HOST}:{port}", rate=PACED, duration_s=bench.sizes.paced_s)
        _note(round_, "paced", ours.call(bench.place("ours"), job))


def _live(bench: Bench, round_: Round) -> None:
    sizes = bench.sizes
    with _sipp(bench) as (port, _callee):
        duration_s = sizes.paced_s + sizes.hold_s
        job = ours.Job(to=f"udp:{HOST}:{port}", rate=LIVE_RATE, duration_s=duration_s, hold_s=sizes.hold_s)
        done = ours.call(bench.place("ours"), job)
    _note(round_, "live", done)
    round_["live peak"] = done.report.live_peak
    round_["live rss"] = done.rss_mb
    round_["live late p99"] = done.report.late.p99 if done.report.late is not None else 0.0


def _asterisk(bench: Bench, root: Path, round_: Round) -> None:
    sizes = bench.sizes
    with _sipp(bench) as (port, _callee), asterisk.running(root, bench.place("asterisk")) as (server, at):
        job = ari.Job(
            url=at.url, password=at.password, to=f"PJSIP/trunk/sip:{sipp.NUMBER}@{HOST}:{port}", calls=sizes.ari_calls
        )
        jobs = {
            "ari closed": msgspec.structs.replace(job, at_once=ARI_AT_ONCE),
            "ari filtered": msgspec.structs.replace(job, at_once=ARI_AT_ONCE, filtered=True),
            "ari paced": msgspec.structs.replace(job, rate=PACED, calls=int(PACED * sizes.paced_s)),
        }
        for name, one in jobs.items():
            before = server.cpu_s()
            done = ari.call(bench.place("ari"), one)
            server_s = server.cpu_s() - before
            round_[f"{name} server ms"] = 1000 * server_s / done.answered
            round_[f"{name} client ms"] = 1000 * done.cpu_s / done.answered
            round_[f"{name} ms"] = 1000 * (server_s + done.cpu_s) / done.answered
            round_[f"{name} per s"] = done.answered / done.elapsed_s
            round_[f"{name} p50"] = done.to_answer.p50 if done.to_answer is not None else 0.0
            round_[f"{name} p99"] = done.to_answer.p99 if done.to_answer is not None else 0.0


def _callees(bench: Bench, round_: Round) -> None:
    """Compare who is called: each by SIPp's caller, so many calls at a time."""
    with _sipp(bench) as (port, callee):
        round_["uas sipp ms"] = _called(bench, callee, port)
    with _carrier(bench) as (port, callee):
        round_["uas carrier ms"] = _called(bench, callee, port)


def _called(bench: Bench, callee: Program, port: int) -> float:
    calls, before = bench.sizes.calls, callee.cpu_s()
    sipp.caller(bench.place("uac"), port, calls=calls, at_once=AT_ONCE)
    return 1000 * max(_TICK_S, callee.cpu_s() - before) / calls


def _transports(bench: Bench, round_: Round) -> None:
    """Compare transports with one and the same callee: SIPp as Debian has it speaks no TLS."""
    certificate, key = _certificate(bench)
    kinds = ("udp", "tcp", "tls")
    for kind in kinds:
        with _carrier(bench, kind, "--certificate", certificate, "--key", key) as (port, _callee):
            job = ours.Job(to=f"{kind}:{HOST}:{port}", calls=bench.sizes.stream_calls, at_once=AT_ONCE)
            if kind == "tls":
                job = msgspec.structs.replace(job, authorities=str(certificate))
            _note(round_, kind, ours.call(bench.place("ours"), job))


def _note(round_: Round, name: str, done: ours.Done) -> None:
    report = done.report
    round_[f"{name} ms"] = done.ms
    for why, count in ours.failures(report).items():
        round_[f"{FAILED}{name}: {why}"] = count
    if report.to_answer is not None:
        round_[f"{name} p50"], round_[f"{name} p99"] = report.to_answer.p50, report.to_answer.p99


@contextmanager
def _sipp(bench: Bench, *, transport: str = "udp", scenario: str = "") -> Iterator[tuple[int, Program]]:
    port = free_port()
    with sipp.callee(bench.place("uas"), port, transport=transport, scenario=scenario) as callee:
        yield port, callee


@contextmanager
def _carrier(bench: Bench, transport: str = "udp", *words: str | Path) -> Iterator[tuple[int, Program]]:
    port = free_port()
    command = [sys.executable, "-c", _DIALER, "carrier", "--profile", "clean", "--listen", f"{transport}:{HOST}:{port}"]
    with Program([*command, *words], bench.place("carrier"), core=cores()[0]) as callee:
        callee.wait_for_port(port)
        yield port, callee


def _certificate(bench: Bench) -> tuple[Path, Path]:
    folder = bench.place("certificate")
    folder.mkdir()
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    words = [found("openssl", "openssl"), *_OPENSSL, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(words, check=True, capture_output=True)  # noqa: S603 -- a certificate for this run
    return certificate, key
