"""`dialer campaign dial`: have an agent's phone and then a customer called by hand, through the running service."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

import typer

from dialer.commands.context import print_json, settings
from dialer.errors import DialerError, IllegalAction

_WAIT_S: Final = 12.0
"""How long to wait for the engine's answer; a request is not done after ten seconds."""
_LOOK_S: Final = 0.25


def dial_command(
    name: Annotated[str, typer.Argument(help="A campaign of kind manual or preview.", show_default=False)],
    number: Annotated[str, typer.Argument(help="The number to call.", show_default=False)],
    agent: Annotated[str, typer.Option(help="Whose phone comes first; the agent is signed in and ready.")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Call a number by hand: the agent's phone first, then the customer; needs a running service."""
    found = asyncio.run(_dial(name, number, agent))
    if as_json:
        print_json(found)
    else:
        typer.echo(f"calling; the call's id is {found['call_id']}")


async def _dial(campaign: str, number: str, agent: str) -> dict[str, Any]:
    from dialer.commands.remote import RemoteDesks
    from dialer.home import Home

    home = Home(settings().home)
    service = home.running()
    if service is None:
        raise DialerError(f"no service runs on {home.path}: start one with `dialer up`, agents are there and trunks")
    async with RemoteDesks(service.url, home.secrets().service) as desks:
        asked = await desks.order("dial", campaign=campaign, agent=agent, number=number)
        return await _answer(desks, asked)


async def _answer(desks: Any, request_id: int) -> dict[str, Any]:
    for _ in range(int(_WAIT_S / _LOOK_S)):
        found: dict[str, Any] = await desks.answer(request_id)
        if found["state"] == "refused":
            raise IllegalAction(f"not called: {found['message']}.")
        if found["state"] == "done":
            return found
        await asyncio.sleep(_LOOK_S)
    raise DialerError(
        "no engine took the request in time; `dialer campaign status` shows whether one runs the campaign"
    )
