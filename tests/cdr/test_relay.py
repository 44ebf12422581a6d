"""The relay on a real broker and real databases: everything once, in order, whatever dies."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from cdr.encode import OutboxEvent
from cdr.kafka_at import KafkaAt
from cdr.kafka_writer import KafkaWriter
from cdr.lanes import Lane
from cdr.relay import POINTS, WAITING_ROWS, OutboxBroken, partition_of
from dialer.errors import BadInput, Unreachable
from store.lanes import SqlOutbox
from store.open import open_database
from tests.cdr.relay_world import Crash, World, crash_at, open_world, relay_all, until
from tests.plugins.kafka import KafkaServer

ROOT = Path(__file__).resolve().parents[2]
SMALL: dict[str, Any] = {"batch_bytes": 6_000, "read_rows": 40}
"""Many rounds for few records."""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.component("postgresql"))])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'dialer.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def world(database_url: str, kafka: KafkaServer, kafka_topic: str) -> AsyncIterator[World]:
    made = await open_world(database_url, kafka.bootstrap, kafka_topic)
    yield made
    await made.engine.dispose()


async def crashed(world: World, point: str, occurrence: int, **more: Any) -> None:
    relay = world.relay("crashed", fault=crash_at(point, occurrence), **SMALL, **more)
    with pytest.raises(Crash):
        await relay.run(asyncio.Event())
    await relay._writer.close()  # a process that dies hangs up


async def test_everything_arrives_once_in_order_and_unchanged(world: World) -> None:
    await world.write_calls(range(1, 60))
    relay = world.relay()
    assert await relay_all(relay) == len(world.written)
    found = await world.check()
    assert {one.partition for one in found} == {partition_of(one.key, 4) for one in found} == {0, 1, 2, 3}
    await world.write_calls(range(60, 70))
    assert await relay_all(world.relay("b")) > 0
    await world.check()
    assert (relay.failure, relay.lag_s(0)) == (None, 0.0)


CRASHES = [(point, occurrence) for point in POINTS for occurrence in (1, 2)]
CRASHES.remove(("batch.marked", 2))  # it is passed once: when everything is sent


@pytest.mark.parametrize(("point", "occurrence"), CRASHES)
async def test_a_crash_at_a_named_point_loses_and_doubles_nothing(world: World, point: str, occurrence: int) -> None:
    await world.write_calls(range(1, 40))
    await crashed(world, point, occurrence, lease_s=0.0 if point == "lanes.claimed" else 10.0)
    await world.write_calls(range(40, 50))
    later = time.time() + 60
    await relay_all(world.relay("next", clock=lambda: later, **SMALL))
    await world.check()


class Forgetful(SqlOutbox):
    """The switched-off guard: batches are sent without being durable first."""

    async def mark(self, owner: str, topic: str, lanes: Sequence[Lane]) -> frozenset[int]:
        return await super().mark(owner, topic, [msgspec.structs.replace(lane, batch=None) for lane in lanes])


async def test_without_durable_batches_the_same_crash_doubles_records(world: World) -> None:
    await world.write_calls(range(1, 40))
    await crashed(world, "batch.sent", 2, outbox=Forgetful(world.engine))
    later = time.time() + 60
    await relay_all(world.relay("next", clock=lambda: later, outbox=Forgetful(world.engine)))
    counts = Counter(one.event_id for one in await world.read())
    assert max(counts.values()) > 1


async def test_the_next_relay_finds_a_batch_whose_producer_the_broker_has_forgotten(world: World) -> None:
    await world.write_calls(range(1, 40))
    await crashed(world, "batch.sent", 2)
    async with world.engine.begin() as connection:
        await connection.execute(text("UPDATE relay_lanes SET producer_id = producer_id + 100000"))
    later = time.time() + 60
    await relay_all(world.relay("next", clock=lambda: later, **SMALL))
    await world.check()


async def test_a_producer_that_the_broker_knows_otherwise_gets_another_name(world: World) -> None:
    await world.write_calls(range(1, 40))
    await crashed(world, "batch.begun", 3)
    async with world.engine.begin() as connection:
        await connection.execute(text("UPDATE relay_lanes SET sequence = sequence + 7"))
    later = time.time() + 60
    await relay_all(world.relay("next", clock=lambda: later, **SMALL))
    await world.check()


async def test_a_relay_that_wakes_up_after_its_lanes_were_taken_doubles_nothing(world: World) -> None:
    class Sleepy(KafkaWriter):
        gate = asyncio.Event()

        async def send(self, batches: Any, *, until: float) -> Any:
            await self.gate.wait()
            return await super().send(batches, until=until)

    await world.write_calls(range(1, 40))
    sleeper = world.relay("sleeper", writer=Sleepy(world.kafka, world.topic), **SMALL)
    asleep = asyncio.create_task(sleeper.run_once())
    await asyncio.sleep(0.5)
    later = time.time() + 60
    await relay_all(world.relay("next", clock=lambda: later, **SMALL))
    Sleepy.gate.set()
    await asleep
    assert await relay_all(sleeper) == 0
    await world.check()


async def test_two_relays_share_the_lanes_and_one_follows_the_other(world: World) -> None:
    stop = asyncio.Event()
    first, second = (world.relay(name, lease_s=0.6, **SMALL) for name in ("first", "second"))
    running = [asyncio.create_task(one.run(stop)) for one in (first, second)]
    await until(lambda: len(first._ways) == len(second._ways) == 2)
    for base in range(1, 60, 10):
        await world.write_calls(range(base, base + 10))
    await until(lambda: first.sent + second.sent == len(world.written))
    assert min(first.sent, second.sent) > 0
    running[0].cancel()  # it dies with its lanes
    await asyncio.wait(running[:1])
    await first._writer.close()
    await world.write_calls(range(61, 80))
    await until(lambda: first.sent + second.sent == len(world.written))
    stop.set()
    await running[1]
    await world.check()


async def test_a_broker_that_goes_away_under_load_is_waited_for(world: World, kafka: KafkaServer) -> None:
    stop = asyncio.Event()
    relay = world.relay(lease_s=2.0, send_s=2.0, **SMALL)
    running = asyncio.create_task(relay.run(stop))
    await world.write_calls(range(1, 30))
    await until(lambda: relay.sent > 0)
    await asyncio.to_thread(kafka.kill)
    for base in range(30, 150, 10):
        await world.write_calls(range(base, base + 10))
    await until(lambda: relay.failure is not None)
    assert re.search("does not answer|has not confirmed", str(relay.failure))
    assert relay.lag_s(time.time()) > 0
    assert all(len(way.waiting) <= WAITING_ROWS + SMALL["read_rows"] for way in relay._ways.values())
    await asyncio.to_thread(kafka.start)
    await world.write_calls(range(150, 170))
    await until(lambda: relay.sent == len(world.written) and relay.failure is None, seconds=60)
    stop.set()
    await running
    await world.check()


async def relay_until(url: str, bootstrap: str, topic: str, point: str) -> None:
    """Relay until the point is passed; the parent kills this process then."""
    world = World(open_database(url), KafkaAt(bootstrap), topic)

    def fault(name: str) -> None:
        if name == point:
            os.write(1, b"passed\n")

    relay = world.relay("child", fault=fault, **SMALL)
    while True:
        await relay.run_once()


def freeze_and_kill(arguments: Sequence[str], kafka: KafkaServer) -> None:
    environment = os.environ | {"PYTHONASYNCIODEBUG": "0"}
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        child.stdout.readline()
        kafka.pause()
        time.sleep(1.0)
        child.send_signal(signal.SIGKILL)
        child.wait(10)


async def test_a_batch_on_its_way_into_a_frozen_broker_is_not_doubled(world: World, kafka: KafkaServer) -> None:
    """The relay is killed when its bytes are in the broker's hands and nobody knows; the next one sends them again."""
    await world.write_calls(range(1, 40))
    code = "import asyncio, sys\nfrom tests.cdr.test_relay import relay_until\nasyncio.run(relay_until(*sys.argv[1:]))"
    url = world.engine.url.render_as_string(hide_password=False)
    arguments = [sys.executable, "-c", code, url, kafka.bootstrap, world.topic, "lanes.claimed"]
    await asyncio.to_thread(freeze_and_kill, arguments, kafka)
    async with world.engine.connect() as connection:
        begun = await connection.execute(text("SELECT count(*) FROM relay_lanes WHERE batch_last IS NOT NULL"))
    assert begun.scalar_one() > 0
    kafka.resume()
    later = time.time() + 60
    await relay_all(world.relay("next", clock=lambda: later, **SMALL))
    await world.check()


async def test_ten_megabytes_pass_and_what_is_too_large_is_named(world: World) -> None:
    await world.write([OutboxEvent("big", "1", "call.ended", b"x" * 10_000_000)])
    await relay_all(world.relay())
    await world.check()
    await world.write([OutboxEvent("monster", "2", "call.ended", b"x" * 17_000_000)])
    relay = world.relay()
    with pytest.raises(OutboxBroken, match=r"row 2 is larger.*max\.message\.bytes"):
        await relay.run_once()
    assert relay.failure is not None
    assert "row 2" in relay.failure
    await relay._writer.close()


async def test_another_number_of_partitions_is_refused(world: World) -> None:
    await world.write_calls([1])
    await world.outbox.claim("old", world.topic, 3, now=0.0, ttl_s=1.0)
    relay = world.relay()
    with pytest.raises(BadInput, match=r"has 4 partitions, the relay knows it with 3"):
        await relay.run_once()
    await relay._writer.close()


async def test_rows_that_were_to_be_sent_and_are_gone_stop_the_line(world: World) -> None:
    await world.write_calls(range(1, 40))
    await crashed(world, "batch.begun", 1)
    async with world.engine.begin() as connection:
        await connection.execute(text("DELETE FROM outbox WHERE key = '1'"))
    later = time.time() + 60
    relay = world.relay("next", clock=lambda: later, **SMALL)
    with pytest.raises(OutboxBroken, match="restore the database"):
        await relay.run_once()
    await relay._writer.close()


async def test_no_broker_is_a_sentence(tmp_path: Path, database_url: str) -> None:
    world = World(open_database(database_url), KafkaAt("127.0.0.1:1", timeout_s=1.0), "nowhere")
    relay = world.relay()
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1 does not answer"):
        await relay.run_once()
    await world.engine.dispose()
