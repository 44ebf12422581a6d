"""`dialer config`: the settings in force, where each came from, and whether what they name answers."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dialer.commands.context import everything, print_json
from dialer.config import PREFIX, Settings
from dialer.redact import hide_secrets

app = typer.Typer(no_args_is_help=True)
MENDABLE = 2
"""The exit status of what a person can mend."""


@app.command()
def show(as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False) -> None:
    """List every setting, its value and where that comes from; passwords are hidden."""
    loaded = everything()
    rows = [
        {"setting": name, "variable": PREFIX + name.upper(), "value": _shown(loaded.settings, name), "from": source}
        for name, source in loaded.sources.items()
    ]
    if as_json:
        print_json(rows)
        return
    table = Table("setting", "value", "from", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row["setting"], row["value"], row["from"])
    Console(highlight=False).print(table)


@app.command()
def check(as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False) -> None:
    """Connect to the database, Kafka, ClickHouse and MQTT; exit with status 2 when one does not answer as it should."""
    from dialer.commands.config_check import check_all

    loaded = everything()
    findings = asyncio.run(check_all(loaded.settings))
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        for name in loaded.strangers:
            typer.echo(f"note: the variable {name} is no setting and is not used", err=True)
        for finding in findings:
            typer.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.what}: {finding.words}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(MENDABLE)


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if name.endswith("_password"):
        return "***" if value else ""
    return "" if value is None else hide_secrets(str(value))
