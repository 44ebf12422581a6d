"""`dialer cdr dead-letters`: look at records that could not be projected, project them again, or give them up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.commands.context import print_json
from dialer.errors import BadInput, NotFound

if TYPE_CHECKING:
    from cdr.dead_letters import Letter, Replayed

app = typer.Typer(no_args_is_help=True, help="Records that could not be projected: list, show, replay, discard.")


@app.command("list")
def list_letters(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    discarded: Annotated[bool, typer.Option("--discarded", help="Those that were discarded.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the places in the log and why their records could not be read; what they hold is not shown."""
    found = asyncio.run(_letters(limit=limit, discarded=discarded))
    if json:
        print_json([{"partition": one.partition, "offset": one.offset, "reason": one.reason} for one in found])
        return
    for one in found:
        typer.echo(f"{one.partition}:{one.offset}  {one.reason}")
    typer.echo(f"{len(found)} dead letters" if found else "there are no dead letters")


@app.command()
def show(
    partition: Annotated[int, typer.Argument(min=0, help="The partition, before the colon in the list.")],
    offset: Annotated[int, typer.Argument(min=1, help="The offset, after the colon.")],
) -> None:
    """Print one record as it is, which may hold a customer's number."""
    found = asyncio.run(_letters(partition=partition, first=offset, last=offset, limit=1, discarded=None))
    if not found:
        raise NotFound(f"{partition}:{offset} is not among the dead letters: `dialer cdr dead-letters list` names them")
    typer.echo(f"reason: {found[0].reason}")
    typer.echo(found[0].value)


@app.command()
def replay(json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Project what this program can read by now, each record once, and take it off the dead letters."""
    done = asyncio.run(_replay())
    if json:
        print_json({"found": done.found, "projected": done.projected, "left": done.left})
    else:
        typer.echo(f"{done.projected} of {done.found} dead letters were projected, {done.left} cannot be read yet")


@app.command()
def discard(
    partition: Annotated[int | None, typer.Argument(min=0, help="The partition, before the colon in the list.")] = None,
    offset: Annotated[int | None, typer.Argument(min=1, help="The offset, after the colon.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All that wait.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it: nothing will project them any more.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Give records up that cannot be read: they keep their places, are not replayed and stop the line no longer."""
    if all_ is not (partition is None) or all_ is not (offset is None):
        raise BadInput("which dead letters? Give a partition and an offset as in the list, or --all")
    if not yes:
        raise BadInput("what is discarded is missing in the call records for good; say --yes to do it")
    count = asyncio.run(_discard(partition, offset))
    if not count and not all_:
        raise NotFound(f"{partition}:{offset} does not wait among the dead letters: `dialer cdr dead-letters list`")
    if json:
        print_json({"discarded": count})
    else:
        typer.echo(f"{count} dead letters were discarded")


async def _letters(
    *,
    limit: int,
    partition: int | None = None,
    first: int = 0,
    last: int | None = None,
    discarded: bool | None = False,
) -> list[Letter]:
    from cdr.dead_letters import LAST, letters
    from dialer.commands.projection import open_projection

    async with open_projection() as opened:
        end = LAST if last is None else last
        return await letters(
            opened.analytics, partition=partition, first=first, last=end, limit=limit, discarded=discarded
        )


async def _replay() -> Replayed:
    from cdr.dead_letters import replay as project_again
    from cdr.projector import PROJECTION
    from dialer.commands.projection import open_projection
    from store.binding import bind

    async with open_projection() as (event_log, ledger, analytics, engine, bound):
        await bind(engine, PROJECTION, bound)
        return await project_again(event_log, ledger, analytics)


async def _discard(partition: int | None, offset: int | None) -> int:
    from cdr.dead_letters import discard as give_up
    from cdr.projector import PROJECTION
    from dialer.commands.projection import open_projection
    from store.binding import bind

    async with open_projection() as (_, ledger, analytics, engine, bound):
        await bind(engine, PROJECTION, bound)
        return await give_up(ledger, analytics, partition=partition, offset=offset)
