"""`dialer cdr rebuild`: drop the analytics and project the whole event log again."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.commands.context import print_json
from dialer.errors import BadInput

if TYPE_CHECKING:
    from cdr.fingerprint import Fingerprint
    from cdr.rebuild import Rebuilt


def rebuild(
    yes: Annotated[bool, typer.Option("--yes", help="Do it: drop the analytics and project them again.")] = False,
    lose_older: Annotated[
        bool, typer.Option("--lose-older", help="Also from a log that holds less than the analytics were made from.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Drop the call records' analytics and project the whole event log again, to the same hash."""
    if not yes:
        raise BadInput("rebuild drops the analytics and reads the whole event log again; say --yes to do it")
    done = asyncio.run(_rebuild(lose_older=lose_older))
    if json:
        print_json({"records": done.records, "before": done.before, "after": done.after})
        return
    typer.echo(f"before: {_words(done.before)}")
    typer.echo(f"after:  {_words(done.after)}")
    typer.echo(f"{done.records} records projected; " + _verdict(done))


async def _rebuild(*, lose_older: bool) -> Rebuilt:
    from rich.progress import Progress

    from cdr.projector import PROJECTION
    from cdr.rebuild import rebuild as project_again
    from dialer.commands.cdr_view import ERRORS
    from dialer.commands.projection import open_projection
    from store.binding import begin_anew, is_elsewhere, rebind

    with Progress(console=ERRORS) as progress:
        task = progress.add_task("records", total=None)
        async with open_projection() as (event_log, ledger, analytics, engine, bound):
            elsewhere = await is_elsewhere(engine, PROJECTION, bound)
            done = await project_again(
                event_log, ledger, analytics, progress=lambda records: progress.advance(task, records),
                anew=partial(begin_anew, engine, PROJECTION, bound) if elsewhere else None, lose_older=lose_older,
            )  # fmt: skip
            await rebind(engine, PROJECTION, bound)
            return done


def _words(found: Fingerprint) -> str:
    return f"{found.hash} ({', '.join(f'{rows} {table}' for table, rows in found.rows.items())})"


def _verdict(done: Rebuilt) -> str:
    if done.before == done.after:
        return "the same hash before and after"
    return "the hashes differ: the analytics were not what the log says, or the retention has deleted rows"
