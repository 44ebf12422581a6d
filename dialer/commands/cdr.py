"""`dialer cdr`: search, show, export, report on, ask and verify call detail records."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.commands import cdr_dead_letters, cdr_rebuild
from dialer.commands.cdr_analysts import report_command, sql_command
from dialer.commands.cdr_filter import Wish, make_filter, takes_wish, zone_of
from dialer.commands.cdr_options import HOME_ZONE, Json, Mask, Zone, check_campaign
from dialer.commands.cdr_view import as_json, call_json, print_call, print_calls, print_report
from dialer.errors import NotFound

if TYPE_CHECKING:
    from cdr.queries import CallRow, CdrFilter
    from cdr.verify import Report

app = typer.Typer(no_args_is_help=True)
app.add_typer(cdr_dead_letters.app, name="dead-letters")
app.command("rebuild")(cdr_rebuild.rebuild)

app.command("report")(report_command)
app.command("sql")(sql_command)


@app.command()
@takes_wish
def search(
    wish: Wish,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many calls.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Leave out so many of the newest.")] = 0,
    timezone: Zone = HOME_ZONE,
    mask: Mask = False,
    json: Json = False,
) -> None:
    """List calls, newest first."""
    zone = zone_of(timezone)
    rows, total = asyncio.run(_search(make_filter(wish, zone, limit=limit, offset=offset)))
    if json:
        typer.echo(as_json([call_json(row, zone, mask=mask) for row in rows]))
    else:
        print_calls(rows, total, zone, mask=mask)


@app.command()
def show(
    call_id: Annotated[str, typer.Argument(metavar="CALL_ID", help="The call's id, or its SIP Call-ID.")],
    timezone: Zone = HOME_ZONE,
    mask: Mask = False,
    json: Json = False,
) -> None:
    """Show all that is known about one call."""
    zone = zone_of(timezone)
    row = asyncio.run(_detail(call_id))
    if row is None:
        raise NotFound(f"no call has the id {call_id!r}: `dialer cdr search --json` lists ids")
    if json:
        typer.echo(as_json(call_json(row, zone, mask=mask)))
    else:
        print_call(row, zone, mask=mask)


@app.command()
@takes_wish
def export(
    wish: Wish,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A name that ends with .csv, .xlsx or .parquet.")],
    kind: Annotated[
        str | None, typer.Option("--format", metavar="F", help="csv, xlsx or parquet, whatever the name.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many calls.")] = None,
    timezone: Zone = HOME_ZONE,
    mask: Mask = False,
    json: Json = False,
) -> None:
    """Write calls to a file, newest first; no cell is a formula. Times are in the time zone, in Parquet in UTC."""
    from dialer.commands.cdr_export import export_calls

    zone = zone_of(timezone)
    written = asyncio.run(export_calls(file, make_filter(wish, zone), zone, kind=kind, limit=limit, mask=mask))
    typer.echo(as_json({"file": str(file)} | written._asdict()) if json else f"{written} written to {file}")


@app.command()
def verify(json: Json = False) -> None:
    """Prove that every event of the log is in the call records exactly once; exit with status 1 if not."""
    report = asyncio.run(_verify())
    if json:
        typer.echo(as_json({"ok": report.ok, "partitions": report.partitions}))
    else:
        print_report(report)
    if not report.ok:
        raise typer.Exit(1)


async def _search(wanted: CdrFilter) -> tuple[list[CallRow], int]:
    from dialer.commands.context import open_cdr

    await check_campaign(wanted.campaign)
    async with open_cdr() as calls:
        return list(await calls.search(wanted)), await calls.count(wanted)


async def _detail(call_id: str) -> CallRow | None:
    from dialer.commands.context import open_cdr

    async with open_cdr() as calls:
        return await calls.detail(call_id)


async def _verify() -> Report:
    from cdr.projector import PROJECTION
    from dialer.commands.context import open_cdr, open_store
    from store.ledger import SqlOffsetLedger

    async with open_store() as opened:
        positions = await SqlOffsetLedger(opened.engine).positions(PROJECTION)
    async with open_cdr() as calls:
        return await calls.verify(positions)
