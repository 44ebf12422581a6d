"""P1, P7: relay and projector are killed at each of their named points while calls go on, with poison among the events.

Each kill is a SIGKILL of a process over PostgreSQL, Kafka and ClickHouse; the next one goes on from what is durable.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

import pytest

from cdr.encode import OutboxEvent
from cdr.projector import POINTS as PROJECTOR_POINTS
from cdr.relay import POINTS as RELAY_POINTS
from store.outbox import append
from tests.dialer.centre import centre_at, end
from tests.dialer.pipeline import Pipeline
from tests.plugins.figures import Figure
from tests.plugins.kafka import KafkaServer

pytestmark = [
    pytest.mark.component("postgresql"),
    pytest.mark.component("kafka"),
    pytest.mark.component("clickhouse"),
]
POINTS: dict[str, Sequence[str]] = {"relay": RELAY_POINTS, "projector": PROJECTOR_POINTS}
DIES_WITHIN_S = 40


@pytest.fixture
async def pipeline(
    postgres_url: str, kafka: KafkaServer, kafka_topic: str, clickhouse_url: str, tmp_path: Path
) -> AsyncIterator[Pipeline]:
    async with centre_at(postgres_url, tmp_path) as centre:
        yield Pipeline(centre, kafka=kafka.bootstrap, topic=kafka_topic, clickhouse=clickhouse_url)


@pytest.mark.timeout(600)
async def test_p1_p7_killed_at_every_point(pipeline: Pipeline, figure: Figure) -> None:
    figure(await kill_everywhere(pipeline, passings=(1,), leads=300))


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_p1_p7_killed_at_every_point_many_times(pipeline: Pipeline, figure: Figure) -> None:
    pipeline.env |= {"DIALER_TRUNK_CHANNELS": "400", "DIALER_TRUNK_CPS": "20"}
    figure(await kill_everywhere(pipeline, passings=range(1, 13), leads=10_000))


async def kill_everywhere(pipeline: Pipeline, *, passings: Iterable[int], leads: int) -> str:
    """Kill one role at a time at each point's n-th passing while the other runs; then hold all records to the calls."""
    await pipeline.centre.campaign("spring", leads=leads)
    kills = poison = 0
    async with pipeline.centre.dialing("engine", **pipeline.env) as engine:
        for role, points in POINTS.items():
            other = "projector" if role == "relay" else "relay"
            async with pipeline.role(other, "other") as running:
                for point, passing in itertools.product(points, passings):
                    poison += await killed_at(pipeline, role, point, passing)
                    kills += 1
                await end(running)
        await end(engine)
    async with pipeline.role("relay") as relay, pipeline.role("projector") as projector:
        await pipeline.caught_up()
        await end(relay, projector)
    await pipeline.whole(poison=poison)
    number = sum(map(len, POINTS.values()))
    return (
        f"P1 {kills} SIGKILLs at {number} points: no record lost, none doubled, {poison} of poison kept as dead letters"
    )


async def killed_at(pipeline: Pipeline, role: str, point: str, passing: int) -> int:
    """Run a role until it kills itself, with a poisoned record a second; return how many those were."""
    async with pipeline.role(role, DIALER_CRASH_AT=f"{point}:{passing}") as running:
        for poison in itertools.count(1):
            await poisoned(pipeline)
            with contextlib.suppress(TimeoutError):
                status = await asyncio.wait_for(asyncio.shield(running.process.wait()), 1.0)
                assert status == -signal.SIGKILL
                return poison
            assert poison < DIES_WITHIN_S, f"{role} does not pass {point} for the {passing}. time"
    raise AssertionError


async def poisoned(pipeline: Pipeline) -> None:
    """Write a record that nobody can read, so that batches have dead letters too."""
    event = OutboxEvent(event_id=f"poison-{time.time_ns()}", key=str(time.time_ns()), type="poison", value=b"\xff{")
    async with pipeline.centre.engine.begin() as connection:
        await connection.run_sync(lambda one: append(one, [event], now=time.time()))
