"""`dialer recordings`: list, fetch, verify and delete recordings of calls, and see who listened to them."""

from __future__ import annotations

import asyncio
import getpass
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Column, Table

from dialer.commands.context import print_json, settings, with_store
from dialer.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm.recordings import Asker, Problem, RecordingShelf
    from dialer.commands.context import StoreContext
    from dialer.recordings import Stored

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True)
CallId = Annotated[str, typer.Argument(metavar="CALL_ID", help="The call's id, as `dialer recordings list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
CampaignName = Annotated[str | None, typer.Option("--campaign", metavar="NAME", help="Of this campaign only.")]
_BATCH = 500
_ID = 36
"""Letters of a call's id: it is shown whole, for `get` wants it."""


@app.command("list")
def show(
    campaign: CampaignName = None,
    deleted: Annotated[bool, typer.Option("--deleted", help="The deleted ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List recordings, those of the latest calls first."""
    rows, (count, size) = _with_shelf(lambda shelf, store: _listed(shelf, store, campaign, deleted, limit))
    if as_json:
        print_json({"recordings": rows, "kept": count, "bytes": size})
        return
    table = Table(
        Column("call", overflow="fold", min_width=_ID), "began (UTC)", "length", "kB", "format", "deleted", box=None
    )
    for row in rows:
        length = f"{round(row.seconds) // 60}:{round(row.seconds) % 60:02d}"
        gone = "" if row.deleted_at is None else _at(row.deleted_at)
        table.add_row(row.call_id, _at(row.began_at), length, f"{row.bytes / 1000:.0f}", row.format.value, gone)
    Console().print(table)
    typer.echo(f"{len(rows)} shown; {count} recordings are kept, {size / 1e6:.1f} MB")


@app.command()
def get(
    call_id: CallId,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to; else CALL_ID.mp3 or .wav in this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a call's recording to a file, if it is what was stored; the audit says who did."""
    file, size = _with_shelf(lambda shelf, _: _fetched(shelf, call_id, out))
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        typer.echo(f"{size} bytes written to {file}")


@app.command()
def verify(campaign: CampaignName = None, as_json: AsJson = False) -> None:
    """Read every recording and compare its checksum; exit with status 1 when one is missing or damaged."""
    checked, problems = _with_shelf(lambda shelf, store: _verified(shelf, store, campaign))
    if as_json:
        print_json({"checked": checked, "problems": [problem._asdict() for problem in problems]})
    else:
        for problem in problems:
            typer.echo(f"{problem.call_id}: {problem.why}")
        typer.echo(f"{checked} recordings read, {len(problems)} of them cannot be heard")
    if problems:
        raise typer.Exit(1)


@app.command("prune")
def prune_now(
    days: Annotated[
        float | None, typer.Option(min=0, help="Of calls older than this; else DIALER_RETENTION_RECORDINGS_DAYS.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it nothing is deleted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete old recordings now; their rows stay and say when. A running engine does it every hour by the setting."""
    wanted = settings().retention_recordings_days if days is None else days
    if days is None and not wanted:
        raise BadInput("recordings are kept for ever (DIALER_RETENTION_RECORDINGS_DAYS is 0); name the age with --days")
    if not yes:
        due = _with_shelf(lambda shelf, store: shelf.rows.count_expired(store.now() - wanted * 86_400))
        raise BadInput(f"{due} recordings are older than {wanted:g} days; --yes deletes them, which nobody undoes")
    done = _with_shelf(lambda shelf, _: _pruned(shelf, wanted))
    if as_json:
        print_json({"deleted": done})
    else:
        typer.echo(f"{done} recordings of calls older than {wanted:g} days are deleted")


@app.command()
def audit(
    call_id: Annotated[str | None, typer.Argument(metavar="[CALL_ID]", help="Of this call only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show who listened to what, downloaded or deleted it, when and from where; the latest first."""
    rows = _with_shelf(lambda shelf, _: shelf.audit(call_id, limit=limit))
    if as_json:
        print_json({"acts": rows})
        return
    table = Table("at (UTC)", "who", "what", Column("call", overflow="fold", min_width=_ID), "from", box=None)
    for row in rows:
        table.add_row(_at(row.at), row.actor, row.action, row.object, row.remote)
    Console().print(table)


def _with_shelf(work: Callable[[RecordingShelf, StoreContext], Awaitable[T]]) -> T:
    """Return what `work` comes to with the recordings of the chosen installation."""
    from crm.recordings import RecordingShelf
    from dialer.recorder import open_files

    files = open_files(settings())
    return with_store(lambda store: work(RecordingShelf(store.engine, files, store.now, time.time), store))


def _me() -> Asker:
    from crm.recordings import Asker

    return Asker(f"cli:{getpass.getuser()}", "local")


async def _listed(
    shelf: RecordingShelf, store: StoreContext, campaign: str | None, deleted: bool, limit: int
) -> tuple[Sequence[Stored], tuple[int, int]]:
    campaign_id = await _campaign_id(store, campaign)
    rows = await shelf.rows.newest(campaign_id=campaign_id, deleted=deleted, limit=limit)
    return rows, await shelf.rows.totals()


async def _campaign_id(store: StoreContext, name: str | None) -> int | None:
    if name is None:
        return None
    from crm.campaigns import read_status

    (found,) = await read_status(store.engine, name, now=store.now())
    return found.campaign_id


async def _fetched(shelf: RecordingShelf, call_id: str, out: Path | None) -> tuple[Path, int]:
    from crm.recordings import DOWNLOAD

    sound = await shelf.open(call_id)
    file = out or Path(sound.stored.file_name)
    await shelf.note(_me(), DOWNLOAD, call_id)
    try:
        await asyncio.to_thread(file.write_bytes, sound.data)
    except OSError as error:
        raise BadInput(f"cannot write {file}: {error.strerror}; name another file with --out") from error
    return file, len(sound.data)


async def _verified(shelf: RecordingShelf, store: StoreContext, campaign: str | None) -> tuple[int, list[Problem]]:
    campaign_id = await _campaign_id(store, campaign)
    checked, problems = 0, []
    while rows := await shelf.rows.newest(campaign_id=campaign_id, deleted=False, limit=_BATCH, offset=checked):
        problems += [problem async for problem in shelf.verify(rows) if problem is not None]
        checked += len(rows)
    return checked, problems


async def _pruned(shelf: RecordingShelf, days: float) -> int:
    deleted, done = 0, await shelf.prune(_me(), days)
    while True:
        deleted += done.deleted
        if not done.more:
            return deleted
        done = await shelf.prune(_me(), days)


def _at(epoch_s: float) -> str:
    return f"{datetime.fromtimestamp(epoch_s, UTC):%Y-%m-%d %H:%M:%S}"
