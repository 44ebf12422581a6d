"""Write leads to a workbook or CSV file with the columns of the lead screen (S0-17)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncEngine

from crm.leads import LeadFilter, LeadRow, list_leads
from crm.tables import new_table
from statuses.catalog import label

HEADINGS: Final = {
    "vi": (
        "Mã khách hàng", "Khách hàng", "Số điện thoại", "Trạng thái", "Trạng thái cuộc gọi", "Số cuộc gọi", "Bình luận",
        "Chiến dịch", "Danh sách", "Nhân viên", "Trạng thái trong chiến dịch",
    ),
    "en": (
        "Customer code", "Customer", "Phone number", "Status", "Call status", "Calls", "Comment",
        "Campaign", "List", "Agent", "State in the campaign",
    ),
}  # fmt: skip
_AT_ONCE: Final = 2_000


async def export_leads(
    engine: AsyncEngine,
    path: Path,
    wanted: LeadFilter,
    *,
    lang: Literal["vi", "en"] = "vi",
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write the leads by id, all or none of the file; return how many. Raises BadInput for a name it cannot write."""
    total = (await list_leads(engine, wanted, limit=1)).total
    written, after = 0, 0
    with new_table(path, HEADINGS[lang]) as add:
        while rows := (await list_leads(engine, replace(wanted, after_id=after), limit=_AT_ONCE)).rows:
            for row in rows:
                add(_line(row, lang))
            written, after = written + len(rows), rows[-1].lead_id
            if on_progress is not None:
                on_progress(written, total)
    return written


def _line(row: LeadRow, lang: Literal["vi", "en"]) -> tuple[str | int | None, ...]:
    words = (row.status_code, label(row.status, lang), row.calls, row.comment)
    return (row.code, row.name, row.phone, *words, row.campaign, row.list_name, row.agent, label(row.state, lang))
