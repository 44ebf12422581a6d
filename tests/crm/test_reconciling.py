from __future__ import annotations

from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from crm.reconciling import release_reconciled
from tests.crm.worlds import NOW, campaign, campaign_row, change_lead, lead, moves, people


async def test_a_person_releases_leads_of_unknown_outcome(engine: AsyncEngine, tmp_path: Path) -> None:
    mine = await campaign(engine)
    new, failed, paused, fine = await people(engine, tmp_path, 4)
    doubt = {"error_kind": "reconcile", "reconcile": True}
    await change_lead(engine, new, **doubt)
    await change_lead(engine, failed, state="call_error", **doubt)
    await change_lead(engine, paused, state="paused", remembered="called_no_success", **doubt)
    before = await campaign_row(engine)
    assert await release_reconciled(engine, mine, now=NOW) == 3
    assert await release_reconciled(engine, mine, now=NOW) == 0
    rows = [await lead(engine, one) for one in (new, failed, paused, fine)]
    assert [(row.state, row.error_kind, row.reconcile) for row in rows] == [
        ("not_called", None, False),
        ("call_error", "hotline", False),
        ("paused", None, False),
        ("not_called", None, False),
    ]
    assert [row.due_at for row in rows] == [0, NOW, None, 0]
    assert rows[2].remembered == "called_no_success"
    assert (await campaign_row(engine)).revision > before.revision
    assert [(event.lead_id, data.rule) for event, data in (await moves(engine))[4:]] == [
        (new, "T26"), (failed, "T26"), (paused, "T26"),
    ]  # fmt: skip


async def test_other_campaigns_stay_as_they_are(sqlite: AsyncEngine, tmp_path: Path) -> None:
    await campaign(sqlite)
    other = await campaign(sqlite, "Hè")
    (only,) = await people(sqlite, tmp_path, 1)
    await change_lead(sqlite, only, reconcile=True, error_kind="reconcile")
    assert await release_reconciled(sqlite, other, now=NOW) == 0
    assert (await lead(sqlite, only)).reconcile
