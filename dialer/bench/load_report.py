"""What a load test came to: for programs as one JSON object, for people as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Self

import msgspec
from rich.console import RenderableType
from rich.table import Table

from dialer.bench.load import Load, Seen

_MS: Final = 1000.0


class Spread(msgspec.Struct, frozen=True):
    """How times are spread, in milliseconds."""

    p50: float
    p90: float
    p99: float
    max: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Self | None:
        """Return the spread of some times in seconds, None of none: each is a time that was measured (nearest rank)."""
        if not seconds:
            return None
        ordered = sorted(seconds)
        last = len(ordered) - 1
        return cls(*(round(ordered[min(last, int(share * len(ordered)))] * _MS, 3) for share in (0.5, 0.9, 0.99, 1.0)))


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One load test; times in milliseconds unless named otherwise. Keys are added, never renamed."""

    trunk: str
    server: str
    transport: str
    rate: float
    arrivals: str
    """`even` or `poisson`."""
    duration_s: float
    hold_s: float
    elapsed_s: float
    interrupted: bool
    calls: int
    """Calls that were to begin."""
    placed: int
    """INVITEs that left, each call's first."""
    answered: int
    refused_here: dict[str, int]
    """Calls of which nothing left, by reason: the trunk's own caps, the numbers that it may call, --max-live."""
    codes: dict[str, int]
    """Final responses to INVITEs."""
    no_response: dict[str, int]
    """INVITEs without one: `timeout`, `transport`, `hung up here`."""
    to_ringing: Spread | None
    to_answer: Spread | None
    late: Spread | None
    """How late this process began calls: when it is high, this machine is the limit, not the trunk."""
    backlog_peak: int
    """The most calls that were due at one moment."""
    live_peak: int
    cut_off: int
    """Calls that were hung up because the test was over."""
    cpu_ms_per_call: float | None
    """Processor time of the thread that turns SIP, for each INVITE that left."""


def report_of(load: Load, seen: Seen, *, server: str, transport: str) -> Report:
    """Sum up."""
    return Report(
        trunk=load.trunk, server=server, transport=transport, rate=load.rate,
        arrivals="poisson" if load.poisson else "even", duration_s=load.duration_s, hold_s=load.hold_s,
        elapsed_s=round(seen.elapsed_s, 3), interrupted=seen.interrupted, calls=seen.due, placed=seen.placed,
        answered=seen.answered, refused_here=dict(sorted(seen.refused_here.items())),
        codes={str(code): seen.codes[code] for code in sorted(seen.codes)},
        no_response=dict(sorted(seen.no_response.items())), to_ringing=Spread.of(seen.to_ringing_s),
        to_answer=Spread.of(seen.to_answer_s), late=Spread.of(seen.late_s), backlog_peak=seen.backlog_peak,
        live_peak=seen.live_peak, cut_off=seen.cut_off,
        cpu_ms_per_call=round(seen.cpu_s * _MS / seen.placed, 4) if seen.placed else None,
    )  # fmt: skip


def to_table(report: Report) -> RenderableType:
    """Return it for people."""
    table = Table(title=_title(report), show_header=False, box=None, pad_edge=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column()
    for name, words in (
        ("calls", f"{report.calls:,} due, {report.placed:,} placed, {report.answered:,} answered"),
        ("codes", _counts(report.codes)),
        ("no response", _counts(report.no_response)),
        ("refused here", _counts(report.refused_here)),
        ("INVITE to 180", _times(report.to_ringing)),
        ("INVITE to 200", _times(report.to_answer)),
        ("live at most", f"{report.live_peak:,}"),
        ("hung up at the end", f"{report.cut_off:,}" if report.cut_off else ""),
        ("processor time", "" if report.cpu_ms_per_call is None else f"{report.cpu_ms_per_call:.3g} ms a call"),
        ("began late by", _late(report)),
    ):
        if words:
            table.add_row(name, words)
    return table


def _title(report: Report) -> str:
    words = f"{report.trunk} ({report.transport}:{report.server}): {report.rate:g} calls a second, "
    words += f"{'as people call' if report.arrivals == 'poisson' else 'evenly'}, {report.elapsed_s:.1f} s"
    return f"{words}, interrupted" if report.interrupted else words


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in counts.items())


def _times(spread: Spread | None) -> str:
    if spread is None:
        return ""
    return f"p50 {spread.p50:.1f}, p90 {spread.p90:.1f}, p99 {spread.p99:.1f}, at most {spread.max:.1f} ms"


def _late(report: Report) -> str:
    times = _times(report.late)
    return f"{times}; {report.backlog_peak:,} due at one moment" if times else ""
