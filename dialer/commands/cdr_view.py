"""Show calls at a terminal, or as JSON to programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from cdr.queries import CallRow
    from cdr.verify import Report

ERRORS: Final = Console(stderr=True, highlight=False)
"""Where progress goes: standard output belongs to the result."""
_TIMELINE: Final = (
    ("started", "started_at"),
    ("ringing", "ringing_at"),
    ("early media", "early_media_at"),
    ("answered", "answered_at"),
    ("with the agent", "bridged_at"),
    ("ended", "ended_at"),
)
_COLUMNS: Final = (
    "started", "status", "number", "hotline", "way", "agent", "ended by", "duration", "talk", "campaign", "call id",
)  # fmt: skip


def as_json(value: Any) -> str:
    """Return indented JSON."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def call_json(row: CallRow, zone: tzinfo, *, mask: bool) -> dict[str, Any]:
    """Return a call for programs: CallRow's fields, its times as ISO 8601 in `zone`."""
    shown = msgspec.structs.asdict(row)
    for name, value in shown.items():
        if name.endswith("_at") and value is not None:
            shown[name] = datetime.fromtimestamp(value, zone).isoformat(timespec="milliseconds")
    return shown | {"phone_e164": _number(row, mask=mask)}


def print_calls(rows: Sequence[CallRow], total: int, zone: tzinfo, *, mask: bool) -> None:
    """Print a table of calls."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in _COLUMNS:
        table.add_column(column, no_wrap=True, justify="right" if column in {"duration", "talk"} else "left")
    for row in rows:
        table.add_row(*map(escape, _cells(row, zone, mask=mask)))
    console = make_console()
    console.print(table)
    console.print(f"{len(rows)} of {total} calls; times in {zone}")


def print_call(row: CallRow, zone: tzinfo, *, mask: bool) -> None:
    """Print one call: its timeline, then everything that is known."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for words, field in _TIMELINE:
        at = getattr(row, field)
        if at is not None:
            table.add_row(words, _time(at, zone))
    for name, value in _known(row, zone, mask=mask):
        table.add_row(name, escape(str(value)))
    make_console().print(table)


def print_report(report: Report) -> None:
    """Print what the verifier found."""
    console = make_console()
    for part in report.partitions:
        console.print(
            f"partition {part.partition}: {part.records} records up to {part.position}, {part.dead_letters} of them "
            f"dead letters; {part.begun} attempts begun, {part.finals} CDRs, {part.calls} calls"
        )
        for gap in part.gaps:
            console.print(f"  [red]missing[/]: offsets {gap.first} to {gap.last}")
        for double in part.doubles:
            console.print(f"  [red]doubled[/]: offset {double.offset}")
        for odd in part.odd_calls:
            console.print(
                f"  [red]call {escape(odd.call_id)}[/]: begun {odd.begun}, ended {odd.ended}, CDRs {odd.finals}, "
                f"rows {odd.rows}"
            )
    console.print("[green]nothing is missing, nothing is doubled[/]" if report.ok else "[red]the records are wrong[/]")


def make_console() -> Console:
    """Make the console for standard output as it is now; into a pipe the lines keep their length."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=400)


def _cells(row: CallRow, zone: tzinfo, *, mask: bool) -> list[str]:
    return [
        _time(row.started_at, zone), row.status, _number(row, mask=mask), row.hotline, row.direction,
        row.agent_id, row.ended_by, _span(row.duration_s), _span(row.billsec_s), row.campaign_name, row.call_id,
    ]  # fmt: skip


def _known(row: CallRow, zone: tzinfo, *, mask: bool) -> Iterator[tuple[str, Any]]:
    told = {field for _, field in _TIMELINE}
    for name, value in call_json(row, zone, mask=mask).items():
        if name not in told and value not in (None, ""):
            yield name, value


def _number(row: CallRow, *, mask: bool) -> str:
    from crm.numbers import mask as hide

    return hide(row.phone_e164) if mask else row.phone_e164


def _time(at: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(at, zone).isoformat(sep=" ", timespec="seconds")[:19]


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"
