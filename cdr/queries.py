"""Typed access to the named queries (`cdr/sql/queries`): parameterised, bounded, always the latest version of a row."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from cdr.adhoc import ROWS, SECONDS, Table, ask
from cdr.aside import Source
from cdr.events import EventType, Ivr
from cdr.filters import END_OF_TIME_US, PAGE, CdrFilter, micros, where, whole_number, with_filter
from cdr.named import named
from cdr.parquet import write_parquet
from cdr.reports import ReportRow, report
from cdr.verify import Report, verify
from dialer.errors import BadInput

__all__ = ["LIMIT_MAX", "PAGE", "CallRow", "CallStep", "CdrFilter", "CdrQueries"]

LIMIT_MAX: Final = 10_000
TIMELINE_MAX: Final = 1_000
MISSED: Final = "missed"
"""A direction to filter by: calls of customers that nobody took (S2-3)."""
ANALYSTS: Final = 2
"""So many long questions and exports at a time; the next one waits."""


class CallRow(msgspec.Struct, frozen=True):
    """One call as people see it; times in UTC epoch seconds (None = did not happen), spans in seconds.

    Texts that are not known are empty. billsec (Đàm thoại) runs from the answer, duration (Thời lượng) from the start;
    `wait_s` from the answer to the agent; `ended_by` is Ngắt máy: remote, dialer or agent.
    """

    call_id: str
    version: int
    campaign_id: int
    campaign_name: str
    campaign_kind: str
    list_id: int
    lead_id: int
    customer_id: int
    phone_e164: str
    hotline: str
    trunk: str
    carrier: str
    app: str
    direction: str
    attempt_no: int
    started_at: float
    ringing_at: float | None
    early_media_at: float | None
    answered_at: float | None
    bridged_at: float | None
    ended_at: float
    duration_s: float
    billsec_s: float
    waitsec_s: float
    ring_s: float
    wait_s: float
    wrap_s: float
    agent_id: str
    extension: str
    sip_call_id: str
    status: str
    status_code: str
    rule_id: str
    attribution: str
    counts: bool
    sub_reason: str
    cancel_reason: str
    ended_by: str
    sip_status: int | None
    q850: int | None
    reason_text: str
    dialstatus: str
    fs_cause: str
    local_error: str
    amd_result: str
    announcement: str
    retry_reason: str
    next_at: float | None
    disposition: str
    note: str
    lead_trigger: str
    callback_at: float | None
    recording_url: str


class CallStep(msgspec.Struct, frozen=True):
    """One event of a call; `data` is its JSON."""

    type: str
    at: float
    seq: int
    data: str


class CdrQueries:
    """The questions that the console, the command line and reports ask."""

    def __init__(self, source: Source) -> None:
        self._reader = source
        self._source = source
        self._analysts = asyncio.Semaphore(ANALYSTS)

    async def history(self, phone: str, limit: int = PAGE, offset: int = 0) -> list[CallRow]:
        """List the calls of one number (E.164) over all campaigns, newest first (S0-21)."""
        page = {"limit": _limit(limit), "offset": whole_number("offset", offset)}
        return await self._calls("call_history_by_phone", {"phone": phone, **page})

    async def detail(self, call_id: str) -> CallRow | None:
        """Return one call with its latest version, None when it is not (yet) known (S0-23)."""
        found = await self._calls("call_detail", {"call_id": call_id})
        return found[0] if found else None

    async def timeline(self, call_id: str) -> list[CallStep]:
        """List what happened on one call, in order."""
        rows = await self._reader.query(named("call_timeline"), {"call_id": call_id, "limit": TIMELINE_MAX})
        return [CallStep(*row) for row in rows]

    async def keys(self, call_id: str) -> str:
        """Return the keys that were pressed in a call's script, in order; "" without any."""
        pressed = [step for step in await self.timeline(call_id) if step.type == EventType.IVR_DTMF]
        return "".join(msgspec.json.decode(step.data, type=Ivr).digit for step in pressed)

    async def search(self, wanted: CdrFilter) -> list[CallRow]:
        """List the calls that match, newest first, at most `wanted.limit` (1 to 10,000)."""
        page = {
            "limit": _limit(wanted.limit),
            "offset": whole_number("offset", wanted.offset),
            "before_us": micros(wanted.before_at, END_OF_TIME_US),
            "before_id": wanted.before_id or "",
        }
        return await self._calls("search", where(wanted) | page)

    async def count(self, wanted: CdrFilter) -> int:
        """Count the calls that match; paging does not matter."""
        rows = await self._reader.query(with_filter("count"), where(wanted))
        return int(rows[0][0])

    async def status_counts(self, campaign_id: int) -> dict[str, int]:
        """Count a campaign's calls by CallStatus value."""
        rows = await self._reader.query(named("campaign_totals"), {"campaign_id": campaign_id})
        return {status: int(calls) for status, calls in rows}

    async def lead_counts(self, campaign_id: int) -> dict[tuple[str, str], int]:
        """Count a campaign's leads by (LeadState value, last CallStatus value or "")."""
        rows = await self._reader.query(named("lead_counts"), {"campaign_id": campaign_id})
        return {(state, last_status): int(leads) for state, last_status, leads in rows}

    async def verify(self, positions: Mapping[int, int]) -> Report:
        """Say whether all records up to these confirmed positions (by partition) are there exactly once."""
        return await verify(self._reader, positions)

    async def report(self, wanted: CdrFilter, *, by: str, zone: str) -> list[ReportRow]:
        """Return the sums of the calls that match, by one of `cdr.reports.GROUPS`; days are those of `zone`."""
        return await report(self._reader, wanted, by=by, zone=zone)

    async def ask(self, sql: str, *, limit: int = ROWS, seconds: int = SECONDS) -> Table:
        """Answer an analyst's own SELECT (`cdr.adhoc.ask`); at most ANALYSTS of these and exports at a time."""
        async with self._analysts:
            return await ask(self._source, sql, limit=limit, seconds=seconds)

    async def write_parquet(self, path: Path, wanted: CdrFilter, *, rows: int | None, mask: bool) -> None:
        """Write the calls that match over a draft (`cdr.parquet.write_parquet`), with the fields of CallRow."""
        async with self._analysts:
            await write_parquet(self._source, path, wanted, CallRow.__struct_fields__, rows=rows, mask=mask)

    async def _calls(self, name: str, parameters: Mapping[str, Any]) -> list[CallRow]:
        return [CallRow(*row) for row in await self._reader.query(_select(name), parameters)]


@functools.cache
def _select(name: str) -> str:
    """Return a named query that reads whole calls."""
    return with_filter(name).replace("$call_row", ", ".join(map(_expression, CallRow.__struct_fields__)))


def _expression(field: str) -> str:
    """Say how a field of CallRow is read; without aliases, which would hide the columns from WHERE and ORDER BY."""
    if field.endswith("_at"):
        return f"toUnixTimestamp64Micro({field}) / 1e6"
    return f"{field.removesuffix('_s')}_ms / 1e3" if field.endswith("_s") else field


def _limit(limit: int) -> int:
    if not 1 <= limit <= LIMIT_MAX:
        raise BadInput(f"limit {limit}: ask for 1 to {LIMIT_MAX} calls at a time")
    return limit
