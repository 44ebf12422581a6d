"""The `dialer` command."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from dialer.commands import (
    adapters,
    agent,
    asterisk,
    bench,
    callbacks,
    calls,
    campaign,
    carrier,
    cdr,
    config,
    demo,
    leads,
    loadtest,
    mqtt,
    recordings,
    roles,
    script,
    simulate,
    status,
    trunk,
    up,
)
from dialer.commands.context import choose
from dialer.errors import DialerError
from dialer.output import watch_reader
from dialer.redact import hide_secrets

app = typer.Typer(
    name="dialer",
    help="A predictive dialer: campaigns, leads, agents and call detail records.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(
    campaign.app, name="campaign", help="Create, approve, start, pause and stop campaigns; ask why nothing is dialed."
)
app.add_typer(agent.app, name="agent", help="Add, list and sign in the people who take calls; simulate some over MQTT.")
app.add_typer(mqtt.app, name="mqtt", help="Prepare an MQTT broker of your own for agents' desks.")
app.add_typer(leads.app, name="leads", help="Import, list, export and hold leads.")
app.add_typer(script.app, name="script", help="Check, save and list the scripts of autodialer campaigns.")
app.add_typer(cdr.app, name="cdr", help="Search, show, export, sum up, ask and verify call detail records.")
app.add_typer(callbacks.app, name="callbacks", help="List customers to be called back, and mark them as done.")
app.add_typer(calls.app, name="calls", help="Trace the SIP messages of one call.")
app.add_typer(
    recordings.app, name="recordings", help="List, fetch, verify and delete recordings of calls; see who heard them."
)
app.add_typer(status.app, name="status", help="Explain call statuses and classify a carrier's codes.")
app.add_typer(asterisk.app, name="asterisk", help="What Asterisk needs to be the switch; whether each server works.")
app.add_typer(
    trunk.app, name="trunk", help="List SIP trunks, print a trunks file to begin with, say which a number takes."
)
app.add_typer(
    adapters.app, name="adapters", help="List telephony adapters and what they can do; run the numbered cards on one."
)
app.command("simulate")(simulate.simulate)
app.command("loadtest")(loadtest.loadtest)
app.command("carrier")(carrier.carrier)
app.add_typer(bench.app, name="bench", help="Measure, as ratios within one run.")
app.add_typer(config.app, name="config", help="Show the settings and where they come from; check what they name.")
app.command("up")(up.up)
app.command("engine")(roles.engine)
app.command("relay")(roles.relay)
app.command("projector")(roles.projector)
app.command("web")(roles.web)
app.command("demo")(demo.demo)


@app.callback()
def options(
    home: Annotated[Path | None, typer.Option(help="The folder of this installation (DIALER_HOME).")] = None,
    database_url: Annotated[
        str | None, typer.Option(help="postgresql://... instead of SQLite (DIALER_DATABASE_URL).")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Settings file (DIALER_CONFIG; else HOME/dialer.toml).")
    ] = None,
) -> None:
    """Take the options that every command shares."""
    choose(home=home, database_url=database_url, config=config)


def main() -> None:
    """Run the command line; a person's mistake costs one clear line and exit status 2."""
    watch_reader()
    try:
        app()
    except DialerError as error:
        _say(str(error))
        sys.exit(2)
    except (KeyboardInterrupt, asyncio.CancelledError):
        _say("stopped")
        sys.exit(130)
    finally:
        sys.stdout.flush()


def _say(text: str) -> None:
    Console(stderr=True, highlight=False).print("[bold red]dialer:[/]", escape(hide_secrets(text)), soft_wrap=True)
