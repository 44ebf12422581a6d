"""A place beside the projector and the console for what takes long: an analyst's query, an export."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from cdr.named import Reader

R = TypeVar("R")
_EMBEDDED: Final = "chdb://"


class Source(Reader, Protocol):
    """What can run named queries, and work of its own aside; `cdr.clickhouse.Analytics`."""

    async def aside(self, work: Callable[[Client], R]) -> R:
        """Run blocking work beside the others and return what it comes to."""
        ...


class Side(NamedTuple):
    """A connection, and the settings that each of its queries must carry."""

    client: Client
    settings: dict[str, Any]
    folder: str | None
    """Of the embedded engine; None = a server."""


@contextmanager
def beside(client: Client, settings: Mapping[str, Any]) -> Iterator[Side]:
    """Open a connection where these settings are in force.

    The embedded engine keeps settings for a connection's life, and `readonly` cannot be taken back: it gets a
    connection of its own, with the settings in their order. A server takes them with each query.
    """
    if not client.uri.startswith(_EMBEDDED):
        yield Side(client, dict(settings), None)
        return
    folder = client.uri.removeprefix(_EMBEDDED)
    other = clickhouse_connect.get_client(interface="chdb", path=folder, settings=dict(settings))
    try:
        yield Side(other, {}, folder)
    finally:
        other.close()
