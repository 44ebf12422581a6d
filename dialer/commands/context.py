"""What commands work with: the database, and the call records wherever they live."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from dialer.config import Loaded, Settings, home_in_file, load, load_all
from dialer.home import PROJECTOR, Home

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from cdr.queries import CdrQueries
    from dialer.commands.remote import RemoteCdr

T = TypeVar("T")
_chosen: dict[str, object] = {}
"""Options of the main command (`dialer --home X ...`)."""


def choose(**options: object) -> None:
    """Remember the main command's options."""
    _chosen.update({name: value for name, value in options.items() if value is not None})


def settings(**more: object) -> Settings:
    """Return the settings in force."""
    return load(**(_chosen | more))


def everything() -> Loaded:
    """Return the settings in force and where each came from."""
    return load_all(**_chosen)  # type: ignore[arg-type]  # what the main command took, by name


def chosen_home() -> Path | None:
    """Return the home folder that somebody named: option, environment or settings file; None = the default's."""
    home = _chosen.get("home") or os.environ.get("DIALER_HOME")
    return Path(str(home)) if home else home_in_file(_config())


def _config() -> Path | None:
    named = _chosen.get("config")
    return None if named is None else Path(str(named))


class StoreContext:
    """The open database and the time in force."""

    def __init__(self, engine: AsyncEngine, home: Path, offset_s: float) -> None:
        self.engine = engine
        self.home = home
        self._offset_s = offset_s

    def now(self) -> float:
        """Return UTC epoch seconds; ahead of the wall when a faster demo has already been there."""
        return time.time() + self._offset_s


@asynccontextmanager
async def open_store() -> AsyncIterator[StoreContext]:
    """Open and upgrade the database of the home folder."""
    from store.latest import latest_time
    from store.open import open_database
    from store.upgrade import upgrade

    chosen = settings()
    Home(chosen.home).prepare()
    engine = open_database(chosen.database)
    try:
        await upgrade(engine)
        ahead_s = max(0.0, await latest_time(engine) - time.time())
        yield StoreContext(engine, chosen.home, ahead_s)
    finally:
        await engine.dispose()


def with_store(work: Callable[[StoreContext], Awaitable[T]]) -> T:
    """Return what `work` comes to with the open database."""

    async def opened() -> T:
        async with open_store() as store:
            return await work(store)

    return asyncio.run(opened())


def print_json(value: object) -> None:
    """Print one line of JSON for programs; what JSON does not know as text."""
    import msgspec

    typer.echo(msgspec.json.encode(value, enc_hook=str).decode())


@asynccontextmanager
async def open_cdr() -> AsyncIterator[CdrQueries | RemoteCdr]:
    """Open the call records: on a ClickHouse server if one is set, through whoever owns the files, or here."""
    from cdr.choose import open_analytics
    from cdr.queries import CdrQueries
    from dialer.commands.remote import RemoteCdr

    chosen = settings()
    home = Home(chosen.home)
    home.prepare()
    service = None if chosen.clickhouse_url else home.running() or home.running(PROJECTOR)
    if service is not None:
        async with RemoteCdr(service.url, home.secrets().service) as remote:
            yield remote
        return
    url, cluster = chosen.clickhouse_url, chosen.clickhouse_cluster
    analytics = await open_analytics(chosen.analytics_path, url=url, cluster=cluster)
    try:
        yield CdrQueries(analytics)
    finally:
        await analytics.close()
