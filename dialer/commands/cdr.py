"""`dialer cdr`: search, show, export and verify call detail records."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias
from zoneinfo import ZoneInfo

import typer

from dialer.commands import cdr_dead_letters, cdr_rebuild
from dialer.commands.cdr_filter import Wish, make_filter, zone_of
from dialer.commands.cdr_view import as_json, call_json, print_call, print_calls, print_report
from dialer.errors import BadInput, NotFound

if TYPE_CHECKING:
    from cdr.queries import CallRow, CdrFilter
    from cdr.verify import Report

app = typer.Typer(no_args_is_help=True)
app.add_typer(cdr_dead_letters.app, name="dead-letters")
app.command("rebuild")(cdr_rebuild.rebuild)

Campaign: TypeAlias = Annotated[str | None, typer.Option(metavar="NAME", help="Calls of this campaign.")]
Phone: TypeAlias = Annotated[str | None, typer.Option(metavar="N", help="Calls of this number, however written.")]
Status: TypeAlias = Annotated[list[str] | None, typer.Option(metavar="S", help="Any of these statuses (repeat it).")]
From: TypeAlias = Annotated[str | None, typer.Option("--from", metavar="ISO", help="2026-11-22 or 2026-11-22T08:30.")]
To: TypeAlias = Annotated[str | None, typer.Option("--to", metavar="ISO", help="Up to then; a whole day if no time.")]
Hotline: TypeAlias = Annotated[str | None, typer.Option(metavar="N", help="Calls that showed this number.")]
Direction: TypeAlias = Annotated[str | None, typer.Option(metavar="WAY", help="outbound or inbound.")]
Agent: TypeAlias = Annotated[str | None, typer.Option(metavar="ID", help="Calls of this agent.")]
Zone: TypeAlias = Annotated[str, typer.Option("--timezone", metavar="NAME", help="Times are read and shown in it.")]
Mask: TypeAlias = Annotated[bool, typer.Option("--mask", help="Hide customers' numbers but for the last digits.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="For programs.")]

HOME_ZONE: Final = "Asia/Ho_Chi_Minh"


@app.command()
def search(
    campaign: Campaign = None,
    phone: Phone = None,
    status: Status = None,
    started_from: From = None,
    started_to: To = None,
    hotline: Hotline = None,
    direction: Direction = None,
    agent: Agent = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many calls.")] = 50,
    timezone: Zone = HOME_ZONE,
    mask: Mask = False,
    json: Json = False,
) -> None:
    """List calls, newest first."""
    zone = zone_of(timezone)
    wish = Wish(campaign, phone, tuple(status or ()), started_from, started_to, hotline, direction, agent)
    rows, total = asyncio.run(_search(make_filter(wish, zone, limit=limit)))
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
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A name that ends with .csv or .xlsx.")],
    campaign: Campaign = None,
    phone: Phone = None,
    status: Status = None,
    started_from: From = None,
    started_to: To = None,
    hotline: Hotline = None,
    direction: Direction = None,
    agent: Agent = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many calls.")] = None,
    timezone: Zone = HOME_ZONE,
    mask: Mask = False,
    json: Json = False,
) -> None:
    """Write calls to a spreadsheet, newest first; no cell is a formula."""
    zone = zone_of(timezone)
    wish = Wish(campaign, phone, tuple(status or ()), started_from, started_to, hotline, direction, agent)
    written = asyncio.run(_export(file, make_filter(wish, zone), zone, limit=limit, mask=mask))
    typer.echo(as_json({"file": str(file), "calls": written}) if json else f"{written} calls written to {file}")


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

    await _check_campaign(wanted.campaign)
    async with open_cdr() as calls:
        return list(await calls.search(wanted)), await calls.count(wanted)


async def _detail(call_id: str) -> CallRow | None:
    from dialer.commands.context import open_cdr

    async with open_cdr() as calls:
        return await calls.detail(call_id)


async def _export(file: Path, wanted: CdrFilter, zone: ZoneInfo, *, limit: int | None, mask: bool) -> int:
    from rich.progress import Progress

    from cdr.export import open_export, pages
    from crm.numbers import mask as hide
    from dialer.commands.cdr_view import ERRORS
    from dialer.commands.context import open_cdr

    await _check_campaign(wanted.campaign)
    written = 0
    with open_export(file, zone, mask=hide if mask else None) as writer, Progress(console=ERRORS) as progress:
        async with open_cdr() as calls:
            total = await calls.count(wanted)
            task = progress.add_task("calls", total=total if limit is None else min(limit, total))
            async for page in pages(calls, wanted, limit=limit):
                writer.write(page)
                written += len(page)
                progress.update(task, completed=written)
    return written


async def _verify() -> Report:
    from cdr.projector import PROJECTION
    from dialer.commands.context import open_cdr, open_store
    from store.ledger import SqlOffsetLedger
    from store.outbox import SqlOutboxLog

    async with open_store() as opened:
        ledger = SqlOffsetLedger(opened.engine)
        partitions = await SqlOutboxLog(opened.engine).partitions()
        positions = {partition: await ledger.position(PROJECTION, partition) for partition in partitions}
    async with open_cdr() as calls:
        return await calls.verify(positions)


async def _check_campaign(name: str | None) -> None:
    """Refuse a campaign that does not exist: an empty list would hide the slip of the pen."""
    from sqlalchemy import select

    from dialer.commands.context import open_store
    from store.models import Campaign as CampaignTable

    if name is None:
        return
    async with open_store() as opened, opened.engine.connect() as connection:
        names = list((await connection.execute(select(CampaignTable.name).order_by(CampaignTable.name))).scalars())
    if name not in names:
        known = ", ".join(names) if names else "there is none yet"
        raise BadInput(f"--campaign {name!r}: no such campaign; known: {known}")
