"""`dialer callbacks`: customers to be called back, by appointment or because nobody took their call."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from dialer.commands.context import StoreContext, open_store, print_json, with_store
from dialer.errors import BadInput

app = typer.Typer(no_args_is_help=True)

_REASONS = {"missed_call": "missed", "asked": "asked", "appointment": "appointment"}


@app.command("list")
def list_command(
    campaign: Annotated[str | None, typer.Option("--campaign", help="Only this campaign.")] = None,
    day: Annotated[str | None, typer.Option("--day", help="Only those of this day, such as 2026-02-28.")] = None,
    done: Annotated[bool, typer.Option("--done", help="Those that are done, the last first.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """List callbacks, the first due first; `dialer` in the column BY: the campaign calls by itself."""

    async def work(store: StoreContext) -> None:
        from crm.callbacks import CallbackFilter, list_callbacks

        campaign_id, zone = await _campaign(store, campaign)
        wanted = CallbackFilter(campaign_id, _day(day), zone, done)
        page = await list_callbacks(store.engine, wanted, limit=limit)
        if as_json:
            print_json({"total": page.total, "callbacks": [_fields(item) for item in page.rows]})
            return
        at = ZoneInfo(zone)
        for item in page.rows:
            due = datetime.fromtimestamp(item.due_at, UTC).astimezone(at)
            who = "dialer" if item.by_dialer else "people"
            words = (item.key, f"{due:%Y-%m-%d %H:%M}", item.phone, _REASONS[item.reason], who, item.agent or "-")
            typer.echo("  ".join((*words, item.campaign, item.name)))
        typer.echo(f"{page.total} callback{'' if page.total == 1 else 's'}")

    with_store(work)


@app.command("done")
def done_command(
    key: Annotated[str, typer.Argument(help="The key, as `dialer callbacks list` shows it.", metavar="KEY")],
    by: Annotated[str, typer.Option("--by", help="Who called.")] = "",
) -> None:
    """Mark a callback as done; the dialer does not call for it any more."""

    async def work() -> None:
        from crm.callbacks import finish_callback

        async with open_store() as store:
            await finish_callback(store.engine, key, by=by, now=store.now())

    asyncio.run(work())
    typer.echo(f"callback {key} is done")


async def _campaign(store: StoreContext, name: str | None) -> tuple[int | None, str]:
    from crm.callbacks import CallbackFilter
    from crm.campaigns import read_status

    if name is None:
        return None, CallbackFilter().zone
    (found,) = await read_status(store.engine, name, now=store.now())
    return found.campaign_id, found.settings.window.timezone


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"--day {text!r}: write a day such as 2026-02-28") from error


def _fields(item: object) -> dict[str, object]:
    from dataclasses import asdict
    from typing import Any, cast

    return asdict(cast("Any", item))
