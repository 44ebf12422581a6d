"""What a campaign is asked: why nothing is dialed, how it stands to its law, what another team would come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.commands.context import StoreContext, print_json, with_store
from dialer.errors import BadInput

if TYPE_CHECKING:
    from crm.campaigns import WhyReport
    from crm.compliance import Compliance
    from crm.forecasting import WhatCame, WhatIf

_Name = Annotated[str, typer.Argument(help="The campaign's name.", show_default=False)]
_Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


def why_command(
    name: _Name,
    lead: Annotated[int | None, typer.Option(help="Ask about this one lead.", metavar="LEAD_ID")] = None,
    as_json: _Json = False,
) -> None:
    """Say why a campaign, or one of its leads, is not being dialed."""

    async def work(store: StoreContext) -> WhyReport:
        from crm.campaigns import why

        return await why(store.engine, name, now=store.now(), lead_id=lead)

    report = with_store(work)
    if as_json:
        print_json(_why_json(report))
    else:
        _print_why(report)


def _why_json(report: WhyReport) -> dict[str, Any]:
    return {
        "campaign": report.name,
        "state": report.state,
        "holds": [{"reason": hold.reason, "until": hold.until, "detail": hold.detail} for hold in report.holds],
        "leads": {str(reason or "ready"): count for reason, count in report.counts.items()},
        "examples": {str(reason or "ready"): ids for reason, ids in report.examples.items()},
        "lead": report.lead,
    }


def _print_why(report: WhyReport) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    for hold in report.holds:
        until = f", until {_when(hold.until, report.timezone)}" if hold.until is not None else ""
        console.print(f"[bold]{hold.reason}[/]: {escape(hold.detail)}{until}")
    if not report.holds:
        console.print("nothing holds the campaign itself")
    if report.lead is not None:
        until = f", until {_when(report.lead.until, report.timezone)}" if report.lead.until is not None else ""
        console.print(f"lead {report.lead.lead_id}: [bold]{report.lead.reason or 'ready to be dialed'}[/]{until}")
        return
    table = Table("leads wait because of", "how many", "for example")
    for reason, count in sorted(report.counts.items(), key=lambda item: -item[1]):
        examples = ", ".join(map(str, report.examples.get(reason, ())))
        table.add_row(str(reason or "nothing: ready to be dialed"), str(count), examples)
    console.print(table)


def compliance_command(name: _Name, as_json: _Json = False) -> None:
    """Hold a campaign against its law: the exact count and its bound, the worst day, each abandoned call."""

    async def work(store: StoreContext) -> Compliance:
        from crm.compliance import compliance

        return await compliance(store.engine, name, now=store.now())

    report = with_store(work)
    print_json(report) if as_json else _print_compliance(report)


def _print_compliance(report: Compliance) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    console.print(f"[bold]{escape(report.campaign)}[/], law {report.law} ({escape(report.source)})")
    if report.share is None:
        console.print(f"no call was answered by a person since {report.since:%Y-%m-%d %H:%M} UTC")
    else:
        verdict = "within" if report.within else "[bold red]above[/]"
        console.print(
            f"{report.abandoned} of {report.answered} calls answered by a person were abandoned since "
            f"{report.since:%Y-%m-%d %H:%M} UTC: {report.share:.2%}, {verdict} the limit of {report.limit:.2%}"
        )
        console.print(f"the chance behind it lies in {report.low:.2%} to {report.high:.2%} (exact, 95 %)")
    console.print(f"{report.machines} answered calls were recognised as machines and are not counted")
    if report.corrected is not None:
        console.print(
            f"with the estimate of machines among the abandoned ({report.machines_met} of those whom agents met): "
            f"{report.corrected:.2%}; the count above is what stops dialing"
        )
    worst = report.worst_day
    if worst is not None:
        console.print(f"worst day: {worst.day}, {worst.abandoned} of {worst.answered} ({worst.share:.2%})")
    if report.calls:
        table = Table("abandoned call", "number", "shown", "answered (UTC)", "waited", "agent")
        for call in report.calls:
            came = "too late" if call.agent_came else "none"
            at, waited = f"{call.answered_at:%Y-%m-%d %H:%M:%S}", f"{call.waited_s:.1f} s"
            table.add_row(call.call_id, call.phone, call.hotline, at, waited, came)
        console.print(table)
    for point in report.open_points:
        console.print(f"not checked or not in order: {escape(point)}")


def forecast_command(
    name: _Name,
    agents: Annotated[str, typer.Option(help="Team sizes with commas; empty: around the present team.")] = "",
    hours: Annotated[float, typer.Option(help="Play so many hours of calling.")] = 4.0,
    as_json: _Json = False,
) -> None:
    """Say what the campaign, as it has learned, would come to with so many agents, and how long its list lasts."""
    teams = _teams(agents)

    async def work(store: StoreContext) -> WhatIf:
        from crm.forecasting import read_what_if

        return await read_what_if(store.engine, name, agents=teams, hours=hours, now=store.now())

    from crm.forecasting import play

    came = play(with_store(work))
    print_json(came) if as_json else _print_forecast(came)


def _teams(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise BadInput(f"--agents {text}: write team sizes like 5,10,20.") from error


def _print_forecast(came: WhatCame) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("agents", "busy", "abandoned", "wait, s", "90 %", "calls/h", "talks/h", "list lasts, h"):
        table.add_column(heading, justify="right")
    for team in came.teams:
        lasts = "" if team.list_hours is None else f"{team.list_hours:.1f}"
        table.add_row(
            str(team.agents), f"{team.occupancy:.1%}", f"{team.abandonment:.2%}", f"{team.wait_mean_s:.0f}",
            f"{team.wait_p90_s:.0f}", f"{team.dials_per_hour:.0f}", f"{team.talks_per_hour:.0f}", lasts,
        )  # fmt: skip
    console.print(table)
    console.print(
        f"{escape(came.campaign)}: {came.answer_rate:.1%} answer, talk {came.talk_s:.0f} s, "
        f"wrap-up {came.wrap_s:.0f} s, {came.machine_share:.1%} of what is answered are machines, "
        f"{came.leads} leads may still be called"
    )
    if not came.learned:
        console.print("the campaign has learned nothing yet: these are the figures of its careful start")


def _when(at: float, timezone: str) -> str:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M:%S %Z")
