"""P3: without the token, the durable range or the fence the verifier finds what they prevent; with all, nothing."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from cdr.clickhouse import Analytics
from cdr.memory import MemoryEventLog, MemoryOffsetLedger
from cdr.project import Rows
from cdr.projector import POINTS, PROJECTION, Projector
from cdr.verify import PartitionReport, verify
from dialer.ports import OffsetRange
from tests.cdr.samples import life

CALLS = 16
SEEDS = range(2)


class Crash(Exception):
    """The process dies here."""


class WithoutToken:
    """Analytics that are told another token each time."""

    def __init__(self, real: Analytics) -> None:
        self._real = real

    async def insert(self, rows: Rows, *, token: str) -> None:
        await self._real.insert(rows, token=secrets.token_hex(8))

    async def query(self, sql: str, parameters: dict[str, object]) -> object:
        return await self._real.query(sql, parameters)


class WithoutRange(MemoryOffsetLedger):
    """A ledger that remembers positions but no range: after a crash the boundaries fall anew."""

    async def begin(self, projection: str, span: OffsetRange) -> None:
        return

    async def confirm(self, projection: str, span: OffsetRange) -> None:
        self._positions[projection, span.partition] = span.last


class WithoutFence(MemoryOffsetLedger):
    """A ledger that writes what it is told, whoever was there meanwhile."""

    async def begin(self, projection: str, span: OffsetRange) -> None:
        self._pending[projection, span.partition] = span

    async def confirm(self, projection: str, span: OffsetRange) -> None:
        self._pending.pop((projection, span.partition), None)
        self._positions[projection, span.partition] = span.last


@dataclass
class Story:
    """A log that grows while projectors come, crash at random points and go; the seed is the reproduction."""

    seed: int
    ledger: MemoryOffsetLedger
    sink: Callable[[Analytics], object]

    async def crashes(self, analytics: Analytics) -> PartitionReport:
        """One projector at a time, each killed at a random point."""
        chance, log = random.Random(self.seed), MemoryEventLog()
        for number in range(1, CALLS + 1):
            log.extend((event.key, event.value) for event in life(number))
            point = chance.choice([*POINTS, "none"])

            def fault(passed: str, at: str = point) -> None:
                if passed == at:
                    raise Crash

            projector = self._projector(log, analytics, chance, fault)
            try:
                await projector.run_once()
            except Crash:
                continue
        return await self._end(log, analytics)

    async def two(self, analytics: Analytics) -> PartitionReport:
        """Two projectors on one partition: one is paused between reading and beginning while the other goes on."""
        chance, log = random.Random(self.seed), MemoryEventLog()
        for number in range(1, CALLS + 1):
            log.extend((event.key, event.value) for event in life(number))
            paused = self._projector(log, analytics, chance)
            position = await self.ledger.position(PROJECTION, 0)
            records = await log.read(0, after=position, limit=chance.randint(1, 20))
            await self._projector(log, analytics, chance).run_once()
            paused._log = _Read(log, list(records))  # type: ignore[assignment]  # it goes on with what it had read
            paused._ledger = _Stale(self.ledger, position)  # type: ignore[assignment]  # and with the position of then
            await paused.run_once()
        return await self._end(log, analytics)

    def _projector(
        self,
        log: MemoryEventLog,
        analytics: Analytics,
        chance: random.Random,
        fault: Callable[[str], None] | None = None,
    ) -> Projector:
        sink = self.sink(analytics)
        return Projector(log, self.ledger, sink, batch_rows=chance.randint(5, 30), fault=fault)  # type: ignore[arg-type]

    async def _end(self, log: MemoryEventLog, analytics: Analytics) -> PartitionReport:
        last = Projector(log, self.ledger, self.sink(analytics))  # type: ignore[arg-type]
        while await last.run_once():
            pass
        (part,) = (await verify(analytics, {0: len(log._records[0])})).partitions
        return part


class _Read:
    """What a paused projector had read."""

    topic = "cdr.events"

    def __init__(self, log: MemoryEventLog, records: list[object]) -> None:
        self._log, self._records = log, records

    async def partitions(self) -> range:
        return range(1)

    async def read(self, partition: int, *, after: int, limit: int, until: int | None = None) -> object:
        if until is not None:
            return await self._log.read(partition, after=after, limit=limit, until=until)
        return self._records


class _Stale:
    """The ledger as a paused projector saw it; it writes to the real one."""

    def __init__(self, real: MemoryOffsetLedger, position: int) -> None:
        self._position = position
        self.begin, self.confirm = real.begin, real.confirm

    async def position(self, _projection: str, _partition: int) -> int:
        return self._position

    async def pending(self, _projection: str, _partition: int) -> None:
        return None


def same(analytics: Analytics) -> Analytics:
    return analytics


@pytest.mark.parametrize("seed", SEEDS)
async def test_p3_with_every_safeguard_nothing_is_missing_or_doubled(analytics: Analytics, seed: int) -> None:
    part = await Story(seed, MemoryOffsetLedger(), same).crashes(analytics)
    assert (part.ok, part.calls) == (True, CALLS)


@pytest.mark.parametrize("seed", SEEDS)
async def test_p3_two_projectors_on_a_partition_do_no_harm(analytics: Analytics, seed: int) -> None:
    part = await Story(seed, MemoryOffsetLedger(), same).two(analytics)
    assert (part.ok, part.calls) == (True, CALLS)


async def test_p3_without_the_token_there_are_doubles(analytics: Analytics) -> None:
    part = await Story(0, MemoryOffsetLedger(), WithoutToken).crashes(analytics)
    assert part.doubles


async def test_p3_without_the_durable_range_there_are_doubles_or_gaps(analytics: Analytics) -> None:
    part = await Story(0, WithoutRange(), same).crashes(analytics)
    assert part.doubles or part.gaps


async def test_p3_without_the_fence_there_are_doubles_or_gaps(analytics: Analytics) -> None:
    part = await Story(0, WithoutFence(), same).two(analytics)
    assert part.doubles or part.gaps
