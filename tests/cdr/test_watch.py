from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from cdr.clickhouse import Analytics
from cdr.clickhouse_errors import AnalyticsFailed
from cdr.encode import OutboxEvent
from cdr.memory import MemoryEventLog, MemoryOffsetLedger
from cdr.named import named
from cdr.project import project
from cdr.projector import PROJECTION, Projector
from cdr.verify import Double, Gap, OddCall
from cdr.watch import EVERY_S, Problem, Verifier
from tests.cdr.samples import life, phone

FLUSH_S = 1.0


class Shared(MemoryEventLog):
    """A log of two partitions, of which another process may read some."""

    def __init__(self) -> None:
        super().__init__(partitions=2)
        self.here = [0, 1]

    async def partitions(self) -> Sequence[int]:
        return self.here


class World:
    """A log, its projection, and the verifier that watches it."""

    def __init__(self, analytics: Analytics, **options: float) -> None:
        self.log, self.ledger, self.analytics = Shared(), MemoryOffsetLedger(), analytics
        self.projector = Projector(self.log, self.ledger, analytics)
        self.verifier = Verifier(self.log, self.ledger, analytics, **options)

    async def add(self, numbers: Iterable[int], *without: str) -> int:
        for number in numbers:
            await self.project(event for event in life(number) if event.type not in without)
        return len(self.log._records[0])

    async def project(self, events: Iterable[OutboxEvent]) -> None:
        self.log.extend((event.key, event.value) for event in events)
        await self.projector.run_once()

    async def looks(self, times: int) -> tuple[Problem, ...]:
        """Look, and return what is wrong as of the last look."""
        for _ in range(times):
            await self.verifier.look()
        return self.verifier.problems


@pytest.fixture
def world(analytics: Analytics) -> World:
    return World(analytics)


async def forget(analytics: Analytics, table: str, where: str) -> None:
    await analytics.command(f"ALTER TABLE {table} DELETE WHERE {where} SETTINGS mutations_sync = 1")


def actions(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.__dict__["action"] for record in caplog.records if record.name == "cdr.watch"]


def test_p11_two_looks_and_a_flush_fit_into_a_minute() -> None:
    assert 2 * EVERY_S + FLUSH_S < 60


async def test_as_long_as_all_is_well_it_says_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "cdr.watch"):
        for number in range(1, 6):
            await world.add([number])
            await world.verifier.look()
    assert (world.verifier.failure, world.verifier.problems, actions(caplog)) == (None, (), [])


@pytest.mark.parametrize("looks_before", [0, 1, 3])
async def test_a_gap_is_told_once_wherever_it_is(
    world: World, looks_before: int, caplog: pytest.LogCaptureFixture
) -> None:
    await world.add(range(1, 5))
    await world.looks(looks_before)
    last = await world.add(range(5, 9))
    await forget(world.analytics, "call_events", f"log_offset IN (5, 6, {last})")
    with caplog.at_level(logging.INFO, "cdr.watch"):
        await world.looks(3)
    assert {Gap(0, 5, 6), Gap(0, last, last)} <= set(world.verifier.problems)
    told = [record.__dict__ for record in caplog.records if record.__dict__.get("action") == "verify.gap"]
    assert [(one["partition"], one["first"], one["last"]) for one in told] == [(0, 5, 6), (0, last, last)]
    assert world.verifier.failure is not None
    assert "`dialer cdr verify` names them" in world.verifier.failure


async def test_a_double_is_told_though_its_range_was_looked_at_before(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.add(range(1, 5))
    await world.looks(2)
    await world.analytics.insert(project(world.log._records[0][3:5]).call_events, token="a second projector")
    with caplog.at_level(logging.INFO, "cdr.watch"):
        await world.looks(1)
    assert world.verifier.problems == (Double(0, 4), Double(0, 5))
    assert actions(caplog) == ["verify.double"] * 2


@pytest.mark.parametrize("looks_before", [0, 2])
async def test_a_missing_cdr_is_told_at_the_second_look(
    world: World, looks_before: int, caplog: pytest.LogCaptureFixture
) -> None:
    await world.add(range(1, 4))
    await world.looks(looks_before)
    await world.add([4], "cdr.finalized")
    with caplog.at_level(logging.INFO, "cdr.watch"):
        await world.looks(1)
        assert world.verifier.failure is None
        await world.looks(2)
    assert world.verifier.problems == (OddCall("call-000004", 1, 1, 0, 0),)
    assert actions(caplog) == ["verify.call"]
    assert phone(4)[1:] not in caplog.text


async def test_a_batch_that_ends_before_the_cdr_is_no_alarm(world: World) -> None:
    await world.looks(1)
    events = list(life(1))
    cut = next(place for place, event in enumerate(events) if event.type == "call.ended") + 1
    await world.project(events[:cut])
    await world.looks(1)
    await world.project(events[cut:])
    await world.looks(3)
    assert world.verifier.problems == ()


async def test_a_row_that_is_missing_among_the_new_is_told(world: World) -> None:
    await world.add(range(1, 4))
    await world.looks(1)
    await world.add([4, 5])
    await forget(world.analytics, "calls", "call_id = 'call-000005'")
    await world.looks(2)
    assert world.verifier.problems == (OddCall("call-000005", 1, 1, 1, 0),)


async def test_what_a_look_at_the_new_does_not_see_a_full_one_does(analytics: Analytics) -> None:
    world = World(analytics, every_s=1.0, full_every_s=4.0)
    await world.add(range(1, 4))
    await world.looks(1)
    await forget(analytics, "calls", "call_id = 'call-000002'")
    await world.looks(3)
    assert not world.verifier.problems
    await world.looks(2)
    assert world.verifier.problems == (OddCall("call-000002", 1, 1, 1, 0),)


async def test_when_it_is_whole_again_it_says_so(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await world.add(range(1, 4))
    await forget(world.analytics, "call_events", "log_offset = 5")
    await world.looks(1)
    assert world.verifier.problems == (Gap(0, 5, 5),)
    await world.analytics.insert(project(world.log._records[0][4:5]).call_events, token="mended")
    with caplog.at_level(logging.INFO, "cdr.watch"):
        await world.looks(1)
    assert world.verifier.failure is None
    assert actions(caplog) == ["verify.gap", "verify.whole"]


async def test_what_is_being_rebuilt_is_not_looked_at(world: World) -> None:
    await world.add(range(1, 4))
    await world.looks(1)
    await world.ledger.hold(PROJECTION, 0)
    await world.analytics.command("TRUNCATE TABLE call_events")
    await world.looks(2)
    assert world.verifier.problems == ()


async def test_it_looks_again_and_again_and_says_when_it_cannot(world: World) -> None:
    await world.add([1])
    running = asyncio.create_task(Verifier(world.log, world.ledger, world.analytics, every_s=0.01).run())
    await asyncio.sleep(0.2)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await world.analytics.command("DROP TABLE call_events SYNC")
    with pytest.raises(Exception, match="UNKNOWN_TABLE"):
        await world.verifier.look()
    assert world.verifier.failure == "the call records cannot be verified: DatabaseError"


async def test_what_is_wrong_with_a_partition_is_not_said_once_another_process_has_it(world: World) -> None:
    await world.add(range(1, 4))
    world.log.extend(((event.key, event.value) for event in life(9)), partition=1)
    await world.projector.run_once()
    await forget(world.analytics, "call_events", "log_offset = 2")
    assert await world.looks(1) == (Gap(0, 2, 2), Gap(1, 2, 2))
    world.log.here = [1]
    assert await world.looks(1) == (Gap(1, 2, 2),)
    world.log.here = []
    assert await world.looks(1) == ()
    assert world.verifier.failure is None


class Limited:
    """Analytics of which a server's limits allow no full look."""

    def __init__(self, of: Analytics, *, refusing: bool = True) -> None:
        self._of = of
        self.refusing = refusing
        self.full = 0

    async def query(self, sql: str, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        if sql == named("verify_calls"):
            self.full += 1
            if self.refusing:
                raise AnalyticsFailed("the memory is full")
        return await self._of.query(sql, parameters)


async def test_when_everything_cannot_be_read_what_is_new_is_and_it_is_said(
    analytics: Analytics, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(analytics, every_s=1.0, full_every_s=6.0)
    limited = Limited(analytics)
    world.verifier = Verifier(world.log, world.ledger, limited, every_s=1.0, full_every_s=6.0)
    await world.add(range(1, 4))
    with caplog.at_level(logging.INFO, "cdr.watch"):
        await world.looks(2)
    unread = (
        "only new call records are verified, reading all of partition {} failed: AnalyticsFailed: the memory is full"
    )
    assert world.verifier.failure == "; ".join(unread.format(number) for number in (0, 1))
    assert (actions(caplog), limited.full) == (["verify.unread"] * 2, 2)
    await world.add([4], "cdr.finalized")
    await world.looks(2)
    assert world.verifier.problems == (OddCall("call-000004", 1, 1, 0, 0),)
    await world.looks(2)
    assert limited.full == 2
    await world.looks(1)  # its turn
    assert (world.verifier.problems, limited.full) == ((OddCall("call-000004", 1, 1, 0, 0),), 4)
    limited.refusing = False
    await world.looks(6)
    assert world.verifier.failure == "1 gaps, doubles or missing CDRs; `dialer cdr verify` names them"
    await forget(analytics, "call_events", "log_offset = 5")
    assert Gap(0, 5, 5) in await world.looks(1)


async def test_what_a_full_look_found_stays_found_while_none_succeeds(analytics: Analytics) -> None:
    world = World(analytics)
    limited = Limited(analytics, refusing=False)
    world.verifier = Verifier(world.log, world.ledger, limited)
    await world.add(range(1, 4))
    await forget(analytics, "calls", "call_id = 'call-000002'")
    await world.looks(2)
    limited.refusing = True
    await world.looks(1)
    assert world.verifier.problems == (OddCall("call-000002", 1, 1, 1, 0),)
    await world.looks(3)
    assert world.verifier.problems == (OddCall("call-000002", 1, 1, 1, 0),)
