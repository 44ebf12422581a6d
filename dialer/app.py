"""The composition root: the only module that knows everyone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.clickhouse import Analytics, open_chdb
from cdr.projector import PROJECTION, Projector
from cdr.queries import CdrQueries
from cdr.verify import Report, verify
from cdr.webhook import Webhooks
from cdr.webhook_policy import Policy
from cdr.webhook_send import Sender
from dialer.config import Settings
from dialer.core.trunks import TrunkLimit, TrunkPool
from dialer.home import Home
from dialer.ports import AgentLink, Clock, EventLog, Telephony
from dialer.service.clock import PacedClock, SystemClock
from dialer.service.crash import Fault, crash_at
from dialer.service.driver import Driver
from dialer.service.keeper import Keeper
from dialer.service.lifecycle import Service, run_services
from statuses.classify import Override
from store.latest import latest_time
from store.lead_store import SqlLeadStore
from store.ledger import SqlOffsetLedger
from store.open import open_database
from store.outbox import SqlOutboxLog
from store.upgrade import upgrade
from store.webhooks import SqlWebhookStore

log = logging.getLogger(__name__)

TRUNK = "sim"
FLUSH_S = 10.0
"""The least time that a drain gives the store to take what is left; past it the process fails, and says so."""
LAST_WORDS_S = 3.0
"""How long calls that outlive the drain get to confirm their hang-up."""


class World(msgspec.Struct, frozen=True):
    """The outside that a process dials into, made once its clock is known."""

    telephony: Telephony
    agents: AgentLink


class Outcome(msgspec.Struct, frozen=True):
    """How a run ended: calls that had to be cut by the drain, attempts recovered at its start."""

    cut: int
    recovered: int


class Dialer:
    """Everything of one process, open and wired."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        engine: AsyncEngine,
        analytics: Analytics,
        world: World,
        fault: Fault | None,
        overrides: tuple[Override, ...],
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.engine = engine
        self.cdr = CdrQueries(analytics)
        self.store = SqlLeadStore(engine, fault=fault)
        limit = TrunkLimit(
            name=TRUNK,
            channels=settings.trunk_channels,
            cps=settings.trunk_cps,
            burst=max(1, int(settings.trunk_cps)),
        )
        self.driver = Driver(self.store, world.telephony, world.agents, clock, fault=fault)
        owner = f"{socket.gethostname()}:{Home(settings.home).secrets().installation[:12]}"
        self.keeper = Keeper(
            self.store, world.telephony, self.driver, TrunkPool((limit,)), owner=owner, overrides=overrides
        )
        self._pace: list[Service] = []
        if isinstance(clock, PacedClock):
            clock.is_busy = lambda: self.driver.is_busy
            self._pace = [Service("clock", clock.run)]
        self._analytics, self._log, self._ledger = analytics, SqlOutboxLog(engine), SqlOffsetLedger(engine)
        self.projector = Projector(self._log, self._ledger, analytics, fault=fault)
        self.webhooks = make_webhooks(settings, engine, self._log, fault)

    async def verify(self) -> Report:
        """Prove that no call record projected so far is missing or doubled."""
        positions = {n: await self._ledger.position(PROJECTION, n) for n in await self._log.partitions()}
        return await verify(self._analytics, positions)

    def health(self) -> dict[str, str]:
        """Return each dependency and what is wrong with it, "ok" when nothing is."""
        return {
            "database": "ok" if self.driver.writer.failures == 0 else f"{self.driver.writer.failures} failed commits",
            "analytics": "ok" if self.projector.failure is None else self.projector.failure,
        }

    def services(self) -> list[Service]:
        """Return the parts that run for as long as the process does."""
        return [
            *self._pace,
            Service("driver", self.driver.run),
            Service("keeper", self.keeper.run),
            Service("projector", self.projector.run, essential=False),
            Service("webhooks", self.webhooks.run, essential=False),
        ]

    async def drain(self) -> int:
        """Place no more calls, let those in flight finish, flush; return how many had to be cut."""
        await self.keeper.close()
        await self._calls_end(self.settings.drain_s)
        cut = self.driver.calls_in_flight
        if cut:
            log.warning("calls outlive the drain and are ended", extra={"action": "drain.cut", "calls": cut})
            for campaign_id in self.driver.seats:
                self.driver.cut(campaign_id)
            await self._calls_end(LAST_WORDS_S)
        self.driver.finish_wrap_ups()
        await self.driver.quiet()
        async with asyncio.timeout(max(FLUSH_S, self.settings.drain_s)):
            await self.driver.writer.flushed()
        while await self.projector.run_once():
            pass
        await self.keeper.resign()
        return cut

    async def _calls_end(self, within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.driver.no_calls.wait()


def make_webhooks(settings: Settings, engine: AsyncEngine, event_log: EventLog, fault: Fault | None) -> Webhooks:
    """Wire the deliveries of finished call records: by the wall's time, whatever the clock of a demo says."""
    return Webhooks(
        event_log,
        SqlWebhookStore(engine),
        key=Home(settings.home).secrets().service,
        sender=Sender(private=settings.webhook_private),
        policy=Policy(give_up_s=settings.webhook_give_up_h * 3600),
        keep_s=settings.webhook_keep_days * 86_400,
        fault=fault,
    )


@asynccontextmanager
async def open_dialer(
    settings: Settings,
    make_world: Callable[[Clock], Awaitable[World]],
    *,
    speed: float = 1.0,
    overrides: tuple[Override, ...] = (),
) -> AsyncIterator[Dialer]:
    """Open the databases and the world; raise DialerError (what, where, what to do) when something is in the way."""
    fault = crash_at(os.environ.get("DIALER_CRASH_AT"))
    async with AsyncExitStack() as stack:
        Home(settings.home).prepare()
        engine = open_database(settings.database)
        stack.push_async_callback(engine.dispose)
        await upgrade(engine)
        clock = PacedClock(speed=speed, start=await latest_time(engine)) if speed > 1 else SystemClock()
        analytics = await open_chdb(settings.analytics_path)
        stack.push_async_callback(analytics.close)
        world = await make_world(clock)
        await stack.enter_async_context(world.telephony)
        await stack.enter_async_context(world.agents)
        yield Dialer(settings, clock, engine=engine, analytics=analytics, world=world, fault=fault, overrides=overrides)


async def run_dialer(dialer: Dialer, stop: asyncio.Event, *, more: Sequence[Service] = ()) -> Outcome:
    """Run, with `more` services beside ours, until `stop`; then drain. Raise what ended an essential part."""
    halt = asyncio.Event()
    cut = 0

    async def conduct() -> None:
        nonlocal cut
        await stop.wait()
        cut = await dialer.drain()
        halt.set()
        await asyncio.Event().wait()

    await run_services([*dialer.services(), *more, Service("conductor", conduct)], halt)
    return Outcome(cut=cut, recovered=dialer.keeper.recovered)
