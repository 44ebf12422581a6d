"""The composition root on a real Kafka: what relay and projector refuse before they lose anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from cdr.projector import PROJECTION
from dialer.app import Dialer, Role, open_dialer, run_dialer
from dialer.config import Settings
from dialer.ports import Clock
from dialer.wiring import World
from store.binding import Bound, rebind
from store.open import open_database
from tests.cdr import relay_world
from tests.cdr.relay_world import PARTITIONS, open_world, relay_all
from tests.plugins.kafka import KafkaServer

pytestmark = [pytest.mark.component("kafka"), pytest.mark.component("sqlite")]


@pytest.fixture
def settings(kafka: KafkaServer, kafka_topic: str, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, kafka=kafka.bootstrap, kafka_topic=kafka_topic, kafka_partitions=PARTITIONS)


async def no_world(_clock: Clock) -> World:
    raise AssertionError("nothing is dialed here")


@asynccontextmanager
async def running(settings: Settings, role: Role) -> AsyncIterator[Dialer]:
    stop = asyncio.Event()
    async with open_dialer(settings, no_world, role=role) as dialer:
        task = asyncio.create_task(run_dialer(dialer, stop))
        try:
            yield dialer
        finally:
            stop.set()
            await task


async def until(condition: Callable[[], bool]) -> None:
    await relay_world.until(condition, seconds=60.0)


async def test_a_topic_that_was_deleted_is_not_made_anew_by_the_relay(settings: Settings) -> None:
    world = await open_world(settings.database, settings.kafka, settings.kafka_topic)
    await world.write_calls(range(1, 5))
    await relay_all(world.relay())
    await world.engine.dispose()
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    await admin.delete_topics([settings.kafka_topic])
    async with running(settings, Role.RELAY) as dialer:
        await until(lambda: "but the relay has sent events to it" in dialer.health()["kafka"])
        await asyncio.sleep(3)
        assert "restore it, or set another topic" in dialer.health()["kafka"]
    assert settings.kafka_topic not in await admin.list_topics()
    await admin.close()


async def test_a_relay_that_starts_without_kafka_tells_its_lag(settings: Settings, kafka: KafkaServer) -> None:
    world = await open_world(settings.database, settings.kafka, settings.kafka_topic)
    await world.write_calls(range(1, 5))
    await world.engine.dispose()
    kafka.stop()

    def lag(dialer: Dialer) -> float:
        return max((one.value for one in dialer.samples() if one.metric.name == "dialer_log_lag_seconds"), default=0.0)

    async with running(settings, Role.RELAY) as dialer:
        await until(lambda: lag(dialer) > 1.0)
        kafka.start()
        await until(lambda: dialer.health()["kafka"] == "ok" and lag(dialer) == 0.0)


@pytest.mark.component("chdb")
async def test_the_projector_refuses_the_same_topic_of_another_cluster(settings: Settings) -> None:
    world = await open_world(settings.database, settings.kafka, settings.kafka_topic)
    await world.engine.dispose()
    async with running(settings, Role.PROJECTOR) as dialer:
        await until(lambda: dialer.health()["analytics"] == "ok")
    engine = open_database(settings.database)
    await rebind(engine, PROJECTION, Bound(f"Kafka's topic {settings.kafka_topic} of cluster lost", "then"))
    await engine.dispose()
    async with running(settings, Role.PROJECTOR) as dialer:
        await until(lambda: "of cluster lost, and the event log is Kafka's topic" in dialer.health()["analytics"])
