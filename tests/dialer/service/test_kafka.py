"""Relay and log as parts of a process: they wait for a Kafka that is away, say so, and go on by themselves."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cdr.kafka_log import KafkaLog
from cdr.kafka_topics import TopicSettings, ensure_topic
from dialer import metrics
from dialer.service.kafka import KafkaLogPart, RelayPart
from dialer.service.lifecycle import run_services
from dialer.service.part import Part
from tests.cdr.relay_world import PARTITIONS, World, open_world, read_topic, until
from tests.cdr.samples import START
from tests.plugins.kafka import KafkaServer

pytestmark = pytest.mark.component("kafka")


@pytest.fixture
async def world(kafka: KafkaServer, kafka_topic: str, tmp_path: Path) -> AsyncIterator[World]:
    made = await open_world(f"sqlite:///{tmp_path / 'dialer.db'}", kafka.bootstrap, kafka_topic)
    yield made
    await made.engine.dispose()


@asynccontextmanager
async def running(part: Part) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(run_services(part.services(), stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def nothing_to_prune() -> int:
    return 0


def relay_part(world: World) -> RelayPart:
    prepare = functools.partial(ensure_topic, world.kafka, TopicSettings(world.topic, partitions=PARTITIONS))
    oldest = functools.partial(world.outbox.oldest_unsent, world.topic)
    return RelayPart(
        world.relay(), lambda: START + 90, prepare=prepare, prune=nothing_to_prune, oldest=oldest, drain_s=20
    )


async def test_a_relay_waits_for_a_kafka_that_is_away(
    world: World, kafka: KafkaServer, caplog: pytest.LogCaptureFixture
) -> None:
    await world.write_calls(range(1, 5))
    part = relay_part(world)
    assert part.health() == {"kafka": "the relay has not begun"}
    kafka.stop()
    async with running(part):
        await until(lambda: "does not answer" in part.health()["kafka"])
        await until(lambda: list(part.samples()) == [metrics.Sample(metrics.LAG, 90.0, ("relay",))])
        kafka.start()
        await until(lambda: part.health() == {"kafka": "ok"})
        await until(lambda: part.relay.sent == len(world.written))
        assert list(part.samples()) == [metrics.Sample(metrics.LAG, 0.0, ("relay",))]
    waits = [record for record in caplog.records if getattr(record, "action", "") == "kafka.waits"]
    assert len(waits) == 1, "however often it has tried"
    await world.check()


async def test_a_drain_sends_what_is_left(world: World) -> None:
    part = relay_part(world)
    async with running(part):
        await until(lambda: part.health() == {"kafka": "ok"})
        await world.write_calls(range(1, 60))
        assert await part.drain() == 0
        assert len(await read_topic(world.kafka, world.topic)) == len(world.written)


async def test_a_drain_does_not_wait_for_a_relay_that_never_began(world: World, kafka: KafkaServer) -> None:
    part = relay_part(world)
    kafka.stop()
    async with running(part):
        await until(lambda: "does not answer" in part.health()["kafka"])
        assert await asyncio.wait_for(part.drain(), 1.0) == 0


async def test_pruning_goes_on_until_nothing_is_old(world: World) -> None:
    left, pruned = [5, 3, 0], []

    async def prune() -> int:
        pruned.append(left[0])
        return left.pop(0)

    async def nothing() -> None:
        return None

    prepare = asyncio.Event().wait
    part = RelayPart(world.relay(), lambda: START, prepare=prepare, prune=prune, oldest=nothing, drain_s=1)  # type: ignore[arg-type]
    assert list(part.samples()) == []
    async with running(part):
        await until(lambda: pruned == [5, 3, 0])
        await until(lambda: list(part.samples()) == [metrics.Sample(metrics.LAG, 0.0, ("relay",))])


async def test_a_relay_that_is_refused_its_lanes_tells_what_waits(world: World) -> None:
    await world.write_calls(range(1, 5))
    await world.outbox.claim("before", world.topic, PARTITIONS + 1, now=START, ttl_s=1.0)
    part = relay_part(world)
    async with running(part):
        await until(lambda: f"the relay knows it with {PARTITIONS + 1}" in part.health()["kafka"])
        await until(lambda: list(part.samples()) == [metrics.Sample(metrics.LAG, 90.0, ("relay",))])


async def test_a_log_is_joined_as_soon_as_there_is_a_topic(kafka: KafkaServer, kafka_topic: str, world: World) -> None:
    log = KafkaLog(world.kafka, f"{kafka_topic}-later")
    part = KafkaLogPart(log)
    async with running(part):
        await until(lambda: bool(re.search(r"has no topic .*let `dialer relay` make it", part.health()["event log"])))
        assert await log.partitions() == []
        await ensure_topic(world.kafka, TopicSettings(log.topic, partitions=PARTITIONS))
        await until(lambda: part.health() == {"event log": "ok"})
        async with asyncio.timeout(30):
            while len(await log.partitions()) < PARTITIONS:  # noqa: ASYNC110 -- the group tells nobody else
                await asyncio.sleep(0.05)
    await log.close()


async def test_a_log_that_never_began_closes(world: World) -> None:
    await KafkaLog(world.kafka, world.topic).close()
