"""`dialer campaign`: create, change and run campaigns; ask why nothing is dialed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.commands import campaign_reports as reports
from dialer.commands.campaign_dial import dial_command
from dialer.commands.context import StoreContext, print_json, with_store
from dialer.commands.webhook import may_be_private, trouble_of, webhook_command
from dialer.errors import BadInput

if TYPE_CHECKING:
    from crm.campaigns import CampaignStatus
    from dialer.core.types import CampaignSettings

app = typer.Typer(no_args_is_help=True)

_KINDS = (
    "predictive, progressive, ratio; preview: agents look at a lead and accept it; manual: agents dial by hand; "
    "or autodialer: follows a script, or plays the prompt, and needs no agent until one is asked for."
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
    script: Annotated[str | None, typer.Option(help="The script that it follows; `dialer script list`.")] = None,
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
        "script": script,
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
        return await create(store.engine, settings, now=store.now(), private_webhooks=may_be_private())

    with_store(work)
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

    print_json(list(SETTERS)) if as_json else typer.echo("\n".join(SETTERS))


@app.command("set")
def set_command(name: _Name, changes: _Settings = None) -> None:
    """Change settings; a running campaign follows at once."""

    async def work(store: StoreContext) -> CampaignSettings:
        from crm.campaigns import change_settings

        pairs = _pairs(changes or [])
        return await change_settings(store.engine, name, pairs, now=store.now(), private_webhooks=may_be_private())

    if not changes:
        raise BadInput("say what to change: dialer campaign set NAME KEY=VALUE ...")
    with_store(work)
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

    step = with_store(work)
    if as_json:
        print_json({"name": name, "state": step.state, "resumes_by_schedule": step.resumes_by_schedule})
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

    released = with_store(work)
    print_json({"released": released}) if as_json else typer.echo(f"{released} leads may be called again")


@app.command("forget")
def forget_command(name: _Name, as_json: _Json = False) -> None:
    """Forget what pacing has learned about the campaign's calls and agents; counts and call records stay."""

    async def work(store: StoreContext) -> None:
        from crm.campaigns import forget

        await forget(store.engine, name, now=store.now())

    with_store(work)
    if as_json:
        print_json({"name": name, "forgotten": True})
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

    found = with_store(work)
    if as_json:
        print_json(found)
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
    for trouble in filter(None, map(trouble_of, found)):
        console.print(escape(trouble), soft_wrap=True)


def _dialing(status: CampaignStatus) -> str:
    if status.stale or status.figures is None:
        return "no service" if not status.served else "no news"
    return "freely" if status.figures.reason is None else str(status.figures.reason)


app.command("dial")(dial_command)
app.command("why")(reports.why_command)
app.command("compliance")(reports.compliance_command)
app.command("forecast")(reports.forecast_command)
app.command("webhook")(webhook_command)
