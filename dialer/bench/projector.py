"""The projector from Kafka to ClickHouse, beside bare consuming and bare inserting of the same events."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from cdr.kafka_at import KafkaAt
from cdr.lanes import OutboxRow
from dialer.bench.analytics import own_analytics
from dialer.bench.figures import Figure, Result, Step, at_least, best, plain, ratio
from dialer.bench.kafka import fill, own_topic, sample
from dialer.bench.passing import figures
from dialer.bench.projecting import blocks, consume_all, insert_all, project_all, projector, ranges

GOAL: Final = 0.7


class Run(NamedTuple):
    """Seconds of the three."""

    projected_s: float
    consumed_s: float
    inserted_s: float

    @property
    def bare_s(self) -> float:
        """Return the slower one of the bare two: nobody can be quicker than it."""
        return max(self.consumed_s, self.inserted_s)


class World(NamedTuple):
    """Where it happens, and with what."""

    kafka: KafkaAt
    topic: str
    url: str
    rows: Sequence[OutboxRow]
    events: int


def bench_projector(
    *, kafka: str, clickhouse_url: str, events: int, repeats: int, passing: int = 0, step: Step
) -> Result:
    """Project a topic of so many events; consume it bare; insert the same blocks bare. Watch memory while `passing` do.

    Each run has tables and a topic of its own, dropped afterwards; without an address it is chDB. Raises Unreachable,
    BadInput or DialerError for addresses where that cannot be.
    """
    at = KafkaAt(kafka)
    runs = asyncio.run(_runs(at, clickhouse_url, events, repeats, step))
    memory = asyncio.run(_passing(at, clickhouse_url, passing, step)) if passing else []
    return Result(
        "projector",
        {"events": events, "repeats": repeats, "passing": passing},
        [
            at_least(
                "Kafka to ClickHouse: events a second / the slower of bare consuming and bare inserting",
                ratio([(run.projected_s, run.bare_s) for run in runs]),
                GOAL,
            ),
            plain("events a second, Kafka to ClickHouse", events / best([run.projected_s for run in runs])),
            plain("events a second, aiokafka consuming", events / best([run.consumed_s for run in runs])),
            plain("events a second, clickhouse-connect inserting", events / best([run.inserted_s for run in runs])),
            *memory,
        ],
    )


async def _runs(kafka: KafkaAt, url: str, events: int, repeats: int, step: Step) -> list[Run]:
    async with own_topic(kafka) as topic:
        step("events are made")
        world = World(kafka, topic, url, await sample(events), events)
        await fill(kafka, topic, world.rows, events)
        return [await _run(world, f"{number} of {repeats}", step) for number in range(1, repeats + 1)]


async def _run(world: World, number: str, step: Step) -> Run:
    kafka, topic, url, rows, events = world
    step(f"Kafka to ClickHouse, {number}")
    async with own_analytics(url) as analytics, projector(kafka, topic, analytics) as working:
        projected_s = await project_all(working, events)
    step(f"consuming, {number}")
    consumed_s = await consume_all(kafka, topic, events)
    step(f"inserting, {number}")
    inserted_s = 0.0
    async with own_analytics(url) as analytics:
        for records in ranges(rows, events):
            inserted_s += await insert_all(analytics, blocks(topic, records))
    return Run(projected_s, consumed_s, inserted_s)


async def _passing(kafka: KafkaAt, url: str, events: int, step: Step) -> list[Figure]:
    async with own_topic(kafka) as topic:
        step(f"{events:,} events are sent")
        await fill(kafka, topic, await sample(events), events)
        step(f"{events:,} events pass")
        return await asyncio.to_thread(figures, kafka.bootstrap, topic, url, events)
