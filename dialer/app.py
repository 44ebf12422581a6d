"""The composition root: the only module that knows everyone. Settings and role choose; the parts are the same."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum
from typing import Final

import msgspec

from cdr.projector import PROJECTION
from cdr.queries import CdrQueries
from cdr.verify import Report
from dialer import metrics
from dialer.config import Settings
from dialer.errors import DialerError
from dialer.service.crash import crash_at
from dialer.service.driver import Driver
from dialer.service.engine import EnginePart
from dialer.service.keeper import Keeper
from dialer.service.lifecycle import Service, run_services
from dialer.service.part import Part, Watch
from dialer.speech import Prompts
from dialer.wiring import (
    Ground,
    MakeWorld,
    answers,
    open_analytics,
    open_clock,
    open_engine,
    open_projector,
    open_prompts,
    open_relay,
    open_store,
    open_webhooks,
    watch_mqtt,
)
from statuses.classify import Override
from store.lead_store import SqlLeadStore
from store.ledger import SqlOffsetLedger


class Role(StrEnum):
    """What a process runs."""

    UP = "up"
    ENGINE = "engine"
    RELAY = "relay"
    PROJECTOR = "projector"
    WEB = "web"


class Outcome(msgspec.Struct, frozen=True):
    """How a run ended: calls that had to be cut by the drain, attempts recovered at its start."""

    cut: int
    recovered: int


class Dialer:
    """Everything of one process, open and wired."""

    def __init__(
        self, role: Role, ground: Ground, parts: Sequence[Part], cdr: CdrQueries | None, prompts: Prompts
    ) -> None:
        self.role = role
        self.settings = ground.settings
        self.clock = ground.clock
        self.engine = ground.engine
        self.store = SqlLeadStore(ground.engine)
        self.prompts = prompts
        self._parts = parts
        self._cdr = cdr

    @property
    def cdr(self) -> CdrQueries:
        """Return the call records that this process has open; raise DialerError when another one has them."""
        if self._cdr is None:
            raise DialerError(f"dialer {self.role.value} has no call records open; ask the projector, or ClickHouse")
        return self._cdr

    @property
    def has_cdr(self) -> bool:
        """Tell whether call records are open here."""
        return self._cdr is not None

    @property
    def dialing(self) -> EnginePart:
        """Return the engine; raise DialerError in a process that has none."""
        for part in self._parts:
            if isinstance(part, EnginePart):
                return part
        raise DialerError(f"dialer {self.role.value} has no engine")

    @property
    def driver(self) -> Driver:
        """Return the loop that turns the engines."""
        return self.dialing.driver

    @property
    def keeper(self) -> Keeper:
        """Return what keeps campaigns in step with the store."""
        return self.dialing.keeper

    @property
    def recovered(self) -> int:
        """Count the attempts that were settled for a stopped engine."""
        return sum(part.keeper.recovered for part in self._parts if isinstance(part, EnginePart))

    async def verify(self) -> Report:
        """Prove that no call record projected so far is missing or doubled."""
        return await self.cdr.verify(await SqlOffsetLedger(self.engine).positions(PROJECTION))

    def health(self) -> dict[str, str]:
        """Return each dependency and what is wrong with it, "ok" when nothing is."""
        return {name: words for part in self._parts for name, words in part.health().items()}

    def samples(self) -> Iterable[metrics.Sample]:
        """Return the figures of this moment."""
        yield from metrics.of_process(self.role.value)
        for name, words in self.health().items():
            yield metrics.Sample(metrics.DEPENDENCY, words == "ok", (name,))
        for part in self._parts:
            yield from part.samples()

    def services(self) -> list[Service]:
        """Return the parts that run for as long as the process does."""
        return [service for part in self._parts for service in part.services()]

    async def drain(self) -> int:
        """Take no more work, part by part in the way that events go; return how many calls had to be cut."""
        return sum([await part.drain() for part in self._parts])


@asynccontextmanager
async def open_dialer(
    settings: Settings,
    make_world: MakeWorld,
    *,
    role: Role = Role.UP,
    speed: float = 1.0,
    overrides: tuple[Override, ...] = (),
) -> AsyncIterator[Dialer]:
    """Open what the role needs, a world only if it dials.

    Raises DialerError (what, where, what to do) when something is in the way.
    """
    fault = crash_at(os.environ.get("DIALER_CRASH_AT"))
    async with AsyncExitStack() as stack:
        engine = await open_store(settings, stack)
        clock = await open_clock(engine, speed)
        ground = Ground(settings, engine, clock, fault, stack)
        prompts = open_prompts(settings)
        stack.push_async_callback(prompts.close)
        parts: list[Part] = [Watch("database", functools.partial(answers, engine))]
        if role in _ENGINES:
            parts += await open_engine(ground, make_world, overrides, prompts)
            parts += watch_mqtt(settings)
        if role is Role.RELAY or (role is Role.UP and settings.kafka):
            parts.append(await open_relay(ground))
        projects = role in _PROJECTORS
        asks = projects or _asks_clickhouse(role, settings)
        analytics = await open_analytics(ground, prunes=projects) if asks else None
        if projects and analytics is not None:
            parts += [*open_projector(ground, analytics), open_webhooks(ground)]
        elif analytics is not None:
            parts.append(Watch("analytics", functools.partial(analytics.query, "SELECT 1", {})))
        yield Dialer(role, ground, parts, CdrQueries(analytics) if analytics is not None else None, prompts)


_ENGINES: Final = frozenset({Role.UP, Role.ENGINE})
_PROJECTORS: Final = frozenset({Role.UP, Role.PROJECTOR})


def _asks_clickhouse(role: Role, settings: Settings) -> bool:
    return role is Role.WEB and bool(settings.clickhouse_url)


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
    return Outcome(cut=cut, recovered=dialer.recovered)
