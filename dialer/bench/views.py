"""What the views cost: one lead's status and a campaign's funnel, beside bare look-ups in one run (promise P14)."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from cdr.clickhouse import Analytics, open_chdb
from dialer.bench.figures import Figure, Result, Step, at_most, plain

LEAD_GOAL_MS: Final = 20.0
FUNNEL_GOAL_MS: Final = 150.0
_STRIDE: Final = 7_919
"""Questions go through the leads in jumps, so that no two meet the same granule in a row."""
_WARM_UP: Final = 5
_INSERT: Final = """
INSERT INTO lead_status (campaign_id, lead_id, version, tenant_id, list_id, customer_id, phone_e164, state, state_from,
    rule, trigger, attempts, dialed, last_status, changed_at, log_partition, log_offset)
SELECT 1 + intDiv(number, {per_campaign:UInt64}), 1 + number, {version:UInt64}, 'default', 1, 1 + number,
    concat('+8450', leftPad(toString(number % 10000000), 7, '0')),
    ['not_called', 'in_progress', 'called_no_success', 'success', 'callback'][
        1 + cityHash64(number, {version:UInt64}) % 5],
    'not_called', 'T5', 'picked', {version:UInt64}, {version:UInt64},
    ['', 'busy', 'no-answered', 'answered'][1 + cityHash64(number, {version:UInt64}, 2) % 4],
    toDateTime64(1790000000 + {version:UInt64}, 6, 'UTC'), 0, number * {versions:UInt64} + {version:UInt64}
FROM numbers({leads:UInt64})
"""
_QUESTIONS: Final = {
    "one lead's status": """SELECT state, last_status, next_at FROM v_lead_status
        WHERE campaign_id = {campaign_id:UInt64} AND lead_id = {lead_id:UInt64}""",
    "a bare look-up of one lead": """SELECT state, last_status, next_at FROM lead_status
        WHERE campaign_id = {campaign_id:UInt64} AND lead_id = {lead_id:UInt64} ORDER BY version DESC LIMIT 1""",
    "funnel of a campaign": """SELECT state, last_status, sum(leads) FROM v_lead_funnel
        WHERE campaign_id = {campaign_id:UInt64} GROUP BY state, last_status""",
    "a bare count of its rows": """SELECT count() FROM lead_status
        WHERE campaign_id = {campaign_id:UInt64} AND dialed > 0""",
}
_GOALS: Final = {"one lead's status": (99, LEAD_GOAL_MS), "funnel of a campaign": (95, FUNNEL_GOAL_MS)}
_PERCENTILES: Final = (50, 95, 99)


class Sizes(NamedTuple):
    """How much there is to look through."""

    leads: int
    per_campaign: int
    versions: int


def bench_views(*, leads: int, per_campaign: int, versions: int, questions: int, step: Step) -> Result:
    """Fill the lead table, unmerged, and ask each question so often, in turn; times in milliseconds."""
    sizes = Sizes(leads, per_campaign, versions)
    with TemporaryDirectory(prefix="dialer-bench-") as folder:
        times = asyncio.run(_measure(Path(folder), sizes, questions, step))
    figures = [figure for name, spent in times.items() for figure in _figures(name, spent)]
    return Result("views", sizes._asdict() | {"questions": questions}, figures)


async def _measure(folder: Path, sizes: Sizes, questions: int, step: Step) -> dict[str, list[float]]:
    analytics = await open_chdb(folder / "analytics")
    try:
        await analytics.command("SYSTEM STOP MERGES lead_status")
        for version in range(1, sizes.versions + 1):
            step(f"{sizes.leads:,} leads, version {version} of {sizes.versions}")
            await analytics.query(_INSERT, sizes._asdict() | {"version": version})
        return await _ask_all(analytics, sizes, questions, step)
    finally:
        await analytics.close()


async def _ask_all(analytics: Analytics, sizes: Sizes, questions: int, step: Step) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in _QUESTIONS}
    for number in range(questions + _WARM_UP):
        step(f"question {number + 1} of {questions + _WARM_UP}")
        lead = number * _STRIDE % sizes.leads
        asked = {"campaign_id": 1 + lead // sizes.per_campaign, "lead_id": 1 + lead}
        for name, sql in _QUESTIONS.items():
            spent = await _timed_ms(analytics, sql, asked)
            if number >= _WARM_UP:
                times[name].append(spent)
    return times


async def _timed_ms(analytics: Analytics, sql: str, asked: Mapping[str, Any]) -> float:
    began = time.perf_counter()
    rows = await analytics.query(sql, asked)
    spent = time.perf_counter() - began
    if not rows:
        raise AssertionError("the bench asks for what is there")
    return 1000 * spent


def _figures(name: str, spent: Sequence[float]) -> list[Figure]:
    place, goal = _GOALS.get(name, (0, math.nan))
    return [
        at_most(f"{name}, p{part}", percentile(spent, part), goal, "ms")
        if part == place
        else plain(f"{name}, p{part}", percentile(spent, part), "ms")
        for part in _PERCENTILES
    ]


def percentile(values: Sequence[float], part: int) -> float:
    """Return the value that `part` percent do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(len(values) * part / 100) - 1)]
