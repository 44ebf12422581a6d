"""What a run came to: the same seed gives the same report, byte for byte."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table

from simulator.desks import DeskState
from simulator.lane import Lane
from simulator.world import World
from statuses import catalog
from statuses.lead import LeadState
from statuses.outcomes import CallStatus


class Waits(msgspec.Struct, frozen=True):
    """Seconds from a person's answer to an agent's voice (or to the end, when nobody came)."""

    mean_s: float
    p50_s: float
    p90_s: float
    p99_s: float


class CampaignReport(msgspec.Struct, frozen=True):
    """One campaign. Shares in 0..1, None = nothing to divide by; agent time up to the end of the working hours."""

    name: str
    pacer: str
    agents: int
    attempts: int
    answered: int
    """By a person, or a mailbox that nothing told apart from one."""
    abandoned: int
    connected: int
    occupancy: float | None
    """(talk + wrap-up) / staffed time without breaks."""
    abandonment: float | None
    abandon_limit: float
    asr: float | None
    """Answer-seizure ratio: answered by a person / attempts."""
    waits: Waits | None
    mean_talk_s: float | None
    statuses: dict[str, int]
    """All twelve, by wire form."""
    agent_hours: dict[str, float]
    leads: dict[str, int]
    """By the eleven states."""


class Report(msgspec.Struct, frozen=True):
    """A whole run."""

    scenario: str
    seed: int
    hours: float
    steps: int
    """Entries taken from the heap of the virtual world."""
    peak_ringing: int
    """Most calls placed and not answered at once."""
    peak_channels: dict[str, int]
    """Most channels in use at once, by trunk."""
    campaigns: list[CampaignReport]


def report(world: World) -> Report:
    """Sum up a world that has run."""
    return Report(
        scenario=world.scenario.title,
        seed=world.seed,
        hours=world.scenario.hours,
        steps=world.steps,
        peak_ringing=world.exchange.peak_unanswered,
        peak_channels={name: gate.peak for name, gate in sorted(world.carrier.gates.items())},
        campaigns=[_campaign(lane) for lane in world.lanes],
    )


def to_json(result: Report) -> str:
    """Return sorted, indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(result, order="sorted"), indent=2).decode() + "\n"


def to_tables(result: Report) -> RenderableType:
    """Return tables for people."""
    head = Table(title=f"{result.scenario}, seed {result.seed}", show_header=False)
    head.add_row("working hours", f"{result.hours:g}")
    head.add_row("most calls ringing at once", f"{result.peak_ringing:,}")
    for name, peak in result.peak_channels.items():
        head.add_row(f"most channels of {name} at once", f"{peak:,}")
    return Group(head, *(table for campaign in result.campaigns for table in _tables(campaign)))


def _campaign(lane: Lane) -> CampaignReport:
    meter, seconds = lane.meter, lane.seconds
    attempts = meter.statuses.total()
    busy = seconds[DeskState.TALKING] + seconds[DeskState.WRAP_UP]
    staffed = busy + sum(seconds[state] for state in (DeskState.READY, DeskState.RINGING, DeskState.RESERVED))
    return CampaignReport(
        name=lane.settings.name,
        pacer=lane.settings.pacer,
        agents=len(lane.desks),
        attempts=attempts,
        answered=meter.answered,
        abandoned=meter.abandoned,
        connected=meter.bridged,
        occupancy=_share(busy, staffed),
        abandonment=_share(meter.abandoned, meter.answered),
        abandon_limit=lane.settings.legal.abandon_limit,
        asr=_share(meter.answered, attempts),
        waits=_waits(meter.waits),
        mean_talk_s=round(meter.talk_s / meter.bridged, 3) if meter.bridged else None,
        statuses={status.value: meter.statuses[status] for status in CallStatus},
        agent_hours={state.value: round(seconds[state] / 3600.0, 4) for state in DeskState},
        leads={state.value: count for state, count in lane.book.states().items()},
    )


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 6) if whole > 0 else None


def _waits(waits: Sequence[float]) -> Waits | None:
    if not waits:
        return None
    ordered = sorted(waits)
    last = len(ordered) - 1
    p50, p90, p99 = (round(ordered[round(q * last)], 3) for q in (0.5, 0.9, 0.99))
    return Waits(round(sum(ordered) / len(ordered), 3), p50, p90, p99)


def _tables(campaign: CampaignReport) -> list[Table]:
    return [
        _figures(campaign),
        _statuses(campaign),
        _counts("agent hours", campaign.agent_hours, "{:,.2f}"),
        _leads(campaign),
    ]


def _figures(campaign: CampaignReport) -> Table:
    table = Table(title=f"{campaign.name}: {campaign.agents} agents, pacer {campaign.pacer}", show_header=False)
    table.add_row("occupancy", _percent(campaign.occupancy))
    limit = f"{campaign.abandon_limit:.1%}"
    table.add_row("abandoned / answered by a person", f"{_percent(campaign.abandonment)} (limit {limit})")
    table.add_row("attempts", f"{campaign.attempts:,}")
    table.add_row("answered by a person", f"{campaign.answered:,} ({_percent(campaign.asr)} of the attempts)")
    table.add_row("abandoned", f"{campaign.abandoned:,}")
    if (waits := campaign.waits) is not None:
        table.add_row(
            "wait after the answer",
            f"mean {waits.mean_s:.2f} s, p50 {waits.p50_s:.2f}, p90 {waits.p90_s:.2f}, p99 {waits.p99_s:.2f}",
        )
    if campaign.mean_talk_s is not None:
        table.add_row("mean talk", f"{campaign.mean_talk_s:.1f} s")
    return table


def _statuses(campaign: CampaignReport) -> Table:
    table = Table("code", "call status", title="attempts by call status")
    table.add_column("attempts", justify="right")
    table.add_column("share", justify="right")
    for status in CallStatus:
        count = campaign.statuses[status.value]
        share = _share(count, campaign.attempts)
        table.add_row(catalog.code(status), catalog.label(status, "en"), f"{count:,}", _percent(share))
    return table


def _leads(campaign: CampaignReport) -> Table:
    return _counts("leads by state", {catalog.label(LeadState(s), "en"): n for s, n in campaign.leads.items()}, "{:,}")


def _counts(title: str, counts: dict[str, float] | dict[str, int], form: str) -> Table:
    table = Table(title=title, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, count in counts.items():
        table.add_row(name.replace("_", " "), form.format(count))
    return table


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
