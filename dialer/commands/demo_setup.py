"""The demo's campaign: made once, from the sample workbook; and how far it has come."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.campaigns import act, create, read_status
from crm.importing import import_leads
from dialer.app import Dialer
from dialer.core.campaign import CampaignAction, CampaignState
from dialer.core.types import CallWindow, CampaignKind, CampaignSettings, NumberCaps, Purpose, Slot
from dialer.errors import NotFound
from simulator.chance import Duration
from simulator.profile import AgentProfile, Callers, CarrierProfile
from simulator.scenario import load
from statuses.lead import LeadState
from statuses.retry import RetryPolicy
from store.models import Lead
from store.open import readers

NAME = "Chăm sóc khách hàng (demo)"
HOTLINES = ("+842471000001", "+842471000002", "+842871000003")
SAMPLE = Path(__file__).parents[2] / "simulator" / "data" / "sample_leads.xlsx"
MAPPING = {"code": 1, "name": 2, "phone": 3, "email": 4}
WAITS = frozenset({LeadState.NOT_CALLED, LeadState.IN_PROGRESS, LeadState.CALLED_NO_SUCCESS, LeadState.CALLBACK})
err = Console(stderr=True, highlight=False)


class DemoProgress(NamedTuple):
    """How far the demo's campaign is."""

    total: int
    done: int
    ended: bool
    text: str


def demo_settings(*, until_done: bool, inbound: bool = False, record: bool = False) -> CampaignSettings:
    """Return the demo's campaign: care calls that people agreed to, so that it dials at any hour of the day."""
    all_day = CallWindow(weekdays=((Slot(0, 1440),),) * 7)
    return CampaignSettings(
        campaign_id=0,
        name=NAME,
        kind=CampaignKind.PREDICTIVE,
        purpose=Purpose.CARE,
        agreed_otherwise=True,
        hotlines=HOTLINES,
        window=all_day,
        ring_timeout_s=25.0,
        wrap_up_s=20.0,
        overflow_prompt="say:vi:Xin lỗi, các nhân viên đều đang bận. Chúng tôi sẽ gọi lại sau.",
        retry=RetryPolicy(max_attempts=3, gap_s=900.0, error_gap_s=300.0),
        caps=NumberCaps(per_24h=6),
        end_when_done=until_done,
        inbound=inbound,
        record=record,
    )


def demo_people(agents: int, callers: float = 0.0) -> tuple[CarrierProfile, AgentProfile]:
    """Return the demo's callees (the Vietnamese mobile mix) and agents: shorter talks, so that there is more to see.

    They press keys when they hear a prompt, and wait with music; `callers` of them call the hotlines in an hour.
    """
    scenario = load("vn-mobile")
    carrier = msgspec.structs.replace(
        scenario.carrier, talk=Duration(60.0, 0.8, min_s=1.0, max_s=900.0), amd=True,
        keys={"1": 0.35, "2": 0.15, "9": 0.03, "*": 0.02}, prompt_patience=Duration(25.0, 0.5, min_s=1.0),
        hold_patience=Duration(45.0, 0.5, min_s=3.0), callers=Callers(per_hour=callers, hotlines=HOTLINES),
    )  # fmt: skip
    desk = AgentProfile(
        count=agents,
        arrive_within_s=20.0,
        wrap_up=Duration(10.0, 0.5, max_s=20.0),
        break_every=Duration(5400.0, 0.2),
        break_length=Duration(300.0, 0.2),
        callback_after=Duration(900.0, 0.3, min_s=600.0, max_s=1800.0),
    )
    return carrier, desk


async def prepare(engine: AsyncEngine, settings: CampaignSettings, *, now: float, home: Path, leads: int | None) -> int:
    """Make the demo's campaign unless it is there; return its id."""
    try:
        return (await read_status(engine, NAME, now=now))[0].campaign_id
    except NotFound:
        pass
    campaign_id = await create(engine, settings, now=now)
    await _import(engine, now=now, home=home, leads=leads)
    await act(engine, NAME, CampaignAction.APPROVE, now=now)
    await act(engine, NAME, CampaignAction.START, now=now)
    return campaign_id


async def _import(engine: AsyncEngine, *, now: float, home: Path, leads: int | None) -> None:
    columns = (TextColumn("importing the sample workbook"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True) as shown:
        task = shown.add_task("import", total=None)
        result = await import_leads(
            engine,
            SAMPLE,
            campaign=NAME,
            mapping=MAPPING,
            start_row=2,
            now=now,
            list_name="sample_leads.xlsx",
            migrate_2018=True,
            result_path=home / "import-result.csv",
            limit=leads,
            on_progress=lambda done, total: shown.update(task, completed=done, total=total),
        )
    err.print(
        f"imported {result.added} leads from {SAMPLE.name}; {result.existing} rows were there already, "
        f"{result.failed} rows are wrong: {home / 'import-result.csv'}"
    )


async def progress_of(dialer: Dialer, campaign_id: int) -> DemoProgress:
    """Count what is done, and describe the moment."""
    query = select(Lead.state, func.count()).where(Lead.campaign_id == campaign_id).group_by(Lead.state)
    async with readers(dialer.engine).connect() as db:
        counts = {state: int(count) for state, count in await db.execute(query)}
    (status,) = [s for s in await read_status(dialer.engine, now=dialer.clock.now()) if s.campaign_id == campaign_id]
    total = sum(counts.values())
    done = total - sum(counts.get(state, 0) for state in WAITS)
    seat = dialer.driver.seats.get(campaign_id)
    if seat is None:
        return DemoProgress(total, done, status.state is CampaignState.ENDED, "")
    now = seat.engine.figures(dialer.clock.now())
    text = f"{now.ringing} ringing, {now.talking} talking, {now.idle} idle, {now.abandoned}/{now.answered} abandoned"
    return DemoProgress(total, done, status.state is CampaignState.ENDED, text)
