"""A place for call records to measure with: a database of its own on a server, or chDB in a temporary folder."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

from clickhouse_connect.driver.exceptions import Error

from cdr.choose import open_analytics
from cdr.clickhouse import Analytics
from cdr.clickhouse_errors import explained
from cdr.clickhouse_http import connect, parse
from dialer.errors import DialerError


@asynccontextmanager
async def own_analytics(url: str) -> AsyncIterator[Analytics]:
    """Open empty tables on the server (chDB without an address); drop them afterwards.

    Raises BadInput for what is no address, DialerError for a server that is away or allows no new database.
    """
    with TemporaryDirectory(prefix="dialer-bench-") as folder:
        async with own_database(url) as mine:
            analytics = await open_analytics(Path(folder) / "analytics", url=mine)
            try:
                yield analytics
            finally:
                await analytics.close()


@asynccontextmanager
async def own_database(url: str) -> AsyncIterator[str]:
    """Make a database on the server and give its address; drop it afterwards. Without an address, give none."""
    if not url:
        yield ""
        return
    name = f"dialer_bench_{uuid.uuid4().hex}"
    await _command(url, f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        await _command(url, f"DROP DATABASE {name} SYNC")


async def _command(url: str, sql: str) -> None:
    address = parse(url)

    def work() -> None:
        client = connect(address)
        try:
            client.command(sql)
        finally:
            client.close()

    try:
        await asyncio.to_thread(work)
    except Error as error:
        known = explained(address.shown, error)
        raise known or DialerError(
            f"{address.shown}: a database of the bench's own cannot be made or dropped there; name a user who may"
        ) from None
