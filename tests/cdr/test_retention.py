from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from cdr.clickhouse import Analytics
from cdr.encode import attempt_begun, attempt_settled
from cdr.memory import MemoryEventLog, MemoryOffsetLedger
from cdr.projector import PROJECTION, Projector
from cdr.queries import CdrFilter, CdrQueries
from cdr.retention import Retention, kept_days, whole_hours
from cdr.verify import Gap, OddCall, verify
from cdr.watch import Problem, Verifier
from dialer.errors import BadInput
from tests.cdr.conftest import OpenAnalytics
from tests.cdr.samples import CAMPAIGN, engaged, intent, talk

DAY_S = 86_400


async def ttl(analytics: Analytics, table: str) -> str:
    rows = await analytics.query("SELECT create_table_query FROM system.tables WHERE name = {t:String}", {"t": table})
    return next((line for line in str(rows[0][0]).split(" SETTINGS")[0].split(" TTL ")[1:]), "")


async def test_it_is_set_changed_left_and_taken_away(reopen: OpenAnalytics) -> None:
    for wanted, calls, events in (
        (Retention(), "", 0),
        (Retention(calls=730, events=90), "toDateTime(started_at) + toIntervalDay(730)", 90),
        (Retention(calls=60), "toDateTime(started_at) + toIntervalDay(60)", 60),
        (Retention(events=0), "toDateTime(started_at) + toIntervalDay(60)", 60),
        (Retention(calls=365, events=90), "toDateTime(started_at) + toIntervalDay(365)", 90),
        (Retention(), "toDateTime(started_at) + toIntervalDay(365)", 90),
        (Retention(calls=0, events=0), "", 0),
    ):
        analytics = await reopen(wanted)
        assert (await ttl(analytics, "calls"), await kept_days(analytics)) == (calls, events)
        await analytics.close()


async def test_it_is_not_set_again_when_nothing_has_changed(reopen: OpenAnalytics) -> None:
    mutations = "SELECT count() FROM system.mutations WHERE database = currentDatabase()"
    for _ in range(3):
        analytics = await reopen(Retention(calls=30, events=30))
        assert (await analytics.query(mutations, {}))[0][0] <= 2
        await analytics.close()


@pytest.mark.parametrize("days", [-1, 40_000])
async def test_a_number_that_is_no_retention_is_refused(reopen: OpenAnalytics, days: int) -> None:
    with pytest.raises(BadInput, match="give 1 to 36500, or 0 to keep calls for ever"):
        await reopen(Retention(calls=days))


def log_with_calls(at: float, numbers: range, log: MemoryEventLog) -> int:
    """Add whole calls of that time and return the last offset."""
    for number in numbers:
        made = intent(number, begun_at=at + number)
        events = [attempt_begun(made, CAMPAIGN), *attempt_settled(engaged(number, begun_at=at + number), CAMPAIGN)]
        log.extend((event.key, event.value) for event in events)
    return len(log._records[0])


async def test_what_is_older_goes_and_is_not_called_missing(reopen: OpenAnalytics) -> None:
    log, now = MemoryEventLog(), time.time()
    old = log_with_calls(now - 100 * DAY_S, range(1, 5), log)
    last = log_with_calls(now - DAY_S, range(5, 9), log)
    analytics = await reopen()
    await Projector(log, MemoryOffsetLedger(), analytics).run_once()
    await analytics.close()

    kept = await reopen(Retention(calls=30, events=30))
    for table in ("calls", "call_events"):
        await kept.command(f"OPTIMIZE TABLE {table} FINAL")
    assert await CdrQueries(kept).count(CdrFilter()) == 4
    (part,) = (await verify(kept, {0: last})).partitions
    assert (part.ok, part.after, part.records, part.calls) == (True, old, last - old, 4)
    await kept.command(f"ALTER TABLE call_events DELETE WHERE log_offset = {last - 1} SETTINGS mutations_sync = 1")
    (part,) = (await verify(kept, {0: last})).partitions
    assert part.gaps == (Gap(0, last - 1, last - 1),)
    await kept.close()


async def test_before_it_has_deleted_anything_all_that_is_young_is_looked_at(reopen: OpenAnalytics) -> None:
    log = MemoryEventLog()
    last = log_with_calls(time.time() - DAY_S, range(1, 5), log)
    analytics = await reopen(Retention(calls=30, events=30))
    await Projector(log, MemoryOffsetLedger(), analytics).run_once()
    await analytics.command("ALTER TABLE call_events DELETE WHERE log_offset = 7 SETTINGS mutations_sync = 1")
    (part,) = (await verify(analytics, {0: last})).partitions
    assert (part.after, part.gaps) == (0, (Gap(0, 7, 7),))
    await analytics.close()


def test_what_may_be_gone_is_a_day_more_than_the_retention_and_never_everything() -> None:
    assert [whole_hours(days) for days in (1, 2, 30)] == [12, 24, 696]


class World:
    """A log projected into tables with a retention, which is applied to the last row."""

    def __init__(self, analytics: Analytics) -> None:
        self.log, self.ledger, self.analytics = MemoryEventLog(), MemoryOffsetLedger(), analytics
        self.projector = Projector(self.log, self.ledger, analytics)
        self.verifier = Verifier(self.log, self.ledger, analytics)

    async def project(self) -> None:
        """Project, and delete what is too old."""
        await self.projector.run_once()
        for table in ("calls", "call_events"):
            await self.analytics.command(f"OPTIMIZE TABLE {table} FINAL")

    async def rows(self) -> Any:
        return (
            await self.analytics.query("SELECT (SELECT count() FROM calls), (SELECT count() FROM call_events)", {})
        )[0]

    async def found(self) -> set[Problem]:
        """Return what `dialer cdr verify` and a verifier's looks have to say."""
        (part,) = (await verify(self.analytics, {0: await self.ledger.position(PROJECTION, 0)})).partitions
        found: set[Problem] = {*part.gaps, *part.doubles, *part.odd_calls}
        for verifier in (self.verifier, Verifier(self.log, self.ledger, self.analytics)):
            for _ in range(3):
                await verifier.look()
                found.update(verifier.problems)
        return found


UNEQUAL = [
    Retention(calls=90, events=5),
    Retention(calls=5, events=90),
    Retention(calls=5, events=0),
    Retention(calls=0, events=5),
    Retention(calls=1, events=2),
]


@pytest.mark.parametrize("retention", UNEQUAL, ids=str)
async def test_a_retention_of_calls_and_another_of_events_raise_no_false_alarm(
    reopen: OpenAnalytics, retention: Retention
) -> None:
    world, now = World(await reopen(retention)), time.time()
    log_with_calls(now - 30 * DAY_S, range(1, 5), world.log)
    await world.project()
    assert min(await world.rows()) == 0
    assert await world.found() == set()  # everything is old: an idle partition
    last = log_with_calls(now - 3_600, range(5, 9), world.log)
    await world.project()
    assert await world.found() == set()
    await world.analytics.command(
        f"ALTER TABLE call_events DELETE WHERE log_offset = {last - 5} SETTINGS mutations_sync = 1"
    )
    await world.analytics.command("ALTER TABLE calls DELETE WHERE call_id = 'call-000008' SETTINGS mutations_sync = 1")
    assert await world.found() == {Gap(0, last - 5, last - 5), OddCall("call-000008", 1, 1, 1, 0)}


@pytest.mark.parametrize("retention", [Retention(calls=1), Retention(calls=5), Retention(calls=5, events=90)], ids=str)
async def test_a_call_that_began_before_the_limit_and_ended_after_it_is_not_odd(
    reopen: OpenAnalytics, retention: Retention
) -> None:
    world, now = World(await reopen(retention)), time.time()
    assert retention.calls is not None
    begun = now - retention.calls * DAY_S - 1_800
    made = talk(1, begun_at=begun)
    made = msgspec.structs.replace(made, ended_at=begun + 3_600)
    events = [attempt_begun(intent(1, begun_at=begun), CAMPAIGN), *attempt_settled(made, CAMPAIGN)]
    world.log.extend((event.key, event.value) for event in events)
    log_with_calls(now - 3_600, range(2, 4), world.log)
    await world.project()
    assert (await world.rows())[0] == 2
    assert await world.found() == set()


async def test_rows_that_are_deleted_out_of_their_order_are_no_gap(reopen: OpenAnalytics) -> None:
    world, now = World(await reopen(Retention(calls=5, events=5))), time.time()
    old = log_with_calls(now - 30 * DAY_S, range(1, 5), world.log)
    log_with_calls(now - 3_600, range(5, 9), world.log)
    await world.projector.run_once()
    await world.analytics.command(
        f"ALTER TABLE call_events DELETE WHERE log_offset BETWEEN 3 AND {old} SETTINGS mutations_sync = 1"
    )
    assert await world.found() == set()


async def test_what_comes_of_age_between_two_looks_is_not_missed(reopen: OpenAnalytics) -> None:
    world, now = World(await reopen(Retention(calls=5))), time.time()
    log_with_calls(now - 3_600, range(1, 3), world.log)
    await world.project()
    assert await world.found() == set()
    log_with_calls(now - 6 * DAY_S, range(3, 5), world.log)  # the outbox had to wait for so long
    await world.project()
    assert (await world.rows())[0] == 2
    assert await world.found() == set()
