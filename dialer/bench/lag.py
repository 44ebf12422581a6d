"""From a call's end in the outbox to its record in a query, while calls end at a steady rate (promises P9 and P13)."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import quantiles
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.clickhouse import Analytics
from cdr.encode import OutboxEvent
from cdr.events import EventType
from cdr.kafka_at import KafkaAt
from cdr.kafka_log import KafkaLog
from cdr.kafka_writer import KafkaWriter
from cdr.lanes import OutboxRow
from cdr.project import Rows
from cdr.projector import Projector
from cdr.relay import Relay
from dialer.bench.analytics import own_analytics
from dialer.bench.figures import Result, Step, at_most, plain
from dialer.bench.kafka import own_topic, sample
from dialer.bench.relay import outbox
from dialer.ports import EventLog
from store.lanes import SqlOutbox
from store.ledger import SqlOffsetLedger
from store.outbox import SqlOutboxLog, append

LAG_GOAL_S: Final = 2.0
INSERTS_GOAL: Final = 1.0
PARTS_GOAL: Final = 300
PARTITIONS: Final = 6
"""The setting's default."""
_EVENTS: Final = 50_000
_TICKS: Final = 10
"""Commits a second."""
_WATCHED: Final = 20
"""One call in so many is looked for."""
_LOOK_S: Final = 0.05
_PATIENCE_S: Final = 60.0
_FOUND: Final = "SELECT call_id FROM calls WHERE call_id IN {ids:Array(String)} LIMIT 100000"
_PARTS: Final = "SELECT count() FROM system.parts WHERE active AND database = currentDatabase()"


class _Head(msgspec.Struct):
    type: str
    call_id: str | None


class Counted:
    """The analytics, with a count of inserts by table."""

    def __init__(self, analytics: Analytics) -> None:
        self.inserts: Counter[str] = Counter()
        self._analytics = analytics

    async def insert(self, rows: Rows, *, token: str) -> None:
        """Insert and count."""
        self.inserts[rows.table] += bool(rows.count)
        await self._analytics.insert(rows, token=token)

    async def query(self, sql: str, parameters: dict[str, object]) -> Sequence[Sequence[Any]]:
        """Return the rows."""
        return await self._analytics.query(sql, parameters)


class Watch:
    """When the calls that are looked for were committed, and how long each took to be found."""

    def __init__(self) -> None:
        self.committed: dict[str, float] = {}
        self.lags_s: list[float] = []

    async def look(self, analytics: Analytics) -> None:
        """Look once for those that are not found yet."""
        rows = await analytics.query(_FOUND, {"ids": list(self.committed)}) if self.committed else []
        now = time.monotonic()
        self.lags_s += [now - self.committed.pop(str(call_id)) for (call_id,) in rows]


class Places(NamedTuple):
    """Addresses; empty ones stand for what is embedded."""

    kafka: str
    database_url: str
    clickhouse_url: str


class Run(NamedTuple):
    """What was seen; `inserts` are those while calls ended, which took `written_s`."""

    watch: Watch
    inserts: Counter[str]
    parts: int
    written_s: float


def bench_lag(*, kafka: str, database_url: str, clickhouse_url: str, rate: int, seconds: int, step: Step) -> Result:
    """End `rate` calls a second, with all their events; relay and projector work meanwhile in this process.

    Without addresses: an SQLite outbox straight into chDB, the embedded default. Raises Unreachable, BadInput or
    DialerError where that cannot be.
    """
    run = asyncio.run(_measured(Places(kafka, database_url, clickhouse_url), rate * seconds, seconds, step))
    lags = quantiles(run.watch.lags_s, n=100)
    return Result(
        "lag",
        {"rate": rate, "seconds": seconds},
        [
            at_most("a call's end to its record in a query, 99th percentile", lags[98], LAG_GOAL_S, "s"),
            plain("a call's end to its record in a query, median", lags[49], "s"),
            plain("calls a second", rate * seconds / run.written_s),
            at_most("inserts a second into the busiest table", max(run.inserts.values()) / run.written_s, INSERTS_GOAL),
            at_most("active parts of all tables at the end", run.parts, PARTS_GOAL),
        ],
    )


async def _measured(places: Places, calls: int, seconds: int, step: Step) -> Run:
    step("events are made")
    rows = await sample(_EVENTS)
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(outbox(places.database_url))
        analytics = await stack.enter_async_context(own_analytics(places.clickhouse_url))
        sink, watch = Counted(analytics), Watch()
        event_log = await stack.enter_async_context(_log(places.kafka, engine))
        projector = Projector(event_log, SqlOffsetLedger(engine), sink)
        work = [asyncio.create_task(projector.run()), asyncio.create_task(_look(watch, analytics))]
        if isinstance(event_log, KafkaLog):
            event_log.drain = projector.drain
            relay = Relay(SqlOutbox(engine), KafkaWriter(KafkaAt(places.kafka), event_log.topic), owner="bench")
            work.append(asyncio.create_task(relay.run(asyncio.Event())))
        try:
            step(f"calls end for {seconds} s")
            written_s = await _write(engine, _commits(rows, calls, seconds * _TICKS), watch)
            inserts = Counter(sink.inserts)
            step("the last ones are looked for")
            async with asyncio.timeout(_PATIENCE_S):
                while watch.committed:  # noqa: ASYNC110 -- it is asked what is found, nothing tells it
                    await asyncio.sleep(_LOOK_S)
            ((parts,),) = await analytics.query(_PARTS, {})
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
        return Run(watch, inserts, int(parts), written_s)


@asynccontextmanager
async def _log(kafka: str, engine: AsyncEngine) -> AsyncIterator[EventLog]:
    if not kafka:
        yield SqlOutboxLog(engine)
        return
    at = KafkaAt(kafka)
    async with own_topic(at, PARTITIONS) as topic:
        event_log = KafkaLog(at, topic, group=topic)
        await event_log.start()
        try:
            yield event_log
        finally:
            await event_log.close()


async def _look(watch: Watch, analytics: Analytics) -> None:
    while True:
        await watch.look(analytics)
        await asyncio.sleep(_LOOK_S)


async def _write(engine: AsyncEngine, commits: Iterator[list[OutboxEvent]], watch: Watch) -> float:
    """Commit at an even pace, and return how long it took; a late commit is not waited for by the next ones."""
    began, ends = time.monotonic(), 0
    for number, events in enumerate(commits, 1):
        async with engine.begin() as connection:
            await connection.run_sync(append, events, now=time.time())
        now = time.monotonic()
        for event in events:
            if event.type == EventType.CDR_FINALIZED:
                ends += 1
                if ends % _WATCHED == 0:
                    watch.committed[event.key] = now
        await asyncio.sleep(max(0.0, began + number / _TICKS - time.monotonic()))
    return time.monotonic() - began


def _commits(rows: Sequence[OutboxRow], calls: int, commits: int) -> Iterator[list[OutboxEvent]]:
    """Share the events of so many calls out evenly; those of a lap are calls of their own, keyed by their id."""
    made: list[OutboxEvent] = []
    ended, given = 0, 0
    while True:
        new: dict[str, str] = {}
        for row in rows:
            head = msgspec.json.decode(row.value, type=_Head)
            if head.call_id is None:
                continue
            call_id = new.setdefault(head.call_id, uuid.uuid4().hex)
            value = row.value.replace(head.call_id.encode(), call_id.encode())
            made.append(OutboxEvent(str(uuid.uuid4()), call_id, head.type, value))
            ended += head.type == EventType.CDR_FINALIZED
            if ended * commits >= calls * (given + 1):
                yield made
                made, given = [], given + 1
                if given == commits:
                    return
