"""The projector as a part of a process: it does not begin before it may, and says why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from cdr.memory import MemoryEventLog, MemoryOffsetLedger
from cdr.project import Rows
from cdr.projector import Projector
from dialer import metrics
from dialer.errors import DialerError
from dialer.service import projection
from dialer.service.lifecycle import run_services
from dialer.service.projection import ProjectorPart
from tests.cdr.relay_world import until
from tests.cdr.samples import START, life


class Tables:
    """What was inserted."""

    def __init__(self) -> None:
        self.rows = 0

    async def insert(self, rows: Rows, *, token: str) -> None:
        assert token
        self.rows += rows.count

    async def query(self, sql: str, parameters: dict[str, object]) -> Sequence[Sequence[object]]:
        raise AssertionError(sql, parameters)


@asynccontextmanager
async def running(part: ProjectorPart) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(run_services(part.services(), stop))
    try:
        yield
    finally:
        stop.set()
        await task


@pytest.fixture
def log() -> MemoryEventLog:
    made = MemoryEventLog()
    made.extend((event.key, event.value) for event in life(1))
    return made


async def test_what_forbids_it_is_told_and_tried_again(log: MemoryEventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "PAUSE_S", (0.01, 0.02))
    tables, forbidden = Tables(), True

    async def prepare() -> None:
        if forbidden:
            raise DialerError("these are not the tables of that log")

    part = ProjectorPart(Projector(log, MemoryOffsetLedger(), tables), lambda: START, drain_s=1, prepare=prepare)
    async with running(part):
        await until(lambda: part.health() == {"analytics": "these are not the tables of that log"})
        assert await part.drain() == 0
        assert (tables.rows, list(part.samples())) == (0, [])
        forbidden = False
        await until(lambda: part.health() == {"analytics": "ok"} and tables.rows > 0)
        await until(lambda: list(part.samples()) == [metrics.Sample(metrics.LAG, 0.0, ("projector",))])


async def test_a_drain_projects_what_came_last(log: MemoryEventLog) -> None:
    tables, ledger = Tables(), MemoryOffsetLedger()
    part = ProjectorPart(Projector(log, ledger, tables, flush_s=3600), lambda: START, drain_s=1)
    async with running(part):
        await until(lambda: tables.rows > 0)
        log.extend((event.key, event.value) for event in life(2))
        await part.drain()
        assert await ledger.position("clickhouse", 0) == len(await log.read(0, after=0, limit=100))


async def test_a_process_that_may_not_project_says_so(log: MemoryEventLog) -> None:
    async def never(_work: object) -> None:
        await asyncio.Event().wait()

    part = ProjectorPart(Projector(log, MemoryOffsetLedger(), Tables()), lambda: START, drain_s=1, alone=never)
    async with running(part):
        await asyncio.sleep(0.05)
        assert "another process projects" in part.health()["analytics"]
        assert await part.drain() == 0


async def test_a_failure_is_told_once_and_tried_again(
    log: MemoryEventLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(projection, "PAUSE_S", (0.01, 0.02))

    class Shaky(Tables):
        tries = 0

        async def insert(self, rows: Rows, *, token: str) -> None:
            self.tries += 1
            if self.tries < 5:
                raise DialerError("the disk is full")
            await super().insert(rows, token=token)

    tables = Shaky()
    part = ProjectorPart(Projector(log, MemoryOffsetLedger(), tables), lambda: START, drain_s=1)
    async with running(part):
        await until(lambda: part.health() == {"analytics": "ok"} and tables.rows > 0)
    told = [record for record in caplog.records if getattr(record, "action", "") == "projector.failed"]
    assert len(told) == 1
    assert "the disk is full" in told[0].__dict__["reason"]


async def test_a_drain_ends_although_nothing_can_be_projected(log: MemoryEventLog) -> None:
    class Away(Tables):
        async def insert(self, rows: Rows, *, token: str) -> None:
            raise DialerError("ClickHouse does not answer")

    part = ProjectorPart(Projector(log, MemoryOffsetLedger(), Away()), lambda: START, drain_s=1)
    async with running(part):
        await until(lambda: "does not answer" in part.health()["analytics"])
        assert await part.drain() == 0
