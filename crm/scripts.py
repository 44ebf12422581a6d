"""Scripts by hand: check, save as a new version, list, read, delete."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.lead_actions import in_transaction
from crm.names import near
from dialer.core.campaign import CampaignState
from dialer.core.script import Script
from dialer.core.script_text import BadScript, parse_script
from dialer.errors import BadInput, NotFound
from store.load import decode_settings
from store.models import Campaign
from store.open import readers
from store.scripts import SCRIPTS, latest_scripts

_NAME: Final = re.compile(r"\w[\w.-]{0,63}")


@dataclass(frozen=True, slots=True)
class ScriptInfo:
    """A script that is in force; `campaigns` follow it."""

    name: str
    version: int
    text: str
    saved_at: float
    campaigns: tuple[str, ...] = ()


class RefusedScript(BadInput):
    """The script has a mistake; `vi` and `en` say which node and key."""

    def __init__(self, error: BadScript) -> None:
        super().__init__(f"{error.en}.")
        self.vi = error.vi
        self.en = error.en


def checked(text: str) -> Script:
    """Read a script; raise RefusedScript for its first mistake."""
    try:
        return parse_script(text)
    except BadScript as error:
        raise RefusedScript(error) from error


async def save(engine: AsyncEngine, name: str, text: str, *, now: float, based_on: int | None = None) -> int:
    """Save a script as the next version of its name, and return that; campaigns that run follow it at once.

    Raises RefusedScript; BadInput for a name that is none, and when somebody has saved a version since `based_on`.
    """
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise BadInput(f"name: {name!r} is not one of 1 to 64 letters, digits, and . _ - inside.")
    checked(text)
    return await _append(engine, name, text, now=now, based_on=based_on)


async def delete(engine: AsyncEngine, name: str, *, now: float) -> ScriptInfo:
    """Delete a script and return what it was; its campaigns call nobody until they have another. Raises NotFound."""
    found = await read(engine, name)
    await _append(engine, found.name, None, now=now, based_on=found.version)
    return found


async def _append(engine: AsyncEngine, name: str, text: str | None, *, now: float, based_on: int | None) -> int:
    def work(db: Connection) -> int:
        newest = db.execute(select(func.max(SCRIPTS.c.version)).where(SCRIPTS.c.name == name)).scalar_one() or 0
        if based_on is not None and based_on != newest:
            raise BadInput(f"name: somebody has saved version {newest} of {name!r} meanwhile; look at it first.")
        db.execute(insert(SCRIPTS).values(name=name, version=newest + 1, text=text, created_at=now))
        return newest + 1

    try:
        return await in_transaction(engine, work)
    except IntegrityError as error:
        raise BadInput(f"name: somebody is saving {name!r} at this moment; try again.") from error


async def listed(engine: AsyncEngine) -> list[ScriptInfo]:
    """List the scripts by name, with the campaigns that follow each."""
    async with readers(engine).connect() as db:
        rows = (await db.execute(latest_scripts().where(SCRIPTS.c.text.is_not(None)).order_by(SCRIPTS.c.name))).all()
        used = await db.run_sync(_used)
    return [ScriptInfo(row.name, row.version, row.text, row.created_at, tuple(used.get(row.name, ()))) for row in rows]


async def read(engine: AsyncEngine, name: str, version: int | None = None) -> ScriptInfo:
    """Return a script, or an earlier version of it; raise NotFound with the nearest names."""
    if version is None:
        every = await listed(engine)
        found = [one for one in every if one.name == name.strip()]
        if not found:
            raise NotFound(f"there is no script {name!r}. {near(name, [one.name for one in every])}")
        return found[0]
    query = select(SCRIPTS).where(SCRIPTS.c.name == name.strip(), SCRIPTS.c.version == version)
    async with readers(engine).connect() as db:
        row = (await db.execute(query)).one_or_none()
    if row is None or row.text is None:
        raise NotFound(f"there is no version {version} of a script {name!r}; `dialer script list` shows what there is.")
    return ScriptInfo(row.name, row.version, row.text, row.created_at)


def _used(db: Connection) -> dict[str, list[str]]:
    query = select(Campaign.id, Campaign.name, Campaign.settings).where(Campaign.state != CampaignState.ENDED.value)
    found: dict[str, list[str]] = {}
    for campaign_id, name, stored in db.execute(query.order_by(Campaign.id)):
        script = decode_settings(stored, campaign_id, name).script
        if script is not None:
            found.setdefault(script, []).append(name)
    return found


def need_script(db: Connection, name: str) -> None:
    """Raise BadInput when a campaign's script is not there."""
    names: Sequence[str] = (
        db.execute(select(latest_scripts().where(SCRIPTS.c.text.is_not(None)).subquery().c.name)).scalars().all()
    )
    if name not in names:
        raise BadInput(f"script: there is no script {name!r}. {near(name, names)}")
