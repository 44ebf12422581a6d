"""A call centre of several processes over one PostgreSQL: campaigns, engines as a person starts them, what they did."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.campaigns import act, create
from crm.importing import import_leads
from dialer.commands.demo_setup import demo_settings
from dialer.core.campaign import CampaignAction
from dialer.core.types import CampaignKind
from store.models import Attempt as Row
from store.open import open_database
from store.upgrade import upgrade
from tests.dialer.process import WAIT_S, Running, started

LEASE_S = 3.0
CARRIER = """
title = "Everybody answers at once"
starts_at = 2026-03-02T08:00:00+07:00
hours = 1.0
[carrier]
prompt_s = 2.0
[carrier.shares]
answer = 0.7
reject = 0.3
[carrier.post_dial_delay]
mean_s = 0.4
cv = 0.2
[carrier.answer_after]
mean_s = 0.6
cv = 0.2
min_s = 0.2
[carrier.reject_after]
mean_s = 0.6
cv = 0.2
[carrier.talk]
mean_s = 3.0
cv = 0.3
[carrier.patience]
mean_s = 30.0
cv = 0.1
[[campaigns]]
name = "any"
leads = 1
[campaigns.agents]
count = 1
arrive_within_s = 0.5
callback = 0.0
do_not_recall = 0.0
[campaigns.agents.wrap_up]
mean_s = 1.0
cv = 0.2
"""


class Invite(NamedTuple):
    """One INVITE as the carrier of an engine saw it."""

    at: float
    call_id: str
    phone: str
    engine: str


class Attempt(NamedTuple):
    """One attempt as the database has it."""

    call_id: str
    campaign_id: int
    owner_epoch: int
    phone_e164: str
    begun_at: float
    ended_at: float | None
    settled: bool
    sub_reason: str | None


class Centre:
    """The shared database, and the home folder of each process."""

    def __init__(self, url: str, engine: AsyncEngine, folder: Path) -> None:
        self.url = url
        self.engine = engine
        self.folder = folder
        self.scenario = folder / "carrier.toml"
        self.scenario.write_text(CARRIER)

    async def campaign(self, name: str, *, leads: int, first: int = 1, **changes: Any) -> int:
        """Make and start a campaign that plays a message, unless `changes` say otherwise."""
        base: dict[str, Any] = {"kind": CampaignKind.AUTODIALER, "pacer": "agentless", "prompt": "say:en:Hello"}
        settings = msgspec.structs.replace(demo_settings(until_done=False), name=name, **(base | changes))
        campaign_id = await create(self.engine, settings, now=time.time())
        sheet = self.folder / f"{name}.csv"
        sheet.write_text("".join(f"Person {n},09{50_000_000 + n}\n" for n in range(first, first + leads)))
        mapping = {"name": 1, "phone": 2}
        result = await import_leads(self.engine, sheet, name, mapping, 1, now=time.time())
        assert result.added == leads, result
        for action in (CampaignAction.APPROVE, CampaignAction.START):
            await act(self.engine, name, action, now=time.time())
        return campaign_id

    @asynccontextmanager
    async def dialing(self, name: str, *words: str, **env: str) -> AsyncIterator[Running]:
        """Run `dialer engine` with a home folder of its own; the carrier's INVITEs go to NAME.csv."""
        more = {
            "DIALER_DATABASE_URL": self.url,
            "DIALER_LEASE_S": str(LEASE_S),
            "DIALER_CARRIER_LOG": str(self.folder / f"{name}-invites.csv"),
            "DIALER_DRAIN_S": "15",
        }
        command = ("engine", "--health-port", "0", "--carrier", str(self.scenario), *words)
        async with started(self.folder / name, *command, **(more | env)) as running:
            await running.line_with("dialer engine runs")
            yield running

    def invites(self, *names: str) -> list[Invite]:
        """Return what the carriers of these engines saw, in order."""
        seen: list[Invite] = []
        for name in names:
            path = self.folder / f"{name}-invites.csv"
            lines = path.read_text().split("\n")[:-1] if path.exists() else []
            for line in lines:
                at, call_id, phone = line.split(",")
                seen.append(Invite(float(at), call_id, phone, name))
        return sorted(seen)

    def logged(self, name: str, action: str) -> list[dict[str, Any]]:
        """Return an engine's log lines with this action."""
        path = self.folder / name / "engine.log"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [line for line in map(json.loads, lines) if line["action"] == action]

    async def rows(self, query: str, **values: Any) -> list[Any]:
        """Ask the database."""
        async with self.engine.connect() as connection:
            return list((await connection.execute(text(query), values)).all())

    async def owners(self) -> dict[int, str]:
        """Return which engine's installation owns each campaign, while its lease holds."""
        rows = await self.rows("SELECT id, owner FROM campaigns WHERE lease_expires_at > :now", now=time.time())
        return {row.id: row.owner.rpartition(":")[2] for row in rows}

    def installation(self, name: str) -> str:
        """Return how an engine signs its leases."""
        secrets = json.loads((self.folder / name / "secrets.json").read_text())
        return str(secrets["installation"][:12])

    async def attempts(self) -> list[Attempt]:
        """Return every attempt."""
        async with self.engine.connect() as connection:
            rows = (await connection.execute(select(*(getattr(Row, name) for name in Attempt._fields)))).all()
        return [Attempt(*row) for row in rows]

    async def check(self, *names: str) -> None:
        """Hold what the carriers saw against the database: P5, one INVITE an attempt, one final record an attempt."""
        attempts = {attempt.call_id: attempt for attempt in await self.attempts()}
        invites = self.invites(*names)
        counts = Counter(invite.call_id for invite in invites)
        assert max(counts.values()) == 1, "one INVITE an attempt"
        assert set(counts) <= set(attempts), "no INVITE without its intent in the database"
        assert self.stale(invites, attempts, *names) == [], "no INVITE under an epoch that was over"
        assert all(attempt.settled for attempt in attempts.values()), "every attempt is settled"
        finals = await self.rows("SELECT value FROM outbox WHERE type = 'cdr.finalized'")
        assert Counter(json.loads(row.value)["call_id"] for row in finals) == Counter(list(attempts)), (
            "one final record each"
        )

    def stale(self, invites: list[Invite], attempts: dict[str, Attempt], *names: str) -> list[Invite]:
        """Return the INVITEs of an epoch that came after the next one was taken."""
        taken: dict[tuple[int, int], float] = {
            (line["campaign"], line["epoch"]): line["at"] for name in names
            for line in self.logged(name, "campaign.taken")
        }  # fmt: skip

        def over(invite: Invite) -> float:
            one = attempts[invite.call_id]
            return taken.get((one.campaign_id, one.owner_epoch + 1), float("inf"))

        return [invite for invite in invites if invite.at > over(invite)]


@asynccontextmanager
async def centre_at(url: str, folder: Path) -> AsyncIterator[Centre]:
    """Open the database and make its tables."""
    engine = open_database(url)
    try:
        await upgrade(engine)
        yield Centre(url.replace("+asyncpg", ""), engine, folder)
    finally:
        await engine.dispose()


async def until(condition: Callable[[], Awaitable[bool]], within_s: float = WAIT_S) -> float:
    """Wait for what other processes do; return how long it took, in seconds."""
    began = time.monotonic()
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 -- nothing here is told when a database changes
            await asyncio.sleep(0.1)
    return time.monotonic() - began


async def end(*programs: Running) -> None:
    """Drain the programs at the same time; each must end well."""
    for status, said in await asyncio.gather(*(program.stop() for program in programs)):
        assert status == 0, said


def resume(running: Running) -> None:
    """Let a stopped process go on."""
    running.process.send_signal(signal.SIGCONT)


def is_stopped(running: Running) -> bool:
    """Tell whether the system has stopped the process."""
    return psutil.Process(running.process.pid).status() == psutil.STATUS_STOPPED
