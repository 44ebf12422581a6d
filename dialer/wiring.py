"""Wire each part of a process from its settings: the store, the engine, the relay, the projector, the webhooks."""

from __future__ import annotations

import functools
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr import choose
from cdr.clickhouse import Analytics
from cdr.kafka_log import KafkaLog
from cdr.kafka_writer import KafkaWriter
from cdr.projector import PROJECTION, Projector
from cdr.relay import Relay
from cdr.retention import KEEP, Retention
from cdr.watch import Verifier
from cdr.webhook import Webhooks
from cdr.webhook_policy import Policy
from cdr.webhook_send import Sender
from dialer import metrics
from dialer.agents.mqtt_at import MqttAt
from dialer.clock import SystemClock
from dialer.config import Settings
from dialer.core.trunks import TrunkLimit, TrunkPool
from dialer.desks import open_desks
from dialer.errors import BadInput
from dialer.home import Home
from dialer.kafka import kafka_at, log_name, prepare_topic
from dialer.ports import AgentLink, Clock, EventLog, Telephony
from dialer.recorder import open_recorder
from dialer.service.clock import PacedClock
from dialer.service.crash import Fault
from dialer.service.driver import Driver
from dialer.service.engine import EnginePart
from dialer.service.espeak import Espeak
from dialer.service.http_voice import HttpVoice
from dialer.service.kafka import KafkaLogPart, RelayPart
from dialer.service.keeper import Keeper
from dialer.service.part import Part, Watch
from dialer.service.posting import WebhooksPart
from dialer.service.projection import Alone, ProjectorPart, at_once
from dialer.service.prompts import PromptLibrary
from dialer.service.verifying import VerifierPart
from dialer.speech import Prompts
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

TRUNK: Final = "sim"


class World(msgspec.Struct, frozen=True):
    """The outside that a process dials into, made once its clock is known."""

    telephony: Telephony
    agents: AgentLink
    trunks: tuple[TrunkLimit, ...] = ()
    """What its trunks carry; none = the one that the settings describe."""
    samples: Callable[[], Iterable[metrics.Sample]] = tuple
    """What its trunks do now."""


MakeWorld = Callable[[Clock], Awaitable[World]]


@dataclass(frozen=True, slots=True)
class Ground:
    """What every part stands on: settings, the open database, the clock, and what is closed at the end."""

    settings: Settings
    engine: AsyncEngine
    clock: Clock
    fault: Fault | None
    stack: AsyncExitStack


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


async def open_analytics(ground: Ground, *, prunes: bool) -> Analytics:
    """Open the call records: a ClickHouse server when it is named, even one that is away, else chDB in the home."""
    settings = ground.settings
    kept = Retention(settings.retention_calls_days, settings.retention_events_days) if prunes else KEEP
    analytics = await choose.open_analytics(
        settings.analytics_path, url=settings.clickhouse_url, cluster=settings.clickhouse_cluster, retention=kept,
        patient=True,
    )  # fmt: skip
    ground.stack.push_async_callback(analytics.close)
    return analytics


async def open_engine(
    ground: Ground, make_world: MakeWorld, overrides: tuple[Override, ...], prompts: Prompts
) -> list[Part]:
    """Wire driver and keeper to the store and the world, and the recorder, which drains when the calls are over."""
    settings, store = ground.settings, SqlLeadStore(ground.engine, fault=ground.fault)
    world = await make_world(ground.clock)
    await ground.stack.enter_async_context(world.telephony)
    agents = await open_desks(settings, ground.engine, ground.clock, ground.stack, world.agents)
    await ground.stack.enter_async_context(agents)
    driver = Driver(store, world.telephony, agents, ground.clock, fault=ground.fault, prompts=prompts)
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
        owner=owner_of(settings),
        overrides=overrides,
        lease_s=settings.lease_s,
    )
    part = EnginePart(driver, keeper, drain_s=settings.drain_s, trunks=world.samples)
    return [part, open_recorder(settings, ground.engine, driver, world.telephony, ground.fault)]


def open_prompts(settings: Settings) -> PromptLibrary:
    """Return the audio library of the home folder and the voice that the settings name."""
    keys = [key.strip() for key in settings.voice_keys.split(",") if key.strip()]
    voice = HttpVoice(settings.voice_url, keys) if settings.voice_url else Espeak()
    kept = settings.home / "prompts-kept"
    return PromptLibrary(settings.prompts_path, kept, voice, most_bytes=settings.voice_kept_mb * 1_000_000)


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
        owner=f"{owner_of(settings)}:{secrets.token_hex(4)}",
        fault=ground.fault,
        lease_s=settings.lease_s,
        send_s=settings.lease_s * 2 / 3,
    )
    return RelayPart(
        relay, ground.clock.now,
        prepare=functools.partial(prepare_topic, settings, outbox.has_begun), prune=prune,
        oldest=functools.partial(outbox.oldest_unsent, settings.kafka_topic), drain_s=settings.drain_s,
    )  # fmt: skip


def owner_of(settings: Settings) -> str:
    """Return the name under which this installation, on this machine, owns campaigns."""
    return f"{socket.gethostname()}:{Home(settings.home).secrets().installation[:12]}"


async def answers(engine: AsyncEngine) -> None:
    """Raise what the database says instead of answering."""
    async with readers(engine).connect() as connection:
        await connection.execute(text("SELECT 1"))
