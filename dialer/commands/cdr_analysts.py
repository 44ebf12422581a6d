"""`dialer cdr report` and `dialer cdr sql`: ready reports, and an analyst's own questions."""

from __future__ import annotations

import asyncio
import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from dialer.commands.cdr_filter import Wish, make_filter, takes_wish, zone_of
from dialer.commands.cdr_options import HOME_ZONE, Json, Zone, check_campaign
from dialer.errors import BadInput

if TYPE_CHECKING:
    from cdr.adhoc import Table
    from cdr.queries import CdrFilter
    from cdr.reports import ReportRow

_FORMATS: Final = ("table", "csv", "json")
_RATIOS: Final = frozenset({"asr", "abandonment"})


@takes_wish
def report_command(
    wish: Wish,
    name: Annotated[str, typer.Argument(metavar="NAME", help="calls, statuses, times, agents or lines.")],
    by: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT", help="campaign, hour, hour-of-day, day, agent, hotline, carrier, trunk, status or list."
        ),
    ] = None,
    timezone: Zone = HOME_ZONE,
    as_csv: Annotated[bool, typer.Option("--csv", help="For spreadsheets.")] = False,
    json: Json = False,
) -> None:
    """Sum calls up: counts, ASR, abandonment, AHT; statuses; times; what agents did; how lines get through."""
    from cdr.reports import REPORTS, cells, total

    if name not in REPORTS:
        known = "; ".join(f"{known} ({found.about})" for known, found in REPORTS.items())
        raise BadInput(f"no report {name!r}; there are: {known}")
    if json and as_csv:
        raise BadInput("--json and --csv: give the one or the other")
    wanted = make_filter(wish, zone_of(timezone))
    rows = asyncio.run(_report(wanted, by or REPORTS[name].by, timezone))
    lines = [{by or REPORTS[name].by: row.group, **cells(name, row)} for row in rows]
    if json:
        _print_json({"rows": lines, "total": cells(name, total(rows))})
    elif as_csv:
        _print_csv(lines[0] if lines else (), (line.values() for line in lines))
    else:
        _print_report(lines, cells(name, total(rows)))


def sql_command(
    sql: Annotated[str, typer.Argument(metavar="SELECT", help="One statement; - reads it from standard input.")],
    file_format: Annotated[str, typer.Option("--format", metavar="F", help="table, csv or json.")] = "table",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many rows.")] = 1_000,
    seconds: Annotated[int, typer.Option(min=1, max=300, help="Give up after so long.")] = 30,
) -> None:
    """Ask the call records in SQL, read-only; the views are in docs/analytics-views.md. Phone numbers are whole."""
    if file_format not in _FORMATS:
        raise BadInput(f"--format {file_format!r}: write table, csv or json")
    table = asyncio.run(_ask(sys.stdin.read() if sql == "-" else sql, limit, seconds))
    if file_format == "json":
        _print_json([dict(zip(table.columns, row, strict=True)) for row in table.rows])
    elif file_format == "csv":
        _print_csv(table.columns, table.rows)
    else:
        _print_table(table)
    if table.more:
        typer.echo(f"there are more than {limit} rows: these are the first; --limit shows more", err=True)


async def _report(wanted: CdrFilter, by: str, zone: str) -> list[ReportRow]:
    from dialer.commands.context import open_cdr

    await check_campaign(wanted.campaign)
    async with open_cdr() as calls:
        return await calls.report(wanted, by=by, zone=zone)


async def _ask(sql: str, limit: int, seconds: int) -> Table:
    from dialer.commands.context import open_cdr

    async with open_cdr() as calls:
        return await calls.ask(sql, limit=limit, seconds=seconds)


def _print_json(value: object) -> None:
    from dialer.commands.cdr_view import as_json

    typer.echo(as_json(value))


def _print_csv(heading: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print rows for spreadsheets; no cell begins like a formula."""
    from cdr.export import defused

    writer = csv.writer(sys.stdout)
    writer.writerow([defused(name) for name in heading])
    for row in rows:
        writer.writerow([_csv_cell(cell, defused) for cell in row])


def _csv_cell(cell: Any, defused: Any) -> Any:
    match cell:
        case str():
            return defused(cell)
        case list() | dict():
            return defused(_text(cell))
        case _:
            return cell


def _print_table(table: Table) -> None:
    _print_rows(table.columns, [[_text(cell) for cell in row] for row in table.rows], numbers=_numeric(table))
    typer.echo(f"{len(table.rows)} rows")


def _numeric(table: Table) -> set[int]:
    return {place for place, kind in enumerate(table.types) if kind.startswith(("Int", "UInt", "Float", "Decimal"))}


def _print_report(lines: Sequence[Mapping[str, Any]], total: Mapping[str, Any]) -> None:
    if not lines:
        typer.echo("no calls")
        return
    rows = [[_figure(name, value) for name, value in line.items()] for line in lines]
    rows.append(["total", *(_figure(name, value) for name, value in total.items())])
    _print_rows(list(lines[0]), rows, numbers=set(range(1, len(lines[0]))))


def _figure(name: str, value: Any) -> str:
    match value:
        case None:
            return "-"
        case "":
            return "(none)"
        case float() if name in _RATIOS:
            return f"{value:.1%}"
        case float():
            return f"{value:,.1f}"
        case int():
            return f"{value:,}"
        case _:
            return str(value)


def _text(cell: Any) -> str:
    from dialer.commands.cdr_view import as_json

    match cell:
        case None:
            return "NULL"
        case list() | dict():
            return " ".join(as_json(cell).split())
        case _:
            return str(cell)


def _print_rows(heading: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: set[int]) -> None:
    from rich.markup import escape
    from rich.table import Table as RichTable

    from dialer.commands.cdr_view import make_console

    table = RichTable(box=None, header_style="bold", pad_edge=False)
    for place, name in enumerate(heading):
        table.add_column(escape(name), justify="right" if place in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    make_console().print(table)
