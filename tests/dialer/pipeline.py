"""The whole pipeline as processes: engine, relay, projectors and console over PostgreSQL, Kafka and ClickHouse."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import psutil

from tests.dialer.centre import LEASE_S, Centre, until
from tests.dialer.process import Running, run_in, started

PARTITIONS = 4
SETTLE_S = 120.0


class Pipeline:
    """The addresses that all roles share, and what to ask of them."""

    def __init__(self, centre: Centre, *, kafka: str, topic: str, clickhouse: str) -> None:
        self.centre = centre
        self.home = centre.folder / "shared"
        self.env = {
            "DIALER_DATABASE_URL": centre.url,
            "DIALER_KAFKA": kafka,
            "DIALER_KAFKA_TOPIC": topic,
            "DIALER_KAFKA_PARTITIONS": str(PARTITIONS),
            "DIALER_CLICKHOUSE_URL": clickhouse,
            "DIALER_LEASE_S": str(LEASE_S),
            "DIALER_DRAIN_S": "15",
        }

    @asynccontextmanager
    async def role(self, role: str, home: str = "shared", *words: str, **env: str) -> AsyncIterator[Running]:
        """Run a role on a home folder; it is there when it says so."""
        port = ("--port", "0") if role == "web" else ("--health-port", "0")
        async with started(self.centre.folder / home, role, *port, *words, **(self.env | env)) as running:
            await running.line_with("http://")
            yield running

    @asynccontextmanager
    async def roles(self) -> AsyncIterator[dict[str, Running]]:
        """Run an engine, a relay, two projectors and the console."""
        async with AsyncExitStack() as stack:
            dialing = self.centre.dialing("engine", **self.env)
            yield {
                "engine": await stack.enter_async_context(dialing),
                "relay": await stack.enter_async_context(self.role("relay")),
                "projector": await stack.enter_async_context(self.role("projector")),
                "second": await stack.enter_async_context(self.role("projector", "second")),
                "web": await stack.enter_async_context(self.role("web")),
            }

    async def command(self, *words: str) -> Any:
        """Run a command to its end, which must be a good one, and return its JSON."""
        code, out, err = await run_in(self.env, self.home, *words, "--json")
        assert code == 0, err + out
        return json.loads(out)

    async def written(self) -> int:
        """Count what the outbox holds."""
        ((count,),) = await self.centre.rows("SELECT count(*) FROM outbox")
        return int(count)

    async def caught_up(self, within_s: float = SETTLE_S) -> float:
        """Wait until all that has been written by now is projected; return how long it took, in seconds."""
        written = await self.written()

        async def is_so() -> bool:
            query = "SELECT sum(position) FROM offset_ledger WHERE projection = 'clickhouse'"
            ((projected,),) = await self.centre.rows(query)
            return int(projected or 0) >= written

        return await until(is_so, within_s)

    async def whole(self, poison: int = 0) -> None:
        """Hold the call records against the attempts of the database and the carrier's own log: P1, P7.

        `poison`: how many of the events nobody can read.
        """
        await self.centre.check("engine")
        report = await self.command("cdr", "verify")
        assert report["ok"], report
        parts = report["partitions"]
        attempts = await self.centre.attempts()
        assert sum(part["records"] for part in parts) == await self.written()
        assert sum(part["dead_letters"] for part in parts) == poison
        assert [sum(part[kind] for part in parts) for kind in ("begun", "finals", "calls")] == [len(attempts)] * 3


async def address(running: Running) -> str:
    """Return the address that a role has printed."""
    (line,) = (line for line in running.lines if line.startswith("http://"))
    return line.split()[0]


async def readiness(url: str) -> dict[str, str]:
    """Return what a role says of its dependencies."""
    async with httpx.AsyncClient(trust_env=False) as http:
        return dict((await http.get(f"{url}/readyz")).json()["dependencies"])


async def ready(url: str) -> bool:
    """Tell whether all that a role needs is well."""
    return set((await readiness(url)).values()) == {"ok"}


class Memory:
    """What each role uses at most beyond what it used at first, in MB; look often."""

    def __init__(self, roles: dict[str, Running]) -> None:
        self._processes = {name: psutil.Process(role.process.pid) for name, role in roles.items()}
        self._first = {name: process.memory_info().rss for name, process in self._processes.items()}
        self.growth_mb = dict.fromkeys(roles, 0.0)

    def look(self) -> None:
        """Measure."""
        for name, process in self._processes.items():
            growth = (process.memory_info().rss - self._first[name]) / 1e6
            self.growth_mb[name] = max(self.growth_mb[name], growth)
