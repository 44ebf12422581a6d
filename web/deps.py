"""What the console is given: databases, the clock, secrets and the service's health."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.adhoc import Table
from cdr.queries import CallRow, CdrFilter
from cdr.reports import ReportRow
from cdr.verify import Report
from crm.recordings import RecordingShelf
from dialer.ports import CallTraces
from dialer.speech import Prompts


class CallRecords(Protocol):
    """The part of `cdr.queries.CdrQueries` that the console reads."""

    async def history(self, phone: str, limit: int, offset: int = 0) -> Sequence[CallRow]:
        """List the calls of one number, newest first."""
        ...

    async def detail(self, call_id: str) -> CallRow | None:
        """Return one call."""
        ...

    async def keys(self, call_id: str) -> str:
        """Return the keys that were pressed in its script."""
        ...

    async def search(self, wanted: CdrFilter) -> Sequence[CallRow]:
        """List the calls that match."""
        ...

    async def count(self, wanted: CdrFilter) -> int:
        """Count the calls that match."""
        ...

    async def verify(self, positions: Mapping[int, int]) -> Report:
        """Say whether all records up to these confirmed positions (by partition) are there exactly once."""
        ...

    async def report(self, wanted: CdrFilter, *, by: str, zone: str) -> Sequence[ReportRow]:
        """Return sums by group."""
        ...

    async def ask(self, sql: str, *, limit: int, seconds: int) -> Table:
        """Answer an analyst's own SELECT."""
        ...

    async def write_parquet(self, path: Path, wanted: CdrFilter, *, rows: int | None, mask: bool) -> None:
        """Write the calls that match over a draft."""
        ...


class HasCalls(Protocol):
    """Whatever has call records to show."""

    @property
    def cdr(self) -> CallRecords:
        """Return them."""
        ...


Health = Mapping[str, str]
"""Each dependency by name: "ok", or what is wrong with it."""


@dataclass(frozen=True, slots=True)
class WebDeps:
    """Everything that the pages and the API work with; nothing else is reached from here."""

    engine: AsyncEngine
    cdr: CallRecords
    now: Callable[[], float]
    """The service's clock, UTC epoch seconds; a demo's clock may run faster than the wall's."""
    session_secret: str
    """Signs cookies and sign-in links; must survive restarts."""
    service_token: str
    """What the command line sends as a bearer to `/api/`; empty = no bearer is taken."""
    health: Callable[[], Health]
    metrics: Callable[[], str] = str
    """The process's figures in Prometheus's text format."""
    traces: CallTraces | None = None
    """The signalling of single calls; None where no adapter keeps any."""
    recordings: RecordingShelf | None = None
    """The recordings of calls; None where there are none to be heard."""
    prompts: Prompts | None = None
    """The audio library and the voice, to hear scripts; None where there is none."""
    hosts: tuple[str, ...] = ()
    """Host names besides loopback under which the console may be opened."""
    wall: Callable[[], float] = time.time
    """The clock on the wall, UTC epoch seconds: sessions, links and waits for people."""
