from __future__ import annotations

from cdr.clickhouse import Analytics
from cdr.fingerprint import fingerprint
from cdr.memory import MemoryOffsetLedger
from cdr.projector import Projector
from tests.cdr.conftest import OpenAnalytics
from tests.cdr.samples import log_of


async def fill(analytics: Analytics, batch_rows: int) -> None:
    projector = Projector(log_of(9), MemoryOffsetLedger(), analytics, batch_rows=batch_rows)
    while await projector.run_once():
        pass


async def test_neither_batches_nor_merges_change_it(analytics: Analytics) -> None:
    await fill(analytics, 7)
    first = await fingerprint(analytics)
    for table in ("calls", "lead_status", "call_events"):
        await analytics.command(f"OPTIMIZE TABLE {table} FINAL")
        assert await fingerprint(analytics) == first
    for table in ("calls", "lead_status", "call_events"):
        await analytics.command(f"TRUNCATE TABLE {table}")
    assert (await fingerprint(analytics)).rows == {"call_events": 0, "calls": 0, "lead_status": 0}
    await fill(analytics, 1_000)
    assert await fingerprint(analytics) == first
    assert first.rows == {"call_events": len(log_of(9)._records[0]), "calls": 9, "lead_status": 9}


async def test_a_single_value_changes_it(analytics: Analytics) -> None:
    await fill(analytics, 1_000)
    seen = {(await fingerprint(analytics)).hash}
    for change in (
        "ALTER TABLE calls UPDATE note = 'x' WHERE call_id = 'call-000003'",
        "ALTER TABLE calls UPDATE sip_status = NULL WHERE call_id = 'call-000002'",
        "ALTER TABLE lead_status UPDATE rule = 'x' WHERE lead_id = 4",
        "ALTER TABLE call_events DELETE WHERE log_offset = 5",
    ):
        await analytics.command(f"{change} SETTINGS mutations_sync = 1")
        seen.add((await fingerprint(analytics)).hash)
    assert len(seen) == 5


async def test_a_row_that_is_there_twice_changes_it(reopen: OpenAnalytics) -> None:
    analytics = await reopen()
    await fill(analytics, 1_000)
    before = await fingerprint(analytics)
    await analytics.command("INSERT INTO call_events SELECT * FROM call_events WHERE log_offset = 5")
    after = await fingerprint(analytics)
    assert after.rows["call_events"] == before.rows["call_events"] + 1
    assert after.hash != before.hash
    await analytics.close()
