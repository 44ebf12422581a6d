"""Options that the commands of `dialer cdr` share, and the check of a campaign's name."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import typer

from dialer.errors import BadInput

Zone: TypeAlias = Annotated[str, typer.Option("--timezone", metavar="NAME", help="Times are read and shown in it.")]
Mask: TypeAlias = Annotated[bool, typer.Option("--mask", help="Hide customers' numbers but for the last digits.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="For programs.")]

HOME_ZONE: Final = "Asia/Ho_Chi_Minh"


async def check_campaign(name: str | None) -> None:
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
