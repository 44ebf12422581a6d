"""P12: Kafka, ClickHouse or PostgreSQL goes away under load and comes back: nothing lost or doubled, memory bounded.

`make test` takes each away for seconds, `make soak` for minutes. While the broker or ClickHouse is away dialing goes
on, since every event is durable in the outbox; without the database nobody is called.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.dialer.centre import Centre, centre_at, end, until
from tests.dialer.pipeline import Memory, Pipeline, address, readiness, ready
from tests.plugins.clickhouse import chdb_server
from tests.plugins.figures import Figure
from tests.plugins.kafka import KafkaServer
from tests.plugins.postgres import local_postgres

pytestmark = [
    pytest.mark.component("postgresql"),
    pytest.mark.component("kafka"),
    pytest.mark.component("clickhouse"),
]
CALLS_BEFORE = 30
CATCH_UP = 5
"""What has waited is projected so many times as fast as it came in ..."""
CATCH_UP_S = 40.0
"""... but for the pauses between tries, which are of the order of seconds."""
GROWTH_MB = 150.0
"""What a role may use more at its worst than a moment after its start."""
NOTICED_S = 3.0
"""Until nobody is called any more without the database: what is begun may still go out."""


class Server(NamedTuple):
    """One that can go away and come back."""

    kill: Callable[[], None]
    start: Callable[[], None]


@contextmanager
def broker(kafka: KafkaServer) -> Iterator[tuple[dict[str, str], Server]]:
    yield {}, Server(kafka.kill, kafka.start)


@contextmanager
def clickhouse(_: KafkaServer) -> Iterator[tuple[dict[str, str], Server]]:
    with chdb_server() as server:
        yield {"DIALER_CLICKHOUSE_URL": server.url}, Server(lambda: server.stop(kill=True), server.start)


@contextmanager
def database(_: KafkaServer) -> Iterator[tuple[dict[str, str], Server]]:
    with local_postgres(durable=True) as server:
        yield {"database": server.url}, Server(lambda: server.stop(kill=True), server.start)


AWAY = {"broker": broker, "clickhouse": clickhouse, "database": database}
SAYS = {"broker": ("relay", "kafka"), "clickhouse": ("projector", "analytics"), "database": ("engine", "database")}
"""Which role must say so in /readyz, and under which name."""


class Place(NamedTuple):
    """Where the parts are that stay."""

    kafka: KafkaServer
    topic: str
    postgres: str
    clickhouse: str
    folder: Path


@pytest.fixture
def place(kafka: KafkaServer, kafka_topic: str, postgres_url: str, clickhouse_url: str, tmp_path: Path) -> Place:
    return Place(kafka, kafka_topic, postgres_url, clickhouse_url, tmp_path)


@asynccontextmanager
async def standing(what: str, place: Place) -> AsyncIterator[tuple[Pipeline, Server]]:
    with AWAY[what](place.kafka) as (own, server):
        url = own.get("database", place.postgres).replace("postgresql:", "postgresql+asyncpg:", 1)
        async with centre_at(url, place.folder) as centre:
            clickhouse = own.get("DIALER_CLICKHOUSE_URL", place.clickhouse)
            yield Pipeline(centre, kafka=place.kafka.bootstrap, topic=place.topic, clickhouse=clickhouse), server


@pytest.mark.parametrize("what", AWAY)
@pytest.mark.timeout(400)
async def test_p12_away_for_seconds_under_load(what: str, place: Place, figure: Figure) -> None:
    async with standing(what, place) as (pipeline, server):
        figure(await go_away(pipeline, server, what, away_s=10.0, leads=250))


@pytest.mark.soak
@pytest.mark.parametrize("what", AWAY)
@pytest.mark.timeout(1800)
async def test_p12_away_for_minutes_under_load(what: str, place: Place, figure: Figure) -> None:
    async with standing(what, place) as (pipeline, server):
        figure(await go_away(pipeline, server, what, away_s=300.0, leads=4_500))


async def _dialed(centre: Centre, calls: int) -> bool:
    return len(centre.invites("engine")) >= calls


async def go_away(pipeline: Pipeline, server: Server, what: str, *, away_s: float, leads: int) -> str:
    """Take it away in the middle of a campaign, hold the promises meanwhile, and see that all is there in the end."""
    centre = pipeline.centre
    async with pipeline.roles() as roles:
        memory = Memory(roles)
        urls = {name: await address(role) for name, role in roles.items()}
        for url in urls.values():
            await until(lambda url=url: ready(url))  # type: ignore[misc]
        await centre.campaign("spring", leads=leads)
        await until(lambda: _dialed(centre, CALLS_BEFORE))
        server.kill()
        gone = time.time()
        role, dependency = SAYS[what]

        async def is_said() -> bool:
            return (await readiness(urls[role]))[dependency] != "ok"

        said_s = await until(is_said)
        while time.time() < gone + away_s:
            memory.look()
            await asyncio.sleep(1.0)
        server.start()
        back = time.time()
        await centre.engine.dispose()  # its connections are of before
        backlog_s = await pipeline.caught_up(within_s=max(CATCH_UP_S, away_s / CATCH_UP))
        calls = [invite.at for invite in centre.invites("engine")]
        meanwhile = [at for at in calls if gone + NOTICED_S < at < back]
        if what == "database":
            assert meanwhile == [], "without the database nobody is called"
        else:
            assert len(meanwhile) > away_s - NOTICED_S, "dialing goes on"

        async def done() -> bool:
            memory.look()
            return len({one.phone_e164 for one in await centre.attempts() if one.settled}) == leads

        await until(done, within_s=leads)
        await pipeline.caught_up()
        await end(*roles.values())
    await pipeline.whole()
    assert max(memory.growth_mb.values()) < GROWTH_MB, memory.growth_mb
    growth = ", ".join(f"{name} {grown:.0f} MB" for name, grown in memory.growth_mb.items())
    return (
        f"P12 {what} away {away_s:.0f} s: said after {said_s:.1f} s, what had waited was projected within "
        f"{backlog_s:.1f} s of its return; growth of memory: {growth}"
    )
