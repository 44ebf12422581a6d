"""Processes over PostgreSQL, Kafka and ClickHouse: nothing is lost or doubled, whatever goes away (P1, P7, P12)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.dialer.centre import centre_at, end, until
from tests.dialer.pipeline import Pipeline, address, readiness, ready
from tests.dialer.process import run_in
from tests.plugins.kafka import KafkaServer

pytestmark = [
    pytest.mark.component("postgresql"),
    pytest.mark.component("kafka"),
    pytest.mark.component("clickhouse"),
    pytest.mark.timeout(400),
]


@pytest.fixture
async def pipeline(
    postgres_url: str, kafka: KafkaServer, kafka_topic: str, clickhouse_url: str, tmp_path: Path
) -> AsyncIterator[Pipeline]:
    async with centre_at(postgres_url, tmp_path) as centre:
        yield Pipeline(centre, kafka=kafka.bootstrap, topic=kafka_topic, clickhouse=clickhouse_url)


async def test_four_roles_bring_every_call_to_clickhouse_once(pipeline: Pipeline) -> None:
    await pipeline.centre.campaign("spring", leads=150)
    async with pipeline.roles() as roles:
        for role in ("relay", "projector", "second", "web"):
            url = await address(roles[role])
            await until(lambda url=url: ready(url))  # type: ignore[misc]

        async def done() -> bool:
            return len({one.phone_e164 for one in await pipeline.centre.attempts() if one.settled}) == 150

        await until(done)
        await pipeline.caught_up()
        await pipeline.centre.campaign("summer", leads=3, first=1_000)  # an import while every lock is held
        token = json.loads((pipeline.home / "secrets.json").read_text())["service"]
        async with httpx.AsyncClient(trust_env=False, headers={"Authorization": f"Bearer {token}"}) as http:
            answer = await http.get(f"{await address(roles['web'])}/api/cdr/count")
        assert answer.json() >= 150
        rebuilt = await pipeline.command("cdr", "rebuild", "--yes")
        assert rebuilt["before"] == rebuilt["after"], rebuilt
        await end(roles.pop("engine"))
        await pipeline.caught_up()
        await end(*roles.values())
    await pipeline.whole()


async def test_from_the_outbox_to_kafka_by_a_rebuild(pipeline: Pipeline) -> None:
    outbox = {"DIALER_KAFKA": ""}
    await pipeline.centre.campaign("spring", leads=30)
    async with (
        pipeline.centre.dialing("engine", **(pipeline.env | outbox)) as engine,
        pipeline.role("projector", **outbox) as projector,
    ):

        async def done() -> bool:
            return len({one.phone_e164 for one in await pipeline.centre.attempts() if one.settled}) == 30

        await until(done)
        await end(engine)
        await pipeline.caught_up()
        await end(projector)
    async with pipeline.role("relay") as relay, pipeline.role("projector") as projector:
        url = await address(projector)

        async def refused() -> bool:
            return "projected from the outbox" in (await readiness(url))["analytics"]

        await until(refused)
        assert (await pipeline.command("cdr", "verify"))["partitions"][0]["calls"] == 30, "nothing was touched"
        relayed = await address(relay)
        await until(lambda: ready(relayed))

        async def rebuilt() -> bool:
            code, out, err = await run_in(pipeline.env, pipeline.home, "cdr", "rebuild", "--yes")
            assert code == 0 or "Let the relay catch up" in err, err + out
            return code == 0

        await until(rebuilt)
        await until(lambda: ready(url))
        await pipeline.caught_up()
        await end(relay, projector)
    await pipeline.whole()
