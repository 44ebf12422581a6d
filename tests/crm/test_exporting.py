from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm import exporting
from crm.exporting import HEADINGS, export_leads
from crm.leads import LeadFilter
from dialer.errors import BadInput
from statuses.catalog import label
from statuses.outcomes import CallStatus
from tests.crm.test_importing import read_table
from tests.crm.worlds import add, campaign, change_lead, e164, number


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
async def test_leads_are_written_with_the_columns_of_the_screen(
    sqlite: AsyncEngine, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_AT_ONCE", 2)
    await campaign(sqlite)
    await add(sqlite, tmp_path, [["=1+1", number(1), ""], ["An", number(2), ""], ["Chi", number(3), ""]])
    await change_lead(sqlite, 2, last_status="busy", agent_name="@agent")
    told: list[tuple[int, int]] = []
    path = tmp_path / f"out.{suffix}"
    done = await export_leads(sqlite, path, LeadFilter(), on_progress=lambda n, of: told.append((n, of)))
    assert (done, told) == (3, [(2, 3), (3, 3)])
    table = read_table(path)
    quote = "'" if suffix == "csv" else ""
    assert tuple(table[0]) == HEADINGS["vi"]
    assert table[1][:3] == ["KH000001", f"{quote}=1+1", quote + e164(1)]
    busy = label(CallStatus.BUSY, "vi")
    assert table[2][3:10] == ["B1", busy, "0", "", "Tết", "leads", f"{quote}@agent"]
    assert len(table) == 4


async def test_filters_and_english(sqlite: AsyncEngine, tmp_path: Path) -> None:
    await campaign(sqlite)
    await add(sqlite, tmp_path, [["An", number(1), ""], ["Chi", number(2), ""]])
    await change_lead(sqlite, 2, last_status="busy")
    path = tmp_path / "out.csv"
    assert await export_leads(sqlite, path, LeadFilter(statuses=frozenset({"busy"})), lang="en") == 1
    assert read_table(path)[1][1:5] == ["Chi", "'" + e164(2), "B1", "Busy"]
    with pytest.raises(BadInput, match=r"\.xlsx or \.csv"):
        await export_leads(sqlite, tmp_path / "out.txt", LeadFilter())
