"""The composition root: the only module that knows everyone. Settings and role choose; the parts are the same."""

from __future__ import annotations

import asyncio
import functools
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr import choose
from cdr.clickhouse import Analytics
from cdr.kafka_log import KafkaLog
from cdr.kafka_writer import KafkaWriter
from cdr.projector import PROJECTION, Projector
from cdr.queries import CdrQueries
from cdr.relay import Relay
from cdr.retention import KEEP, Retention
from cdr.verify import Report
from cdr.watch import Verifier
from cdr.webhook import Webhooks
from cdr.webhook_policy import Policy
from cdr.webhook_send import Sender
from dialer import metrics
from dialer.agents.mqtt_at import MqttAt
from dialer.clock import SystemClock
from dialer.config import Settings
from dialer.core.trunks import TrunkLimit, TrunkPool
from dialer.errors import BadInput, DialerError
from dialer.home import Home
from dialer.kafka import kafka_at, log_name, prepare_topic
from dialer.ports import AgentLink, Clock, EventLog, Telephony
from dialer.recorder import open_recorder
from dialer.service.clock import PacedClock
from dialer.service.crash import Fault, crash_at
from dialer.service.driver import Driver
from dialer.service.engine import EnginePart
from dialer.service.kafka import KafkaLogPart, RelayPart
from dialer.service.keeper import Keeper
from dialer.service.lifecycle import Service, run_services
from dialer.service.part import Part, Watch
from dialer.service.posting import WebhooksPart
from dialer.service.projection import Alone, ProjectorPart, at_once
from dialer.service.verifying import VerifierPart
from statuses.classify import Override
from store.binding import Bound, bind
from store.lanes import SqlOutbox
from store.latest import latest_time
from store.lead_store import SqlLeadStore
from store.ledger import SqlOffsetLedger
from store.locks import Lock
from store.open import open_database, readers
from store.outbox import PARTITION, SqlOutboxLog
from store.sole import alone
from store.upgrade import upgrade
from store.webhooks import SqlWebhookStore

TRUNK = "sim"


class Role(StrEnum):
    """What a process runs."""

    UP = "up"
    ENGINE = "engine"
    RELAY = "relay"
    PROJECTOR = "projector"
    WEB = "web"


class World(msgspec.Struct, frozen=True):
    """The outside that a process dials into, made once its clock is known."""

    telephony: Telephony
    agents: AgentLink
    trunks: tuple[TrunkLimit, ...] = ()
    """What its trunks carry; none = the one that the settings describe."""
    samples: Callable[[], Iterable[metrics.Sample]] = tuple
    """What its trunks do now."""


class Outcome(msgspec.Struct, frozen=True):
    """How a run ended: calls that had to be cut by the drain, attempts recovered at its start."""

    cut: int
    recovered: int


MakeWorld = Callable[[Clock], Awaitable[World]]


@dataclass(frozen=True, slots=True)
class Ground:
    """What every part stands on: settings, the open database, the clock, and what is closed at the end."""

    settings: Settings
    engine: AsyncEngine
    clock: Clock
    fault: Fault | None
    stack: AsyncExitStack


class Dialer:
    """Everything of one process, open and wired."""

    def __init__(self, role: Role, ground: Ground, parts: Sequence[Part], cdr: CdrQueries | None) -> None:
        self.role = role
        self.settings = ground.settings
        self.clock = ground.clock
        self.engine = ground.engine
        self.store = SqlLeadStore(ground.engine)
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
        parts: list[Part] = [Watch("database", functools.partial(_answers, engine))]
        if role in _ENGINES:
            parts += await open_engine(ground, make_world, overrides)
            parts += watch_mqtt(settings)
        if role is Role.RELAY or (role is Role.UP and settings.kafka):
            parts.append(await open_relay(ground))
        analytics = (
            await open_analytics(ground, role) if role in _PROJECTORS or _asks_clickhouse(role, settings) else None
        )
        if role in _PROJECTORS and analytics is not None:
            parts += [*open_projector(ground, analytics), open_webhooks(ground)]
        elif analytics is not None:
            parts.append(Watch("analytics", functools.partial(analytics.query, "SELECT 1", {})))
        yield Dialer(role, ground, parts, CdrQueries(analytics) if analytics is not None else None)


_ENGINES: Final = frozenset({Role.UP, Role.ENGINE})
_PROJECTORS: Final = frozenset({Role.UP, Role.PROJECTOR})


def _asks_clickhouse(role: Role, settings: Settings) -> bool:
    return role is Role.WEB and bool(settings.clickhouse_url)


async def open_store(settings: Settings, stack: AsyncExitStack) -> AsyncEngine:
    """Open and upgrade the database."""
    Home(settings.home).prepare()
    engine = open_database(settings.database)
    stack.push_async_callback(engine.dispose)
    await upgrade(engine)
    return engine


async def open_clock(engine: AsyncEngine, speed: float) -> Clock:
    """Return the wall's clock, or one that runs ahead of it from where the database is."""
    return PacedClock(speed=speed, start=await latest_time(engine)) if speed > 1 else SystemClock()


async def open_analytics(ground: Ground, role: Role) -> Analytics:
    """Open the call records: a ClickHouse server when it is named, even one that is away, else chDB in the home."""
    settings = ground.settings
    kept = Retention(settings.retention_calls_days, settings.retention_events_days) if role in _PROJECTORS else KEEP
    analytics = await choose.open_analytics(
        settings.analytics_path, url=settings.clickhouse_url, cluster=settings.clickhouse_cluster, retention=kept,
        patient=True,
    )  # fmt: skip
    ground.stack.push_async_callback(analytics.close)
    return analytics


async def open_engine(ground: Ground, make_world: MakeWorld, overrides: tuple[Override, ...]) -> list[Part]:
    """Wire driver and keeper, and the collector of recordings, to the store and the world."""
    settings, store = ground.settings, SqlLeadStore(ground.engine, fault=ground.fault)
    world = await make_world(ground.clock)
    await ground.stack.enter_async_context(world.telephony)
    await ground.stack.enter_async_context(world.agents)
    driver = Driver(store, world.telephony, world.agents, ground.clock, fault=ground.fault)
    limits = world.trunks or (
        TrunkLimit(
            name=TRUNK,
            channels=settings.trunk_channels,
            cps=settings.trunk_cps,
            burst=max(1, int(settings.trunk_cps)),
        ),
    )
    keeper = Keeper(
        store,
        world.telephony,
        driver,
        TrunkPool(limits),
        owner=_owner(settings),
        overrides=overrides,
        lease_s=settings.lease_s,
    )
    part = EnginePart(driver, keeper, drain_s=settings.drain_s, trunks=world.samples)
    recorder = open_recorder(settings, ground.engine, driver, world.telephony, ground.fault)
    return [part, recorder]


def watch_mqtt(settings: Settings) -> list[Part]:
    """Return the watch over the MQTT broker, when one is named; raise BadInput if its address is none."""
    return [Watch("mqtt", MqttAt.parse(settings.mqtt_url).ask)] if settings.mqtt_url else []


def open_log(settings: Settings) -> KafkaLog:
    """Return the log in Kafka; a reader that is silent for two leases has died, and gives up partitions before that."""
    session_s = max(6.0, 2 * settings.lease_s)
    return KafkaLog(kafka_at(settings), settings.kafka_topic, session_s=session_s, drain_s=session_s * 2 / 3)


def open_projector(ground: Ground, analytics: Analytics) -> list[Part]:
    """Wire projector and verifier from the log in force to the call records: Kafka when it is named, else the outbox.

    Kafka's partitions are shared by all projectors; the outbox is projected by one process at a time.
    """
    settings, engine = ground.settings, ground.engine
    shared = open_log(settings) if settings.kafka else None
    event_log: EventLog = shared or SqlOutboxLog(engine)
    ledger = SqlOffsetLedger(engine)
    projector = Projector(event_log, ledger, analytics, fault=ground.fault)
    parts: list[Part] = []
    alone_with: Alone = functools.partial(alone, engine, Lock.PROJECTOR, "project the outbox")
    if shared is not None:
        shared.drain = projector.drain
        ground.stack.push_async_callback(shared.close)
        parts.append(KafkaLogPart(shared))
        alone_with = at_once

    async def prepare() -> None:
        await bind(engine, PROJECTION, Bound(await log_name(settings), await analytics.made_at()))

    parts.append(
        ProjectorPart(projector, ground.clock.now, drain_s=settings.drain_s, alone=alone_with, prepare=prepare)
    )
    return [*parts, VerifierPart(Verifier(event_log, ledger, analytics))]


def open_webhooks(ground: Ground) -> WebhooksPart:
    """Wire the posts of finished call records, from the outbox; by the wall's time, whatever a demo's clock says."""
    settings = ground.settings
    webhooks = Webhooks(
        SqlOutboxLog(ground.engine),
        SqlWebhookStore(ground.engine),
        key=Home(settings.home).secrets().service,
        sender=Sender(private=settings.webhook_private),
        policy=Policy(give_up_s=settings.webhook_give_up_h * 3600),
        keep_s=settings.webhook_keep_days * 86_400,
        fault=ground.fault,
    )
    return WebhooksPart(webhooks)


async def open_relay(ground: Ground) -> RelayPart:
    """Wire the relay from the outbox to Kafka; it makes the topic, and prunes the outbox of what Kafka has long had."""
    settings = ground.settings
    if not settings.kafka:
        raise BadInput("there is nothing to relay to: set DIALER_KAFKA; without it the outbox itself is the event log")
    outbox, webhooks = SqlOutbox(ground.engine), SqlWebhookStore(ground.engine)

    async def prune() -> int:
        before = ground.clock.now() - settings.outbox_keep_days * 86_400
        return await outbox.prune(settings.kafka_topic, before=before, keep_after=await webhooks.position(PARTITION))

    relay = Relay(
        outbox,
        KafkaWriter(kafka_at(settings), settings.kafka_topic),
        owner=f"{_owner(settings)}:{secrets.token_hex(4)}",
        fault=ground.fault,
        lease_s=settings.lease_s,
        send_s=settings.lease_s * 2 / 3,
    )
    return RelayPart(
        relay, ground.clock.now,
        prepare=functools.partial(prepare_topic, settings, outbox.has_begun), prune=prune,
        oldest=functools.partial(outbox.oldest_unsent, settings.kafka_topic), drain_s=settings.drain_s,
    )  # fmt: skip


def _owner(settings: Settings) -> str:
    return f"{socket.gethostname()}:{Home(settings.home).secrets().installation[:12]}"


async def _answers(engine: AsyncEngine) -> None:
    async with readers(engine).connect() as connection:
        await connection.execute(text("SELECT 1"))


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
