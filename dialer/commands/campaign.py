"""`dialer campaign`: create, change and run campaigns; ask why nothing is dialed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from dialer.commands.context import StoreContext, open_store
from dialer.errors import BadInput

if TYPE_CHECKING:
    from crm.campaigns import CampaignStatus, WhyReport
    from crm.compliance import Compliance
    from crm.forecasting import WhatCame, WhatIf
    from dialer.core.types import CampaignSettings

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True)

_KINDS = (
    "predictive, progressive, ratio, or autodialer: plays the prompt to whoever answers and needs no agent; "
    "keys and transfers to an agent are not offered yet."
)
_Name = Annotated[str, typer.Argument(help="The campaign's name.", show_default=False)]
_Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
_Settings = Annotated[
    list[str] | None, typer.Argument(help="Further settings as KEY=VALUE; `dialer campaign keys` lists them.")
]


@app.command("create")
def create_command(
    name: _Name,
    more: _Settings = None,
    kind: Annotated[str, typer.Option(help=_KINDS)] = "predictive",
    purpose: Annotated[str, typer.Option(help="advertising, care, collection or survey.")] = "care",
    pacer: Annotated[str | None, typer.Option(help="Pacing policy, if not the kind's own.")] = None,
    ratio: Annotated[str | None, typer.Option(help="Calls per ready agent, of a ratio campaign.")] = None,
    ring_timeout: Annotated[str | None, typer.Option(metavar="SECONDS", help="Ring for so long.")] = None,
    wrap_up: Annotated[str | None, typer.Option(metavar="SECONDS", help="Time for after-call work.")] = None,
    hotline: Annotated[list[str] | None, typer.Option(help="A number to show; may be repeated.")] = None,
    prompt: Annotated[str | None, typer.Option(help="The message that an autodialer plays.")] = None,
    hours: Annotated[str | None, typer.Option(help="08:00-12:00,13:00-17:30")] = None,
    days: Annotated[str | None, typer.Option(help="mon-fri or mon,wed,sat")] = None,
    timezone: Annotated[str | None, typer.Option(help="Asia/Ho_Chi_Minh")] = None,
    holidays: Annotated[str | None, typer.Option(help="Closed on this country's public holidays: VN")] = None,
    max_attempts: Annotated[str | None, typer.Option(help="Calls per lead in all.")] = None,
    retry_gap: Annotated[str | None, typer.Option(metavar="SECONDS", help="Between two calls of a lead.")] = None,
) -> None:
    """Create a campaign as a draft; approve and start it next."""
    given = {
        "kind": kind,
        "purpose": purpose,
        "pacer": pacer,
        "ratio": ratio,
        "ring_timeout_s": ring_timeout,
        "wrap_up_s": wrap_up,
        "hotlines": ",".join(hotline) if hotline else None,
        "prompt": prompt,
        "hours": hours,
        "days": days,
        "timezone": timezone,
        "holidays": holidays,
        "max_attempts": max_attempts,
        "retry_gap_s": retry_gap,
    }
    changes = {key: text for key, text in given.items() if text is not None} | _pairs(more or [])

    async def work(store: StoreContext) -> int:
        from crm.campaigns import create
        from crm.settings_text import apply_settings
        from dialer.core.types import CampaignSettings

        settings = apply_settings(CampaignSettings(campaign_id=0, name=name), changes)
        return await create(store.engine, settings, now=store.now())

    _run(work)
    typer.echo(f"campaign {name!r} is a draft; import leads, then: dialer campaign approve {name!r}")


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise BadInput(f"{text!r} is not KEY=VALUE; `dialer campaign keys` lists the keys.")
        pairs[key.strip().replace("-", "_")] = value
    return pairs


@app.command("keys")
def keys_command(as_json: _Json = False) -> None:
    """List the settings that `create` and `set` take."""
    from crm.settings_text import SETTERS

    _print_json(list(SETTERS)) if as_json else typer.echo("\n".join(SETTERS))


@app.command("set")
def set_command(name: _Name, changes: _Settings = None) -> None:
    """Change settings; a running campaign follows at once."""

    async def work(store: StoreContext) -> CampaignSettings:
        from crm.campaigns import change_settings

        return await change_settings(store.engine, name, _pairs(changes or []), now=store.now())

    if not changes:
        raise BadInput("say what to change: dialer campaign set NAME KEY=VALUE ...")
    _run(work)
    typer.echo(f"campaign {name!r}: {', '.join(changes)}")


@app.command("approve")
def approve_command(name: _Name, as_json: _Json = False) -> None:
    """Approve a draft, so that it can be started."""
    _act(name, "approve", as_json=as_json)


@app.command("start")
def start_command(name: _Name, as_json: _Json = False) -> None:
    """Start an approved campaign, or go on with a paused or stopped one."""
    _act(name, "start", as_json=as_json)


@app.command("pause")
def pause_command(name: _Name, as_json: _Json = False) -> None:
    """Place no new calls until the schedule opens again."""
    _act(name, "pause", as_json=as_json)


@app.command("stop")
def stop_command(name: _Name, as_json: _Json = False) -> None:
    """Place no new calls until somebody starts it; calls that ring are cancelled."""
    _act(name, "stop", as_json=as_json)


@app.command("end")
def end_command(name: _Name, as_json: _Json = False) -> None:
    """End a campaign for good."""
    _act(name, "end", as_json=as_json)


def _act(name: str, action: str, *, as_json: bool) -> None:
    from dialer.core.campaign import CampaignAction, CampaignState, CampaignStep

    async def work(store: StoreContext) -> CampaignStep:
        from crm.campaigns import act

        return await act(store.engine, name, CampaignAction(action), now=store.now())

    step = _run(work)
    if as_json:
        _print_json({"name": name, "state": step.state, "resumes_by_schedule": step.resumes_by_schedule})
        return
    resumes = step.state is CampaignState.PAUSED and step.resumes_by_schedule
    typer.echo(f"campaign {name!r} is {step.state}" + (" and resumes by its schedule" if resumes else ""))


@app.command("release")
def release_command(name: _Name, as_json: _Json = False) -> None:
    """Let leads be called again whose last call has no known outcome; they may have been called already."""

    async def work(store: StoreContext) -> int:
        from crm.campaigns import read_status, release_reconciled

        (status,) = await read_status(store.engine, name, now=store.now())
        return await release_reconciled(store.engine, status.campaign_id, now=store.now())

    released = _run(work)
    _print_json({"released": released}) if as_json else typer.echo(f"{released} leads may be called again")


@app.command("forget")
def forget_command(name: _Name, as_json: _Json = False) -> None:
    """Forget what pacing has learned about the campaign's calls and agents; counts and call records stay."""

    async def work(store: StoreContext) -> None:
        from crm.campaigns import forget

        await forget(store.engine, name, now=store.now())

    _run(work)
    if as_json:
        _print_json({"name": name, "forgotten": True})
        return
    typer.echo(f"campaign {name!r} has forgotten what it learned; pacing starts cold")


@app.command("list")
def list_command(as_json: _Json = False) -> None:
    """List the campaigns."""
    _status(None, as_json=as_json)


@app.command("status")
def status_command(
    name: Annotated[str | None, typer.Argument(help="The campaign's name; without it, all.")] = None,
    as_json: _Json = False,
) -> None:
    """Show the state and the live figures of one campaign, or of all."""
    _status(name, as_json=as_json)


def _status(name: str | None, *, as_json: bool) -> None:
    async def work(store: StoreContext) -> list[CampaignStatus]:
        from crm.campaigns import read_status

        return await read_status(store.engine, name, now=store.now())

    found = _run(work)
    if as_json:
        _print_json(found)
    else:
        _print_status(found, single=name is not None)


def _print_status(found: Sequence[CampaignStatus], *, single: bool) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE, padding=(0, 1, 0, 0), collapse_padding=True)
    table.add_column("campaign", min_width=12)
    for heading in ("state", "leads", "idle", "talk", "ring", "wait", "answer", "lost"):
        table.add_column(heading, no_wrap=True)
    table.add_column("dialing", min_width=10)
    for status in found:
        now = status.figures if not status.stale else None
        gauges = (now.idle, now.talking, now.ringing, now.waiting) if now else ("", "", "", "")
        abandoned = f"{now.abandonment:.1%}/{now.abandon_limit:.0%}" if now and now.abandonment is not None else ""
        rate = f"{now.answer_rate:.0%}" if now and now.answer_rate is not None else ""
        table.add_row(
            escape(status.name), status.state, str(status.leads), *map(str, gauges), rate, abandoned, _dialing(status)
        )
    console = Console()
    console.print(table)
    if single and found and not found[0].stale and found[0].figures is not None:
        console.print(escape(found[0].figures.detail))


def _dialing(status: CampaignStatus) -> str:
    if status.stale or status.figures is None:
        return "no service" if not status.served else "no news"
    return "freely" if status.figures.reason is None else str(status.figures.reason)


@app.command("why")
def why_command(
    name: _Name,
    lead: Annotated[int | None, typer.Option(help="Ask about this one lead.", metavar="LEAD_ID")] = None,
    as_json: _Json = False,
) -> None:
    """Say why a campaign, or one of its leads, is not being dialed."""

    async def work(store: StoreContext) -> WhyReport:
        from crm.campaigns import why

        return await why(store.engine, name, now=store.now(), lead_id=lead)

    report = _run(work)
    if as_json:
        _print_json(_why_json(report))
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


@app.command("compliance")
def compliance_command(name: _Name, as_json: _Json = False) -> None:
    """Hold a campaign against its law: the exact count and its bound, the worst day, each abandoned call."""

    async def work(store: StoreContext) -> Compliance:
        from crm.compliance import compliance

        return await compliance(store.engine, name, now=store.now())

    report = _run(work)
    _print_json(report) if as_json else _print_compliance(report)


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


@app.command("forecast")
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

    came = play(_run(work))
    _print_json(came) if as_json else _print_forecast(came)


def _teams(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise BadInput(f"--agents {text}: write team sizes like 5,10,20.") from error


def _print_forecast(came: WhatCame) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    table = Table("agents", "occupancy", "abandoned", "wait, mean", "wait, 90 %", "calls/h", "talks/h", "list lasts")
    for team in came.teams:
        lasts = "" if team.list_hours is None else f"{team.list_hours:.1f} h of calling"
        table.add_row(
            str(team.agents), f"{team.occupancy:.1%}", f"{team.abandonment:.2%}", f"{team.wait_mean_s:.0f} s",
            f"{team.wait_p90_s:.0f} s", f"{team.dials_per_hour:.0f}", f"{team.talks_per_hour:.0f}", lasts,
        )  # fmt: skip
    console.print(table)
    console.print(
        f"{escape(came.campaign)}: {came.answer_rate:.1%} answer, talk {came.talk_s:.0f} s, "
        f"wrap-up {came.wrap_s:.0f} s, {came.leads} leads may still be called"
    )
    if not came.learned:
        console.print("the campaign has learned nothing yet: these are the figures of its careful start")


def _when(at: float, timezone: str) -> str:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M:%S %Z")


def _print_json(value: Any) -> None:
    import msgspec

    typer.echo(msgspec.json.encode(value, enc_hook=str).decode())


def _run(work: Callable[[StoreContext], Awaitable[T]]) -> T:
    async def opened() -> T:
        async with open_store() as store:
            return await work(store)

    return asyncio.run(opened())
