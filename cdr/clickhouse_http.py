"""Open a ClickHouse server (or a cluster) over HTTP: address, version, limits of time; the embedded twin is chDB."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import clickhouse_connect
import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from cdr.clickhouse import INSERT, Analytics
from cdr.clickhouse_errors import explained
from cdr.cluster import Layout
from cdr.migrate import migrate
from cdr.retention import KEEP, Retention, keep
from dialer.errors import BadInput, DialerError

LEAST: Final = (24, 8)
"""Since then an insert's token also holds in what depends on a table (ClickHouse 24.7, 61601); 24.8 is the LTS."""
THREADS: Final = 4
CONNECT_TIMEOUT_S: Final = 5
SILENCE_TIMEOUT_S: Final = 60
"""The longest wait for the server's next byte; longer than any query may take, so that a time-out has one meaning."""
SESSION: Final = {"max_execution_time": 30, "use_skip_indexes_if_final": 1}
_PORTS: Final = {"http": 8123, "https": 8443}

# It logs a failed request with its address, whose parameters may be phone numbers; what failed is raised anyway.
logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # each try again, with the address asked


class Address(msgspec.Struct, frozen=True):
    """Where a server is and as whom; `shown` has no password."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    database: str
    options: dict[str, Any]

    @property
    def shown(self) -> str:
        """Return the address for messages."""
        return f"ClickHouse at {self.scheme}://{self.host}:{self.port}/{self.database}"


def parse(url: str) -> Address:
    """Read http(s)://user:password@host:port/database?ca_cert=FILE&verify=false; BadInput says what is wrong."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadInput(f"the ClickHouse address is no address: {error}") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise BadInput(
            "the ClickHouse address must be http(s)://HOST:PORT/DATABASE, with USER:PASSWORD@ before HOST if need be"
        )
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if unknown := sorted(options.keys() - {"ca_cert", "verify"}):
        raise BadInput(f"the ClickHouse address has unknown options: {', '.join(unknown)}; known: ca_cert, verify")
    return Address(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        user=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.strip("/")) or "default",
        options=options,
    )


async def open_clickhouse(
    url: str, *, cluster: str = "", retention: Retention = KEEP, patient: bool = False
) -> Analytics:
    """Open (make, upgrade) the analytics tables of a server; with `cluster` on all servers of it.

    Raises BadInput for the address or the cluster's name, StoreTooNew for tables of a newer program, DialerError for a
    server that is too old, away, full, or does not let this user in; its uses do when `patient`, until it works.
    """
    address, layout = parse(url), Layout(cluster)
    threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="clickhouse")
    opening = partial(_open, address, layout, retention)
    analytics = Analytics(opening, threads, lambda: None, where=address.shown, layout=layout)
    if not patient:
        try:
            await analytics.query("SELECT 1", {})
        except BaseException:
            await analytics.close()
            raise
    return analytics


def _open(address: Address, layout: Layout, retention: Retention) -> Client:
    try:
        client = connect(address)
        try:
            _check(address, client)
            migrate(client, layout=layout)
            keep(client, retention, layout)
        except BaseException:
            client.close()
            raise
    except Error as error:
        reason = explained(address.shown, error)
        raise reason or DialerError(f"{address.shown}: it cannot be used: {error}") from None
    return client


async def look(url: str) -> str:
    """Say which server it is, without changing anything there; raises as `open_clickhouse` does."""
    address = parse(url)
    return await asyncio.to_thread(_look, address)


def _look(address: Address) -> str:
    try:
        client = connect(address)
        try:
            _check(address, client)
        finally:
            client.close()
    except Error as error:
        reason = explained(address.shown, error)
        raise reason or DialerError(f"{address.shown}: it cannot be used: {error}") from None
    return f"{address.shown} answers (ClickHouse {client.server_version})"


def connect(address: Address) -> Client:
    """Open a connection to a server whose tables may be anyone's; raises what clickhouse-connect raises."""
    return clickhouse_connect.get_client(
        interface=address.scheme,
        host=address.host,
        port=address.port,
        username=address.user,
        password=address.password,
        database=address.database,
        settings=dict(SESSION),
        connect_timeout=CONNECT_TIMEOUT_S,
        send_receive_timeout=SILENCE_TIMEOUT_S,
        autogenerate_session_id=False,  # a session takes one query at a time
        form_encode_query_params=True,  # what is in an address gets into the logs of proxies
        dedicated_pool=True,
        **address.options,
    )


def _check(address: Address, client: Client) -> None:
    version = str(client.server_version)
    least = ".".join(map(str, LEAST))
    if _number(version) < LEAST:
        raise DialerError(f"{address.shown}: it is ClickHouse {version}; {least} is the least that keeps CDRs once")
    needed = {*INSERT, *SESSION, "insert_deduplication_token"}
    if missing := sorted(needed - client.server_settings.keys()):
        raise DialerError(f"{address.shown} (version {version}) lacks the settings {', '.join(missing)}; use {least}+")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
