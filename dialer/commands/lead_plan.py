"""`dialer leads list-on`, `list-off` and `schedule`: which leads are dialed, and when."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from dialer.commands.context import StoreContext, open_store
from dialer.errors import BadInput

_List = Annotated[str, typer.Argument(help="The list's name.", show_default=False, metavar="LIST")]
_Campaign = Annotated[str, typer.Option("--campaign", help="The list's campaign.", show_default=False)]


def list_on_command(name: _List, campaign: _Campaign) -> None:
    """Dial the leads of a list again."""
    _switch(name, campaign, active=True)


def list_off_command(name: _List, campaign: _Campaign) -> None:
    """Leave the leads of a list alone; calls in progress are finished."""
    _switch(name, campaign, active=False)


def schedule_command(
    lead_id: Annotated[int, typer.Argument(help="The lead's id, as `dialer leads list` shows it.", metavar="LEAD_ID")],
    time: Annotated[
        str | None,
        typer.Argument(help="2026-02-28T09:30, in the campaign's zone unless it names one: 2026-02-28T09:30+07:00"),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Call as soon as the campaign allows.")] = False,
) -> None:
    """Appoint when a lead that was not called yet is called."""
    if (time is None) is not clear:
        raise BadInput("say either when the lead is called, such as 2026-02-28T09:30, or --clear")
    typer.echo(f"lead {lead_id} {asyncio.run(_schedule(lead_id, time))}")


def _switch(name: str, campaign: str, *, active: bool) -> None:
    from crm.lists import set_list_active

    async def work() -> bool:
        async with open_store() as store:
            return await set_list_active(store.engine, campaign, name, active=active)

    changed = asyncio.run(work())
    typer.echo(f"list {name!r} is {'' if changed else 'already '}{'on' if active else 'off'}")


async def _schedule(lead_id: int, time: str | None) -> str:
    from crm.leads import set_call_at

    async with open_store() as store:
        if time is None:
            await set_call_at(store.engine, lead_id, None, now=store.now())
            return "is called as soon as its campaign allows"
        at, said = await _moment(store, lead_id, time)
        await set_call_at(store.engine, lead_id, at, now=store.now())
        return f"is called at {said}"


async def _moment(store: StoreContext, lead_id: int, text: str) -> tuple[float, str]:
    """Return the time in UTC epoch seconds, and how the campaign's clock shows it."""
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from crm.campaigns import read_status
    from crm.fields import WrongValue, parse_moment
    from crm.leads import need_lead

    lead = await need_lead(store.engine, lead_id)
    (campaign,) = await read_status(store.engine, lead.campaign, now=store.now())
    zone = ZoneInfo(campaign.settings.window.timezone)
    try:
        at = parse_moment(text, zone)
    except WrongValue as error:
        raise BadInput(f"{text!r}: {error.en}") from error
    if at is None:
        raise BadInput("the time is empty; write one such as 2026-02-28T09:30, or --clear")
    return at, datetime.fromtimestamp(at, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")
