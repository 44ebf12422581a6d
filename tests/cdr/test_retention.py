from __future__ import annotations

import time

import pytest

from cdr.clickhouse import Analytics
from cdr.encode import attempt_begun, attempt_settled
from cdr.memory import MemoryEventLog, MemoryOffsetLedger
from cdr.projector import Projector
from cdr.queries import CdrFilter, CdrQueries
from cdr.retention import Retention, kept_days
from cdr.verify import Gap, verify
from dialer.errors import BadInput
from tests.cdr.conftest import OpenAnalytics
from tests.cdr.samples import CAMPAIGN, engaged, intent

DAY_S = 86_400


async def ttl(analytics: Analytics, table: str) -> str:
    rows = await analytics.query("SELECT create_table_query FROM system.tables WHERE name = {t:String}", {"t": table})
    return next((line for line in str(rows[0][0]).split(" SETTINGS")[0].split(" TTL ")[1:]), "")


async def test_it_is_set_changed_left_and_taken_away(reopen: OpenAnalytics) -> None:
    for wanted, calls, events in (
        (Retention(), "", 0),
        (Retention(calls=730, events=90), "toDateTime(started_at) + toIntervalDay(730)", 90),
        (Retention(calls=365), "toDateTime(started_at) + toIntervalDay(365)", 90),
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
