"""`dialer leads`: import, list, export, hold and release leads."""

from __future__ import annotations

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.commands import lead_plan
from dialer.commands.context import StoreContext, print_json, with_store
from dialer.errors import BadInput, NotFound

if TYPE_CHECKING:
    from rich.progress import Progress

    from crm.importing import ImportResult
    from crm.leads import LeadFilter, LeadPage
    from crm.reading import Source

app = typer.Typer(no_args_is_help=True)

_Campaign = Annotated[str | None, typer.Option("--campaign", help="Only this campaign.")]
_List = Annotated[str | None, typer.Option("--list", help="Only this list of the campaign.")]
_Phone = Annotated[str | None, typer.Option("--phone", help="Only this number, however it is written.")]
_Status = Annotated[list[str] | None, typer.Option("--status", help="A call status, or NEW; may be repeated.")]
_State = Annotated[list[str] | None, typer.Option("--state", help="A state in the campaign; may be repeated.")]
_Text = Annotated[str | None, typer.Option("--text", help="In the name (accents do not matter), code or number.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
_LeadId = Annotated[int, typer.Argument(help="The lead's id, as `dialer leads list` shows it.", metavar="LEAD_ID")]


class Listing(StrEnum):
    """Lists of numbers that must not be called."""

    DNC = "dnc"
    BLACKLIST = "blacklist"


class Order(StrEnum):
    """The orders of the lead screen (S0-7)."""

    DEFAULT = "default"
    NEWEST = "newest"
    LAST_CALL = "last_call"
    LAST_STATUS = "last_status"
    NAME = "name"


class Language(StrEnum):
    """Languages of headings and statuses."""

    VI = "vi"
    EN = "en"


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="The .xlsx or .csv file.", show_default=False)],
    campaign: Annotated[str, typer.Option(help="The campaign that gets the leads.", show_default=False)],
    columns: Annotated[str, typer.Option("--map", help="FIELD=COLUMN NUMBER,...")] = "name=1,phone=2",
    start_row: Annotated[int, typer.Option(help="The first row with data.")] = 2,
    list_name: Annotated[str | None, typer.Option("--list", help="The list; by default the file's name.")] = None,
    migrate_2018: Annotated[
        bool | None, typer.Option("--migrate-2018/--no-migrate-2018", help="Convert old 11-digit mobiles.")
    ] = None,
    result: Annotated[Path | None, typer.Option(help="Where failed rows are written, .xlsx or .csv.")] = None,
    as_json: _Json = False,
) -> None:
    """Import leads; numbers already in the campaign have their customers updated. Safe to run again."""
    from crm.mapping import parse_mapping

    mapping = parse_mapping(columns)

    async def work(store: StoreContext) -> ImportResult:
        from crm.importing import import_source
        from crm.reading import open_source

        source = await asyncio.to_thread(open_source, file, mapping, start_row)
        migrate = migrate_2018 if migrate_2018 is not None else await _ask_about_old(source)
        with _progress() as shown:
            task = shown.add_task(f"importing {file.name}", total=source.sheet.total)
            return await import_source(
                store.engine,
                source,
                campaign,
                now=store.now(),
                list_name=list_name,
                migrate_2018=migrate,
                result_path=result or store.home / f"{file.stem}-failed.xlsx",
                on_progress=lambda done, _: shown.update(task, completed=done),
            )

    _say_imported(with_store(work), as_json=as_json)


async def _ask_about_old(source: Source) -> bool:
    from crm.reading import count_old_numbers

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    old = await asyncio.to_thread(count_old_numbers, source)
    question = f"{old} rows have an 11-digit number from before 2018. Convert them to the 10 digits of today?"
    return old > 0 and typer.confirm(question, err=True)


def _say_imported(result: ImportResult, *, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    typer.echo(f"{result.rows} rows: {result.added} added, {result.existing} already there, {result.failed} failed")
    if result.duplicates:
        typer.echo(f"{result.duplicates} of the rows already there repeat a number of this file")
    if result.migrated:
        typer.echo(f"{result.migrated} old 11-digit numbers were converted")
    if result.old_numbers:
        typer.echo(f"{result.old_numbers} failed rows have old 11-digit numbers: import again with --migrate-2018")
    if result.result_path is not None:
        typer.echo(f"what failed and why: {result.result_path}")


@app.command("list")
def list_command(
    campaign: _Campaign = None,
    list_name: _List = None,
    phone: _Phone = None,
    status: _Status = None,
    state: _State = None,
    text: _Text = None,
    order: Annotated[Order, typer.Option(help="The order.")] = Order.DEFAULT,
    offset: Annotated[int, typer.Option(min=0, help="Leave out so many first.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Show so many.")] = 25,
    lang: Annotated[Language, typer.Option(help="Language of the statuses.")] = Language.VI,
    as_json: _Json = False,
) -> None:
    """List leads with the columns of the lead screen."""

    async def work(store: StoreContext) -> LeadPage:
        from crm.leads import LeadOrder, list_leads

        wanted = await _filter(store, campaign, list_name, phone=phone, status=status, state=state, text=text)
        return await list_leads(store.engine, wanted, LeadOrder(order.value), offset=offset, limit=limit)

    page = with_store(work)
    if as_json:
        print_json(page)
    else:
        _print_leads(page, offset, lang.value)


@app.command("export")
def export_command(
    file: Annotated[Path, typer.Argument(help="The .xlsx or .csv file to write.", show_default=False)],
    campaign: _Campaign = None,
    list_name: _List = None,
    phone: _Phone = None,
    status: _Status = None,
    state: _State = None,
    text: _Text = None,
    lang: Annotated[Language, typer.Option(help="Language of headings and statuses.")] = Language.VI,
    as_json: _Json = False,
) -> None:
    """Write leads to a file without formula cells; the file appears whole or not at all."""

    async def work(store: StoreContext) -> int:
        from crm.exporting import export_leads

        wanted = await _filter(store, campaign, list_name, phone=phone, status=status, state=state, text=text)
        with _progress() as shown:
            task = shown.add_task(f"writing {file.name}", total=None)
            return await export_leads(
                store.engine,
                file,
                wanted,
                lang="vi" if lang is Language.VI else "en",
                on_progress=lambda done, total: shown.update(task, completed=done, total=total),
            )

    leads = with_store(work)
    if as_json:
        print_json({"leads": leads, "file": str(file)})
    else:
        typer.echo(f"{leads} leads written to {file}")


@app.command("pause")
def pause_command(lead_id: _LeadId) -> None:
    """Stop calling one lead until it is started again; a call in progress is finished first."""
    from crm.leads import pause_lead

    state = with_store(lambda store: pause_lead(store.engine, lead_id, now=store.now()))
    typer.echo(f"lead {lead_id} is {state}" + ("; paused when the call ends" if state == "in_progress" else ""))


@app.command("start")
def start_command(lead_id: _LeadId) -> None:
    """Let a paused lead be called again."""
    from crm.leads import start_lead

    typer.echo(f"lead {lead_id} is {with_store(lambda store: start_lead(store.engine, lead_id, now=store.now()))}")


@app.command("remove")
def remove_command(lead_id: _LeadId) -> None:
    """Take a lead out of its campaign for good; its call records stay."""
    from crm.leads import remove_lead

    gone = with_store(lambda store: remove_lead(store.engine, lead_id, now=store.now()))
    typer.echo(f"lead {lead_id} is removed" if gone else f"lead {lead_id} is in a call; it is removed when that ends")


@app.command("suppress")
def suppress_command(
    phone: Annotated[str, typer.Argument(help="The number.", show_default=False)],
    kind: Annotated[Listing, typer.Option(help="Which list.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why, for those who look later.")] = "",
) -> None:
    """Never call a number again, in any campaign, until it is taken off the list."""
    from crm.leads import suppress

    held = with_store(lambda store: suppress(store.engine, phone, kind.value, now=store.now(), reason=reason))
    typer.echo(f"the number is on the {kind} list; {held} leads are held")


@app.command("unsuppress")
def unsuppress_command(
    phone: Annotated[str, typer.Argument(help="The number.", show_default=False)],
    kind: Annotated[Listing, typer.Option(help="Which list.", show_default=False)],
) -> None:
    """Take a number off a list."""
    from crm.leads import unsuppress

    freed = with_store(lambda store: unsuppress(store.engine, phone, kind.value, now=store.now()))
    typer.echo(f"the number is off the {kind} list; {freed} leads changed their state")


app.command("list-on")(lead_plan.list_on_command)
app.command("list-off")(lead_plan.list_off_command)
app.command("schedule")(lead_plan.schedule_command)


async def _filter(
    store: StoreContext,
    campaign: str | None,
    list_name: str | None,
    *,
    phone: str | None,
    status: list[str] | None,
    state: list[str] | None,
    text: str | None,
) -> LeadFilter:
    from crm.campaigns import read_status
    from crm.leads import LeadFilter

    campaign_id = list_id = None
    if campaign is not None:
        campaign_id = (await read_status(store.engine, campaign, now=store.now()))[0].campaign_id
    if list_name is not None:
        list_id = await _list_id(store, campaign_id, list_name)
    return LeadFilter(
        phone=phone,
        campaign_id=campaign_id,
        list_id=list_id,
        statuses=frozenset(_status_value(one) for one in status or ()),
        states=frozenset(_state_value(one) for one in state or ()),
        text=text,
    )


async def _list_id(store: StoreContext, campaign_id: int | None, name: str) -> int:
    from crm.leads import lists_with_leads
    from crm.names import near

    if campaign_id is None:
        raise BadInput("--list: name its campaign too, with --campaign.")
    lists = {found.name: found.id for found in await lists_with_leads(store.engine, campaign_id)}
    if name not in lists:
        raise NotFound(f"the campaign has no list {name!r} with leads. {near(name, lists)}")
    return lists[name]


def _status_value(text: str) -> str:
    from crm.leads import NEVER_CALLED
    from statuses.outcomes import parse_status

    if text.upper() == NEVER_CALLED:
        return NEVER_CALLED
    try:
        return parse_status(text).value
    except ValueError as error:
        raise BadInput(f"--status: {error}; or {NEVER_CALLED}.") from error


def _state_value(text: str) -> Any:
    from statuses.lead import LeadState

    try:
        return LeadState(text.lower())
    except ValueError as error:
        raise BadInput(f"--state: there is no {text!r}; use one of: {', '.join(LeadState)}.") from error


def _print_leads(page: LeadPage, offset: int, lang: str) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from statuses.catalog import colour, label

    table = Table()
    for heading in ("id", "code", "name", "phone", "status", "calls", "campaign", "agent", "state"):
        table.add_column(heading, no_wrap=heading in {"id", "code", "phone", "status"})
    for row in page.rows:
        status = f"[{colour(row.status)}]{row.status_code}[/]"
        person = (row.code, escape(row.name), row.phone)
        place = (escape(row.campaign), escape(row.agent or ""), label(row.state, lang))
        table.add_row(str(row.lead_id), *person, status, str(row.calls), *place)
    console = Console()
    console.print(table)
    first = min(offset + 1, page.total)
    console.print(f"{first} to {offset + len(page.rows)} of {page.total} leads")


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
