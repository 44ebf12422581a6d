"""The demo's last words: what was dialed, what came of it, and whether the records add up."""

from __future__ import annotations

import msgspec
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from dialer.app import Dialer, Outcome
from statuses.catalog import label
from statuses.lead import LeadState
from statuses.outcomes import CallStatus
from store.models import Attempt, Lead
from store.open import readers


class DemoReport(msgspec.Struct, frozen=True):
    """Figures of one campaign; shares in 0..1, None = nothing to divide by; `verified`: one record an attempt."""

    attempts: int
    statuses: dict[str, int]
    leads: dict[str, int]
    answered_by_people: int
    abandoned: int
    abandonment: float | None
    mean_wait_s: float | None
    recovered: int
    cut: int
    verified: bool
    findings: list[str]


async def build(dialer: Dialer, campaign_id: int, outcome: Outcome) -> DemoReport:
    """Collect the figures of the whole campaign, earlier runs included."""
    async with readers(dialer.engine).connect() as db:
        mine = Attempt.campaign_id == campaign_id
        settled = select(func.count()).where(mine, Attempt.settled)
        attempts = int((await db.execute(settled)).scalar_one())
        by_state = select(Lead.state, func.count()).where(Lead.campaign_id == campaign_id).group_by(Lead.state)
        leads = {str(state): int(count) for state, count in await db.execute(by_state)}
        wait = select(func.avg(Attempt.bridged_at - Attempt.answered_at)).where(mine, Attempt.bridged_at.is_not(None))
        mean_wait_s = (await db.execute(wait)).scalar()
    answered, abandoned = await dialer.store.legal_counts(campaign_id, since=0.0)
    statuses = await dialer.cdr.status_counts(campaign_id)
    checked = await dialer.verify()
    findings = [msgspec.json.encode(part).decode() for part in checked.partitions if not part.ok]
    if attempts != sum(statuses.values()):
        findings.append(f"{attempts} attempts are settled, {sum(statuses.values())} have a call record")
    return DemoReport(
        attempts=attempts,
        statuses=dict(sorted(statuses.items())),
        leads=dict(sorted(leads.items())),
        answered_by_people=answered,
        abandoned=abandoned,
        abandonment=abandoned / answered if answered else None,
        mean_wait_s=None if mean_wait_s is None else round(float(mean_wait_s), 3),
        recovered=outcome.recovered,
        cut=outcome.cut,
        verified=not findings,
        findings=findings,
    )


def show(report: DemoReport, *, as_json: bool) -> None:
    """Print for people or for programs."""
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(report)).decode())  # noqa: T201 -- the command's output
        return
    out = Console(highlight=False)
    calls = Table("Call status", "Trạng thái cuộc gọi", "Calls", "Share", title="Calls")
    for status, count in sorted(report.statuses.items(), key=lambda item: -item[1]):
        known = CallStatus(status)
        calls.add_row(label(known, "en"), label(known, "vi"), f"{count:,}", f"{count / report.attempts:.1%}")
    leads = Table("Lead state", "Trạng thái", "Leads", title="Leads")
    for state, count in sorted(report.leads.items(), key=lambda item: -item[1]):
        leads.add_row(label(LeadState(state), "en"), label(LeadState(state), "vi"), f"{count:,}")
    out.print(calls)
    out.print(leads)
    out.print(_sentence(report))


def _sentence(report: DemoReport) -> str:
    share = "-" if report.abandonment is None else f"{report.abandonment:.2%}"
    wait = "-" if report.mean_wait_s is None else f"{report.mean_wait_s:.2f} s"
    checked = "records verified" if report.verified else "RECORDS DO NOT ADD UP: " + "; ".join(report.findings)
    return (
        f"{report.attempts:,} calls, {report.answered_by_people:,} answered by people, {report.abandoned} abandoned "
        f"({share}), mean wait for an agent {wait}; {report.recovered} recovered after a stop; {checked}"
    )
