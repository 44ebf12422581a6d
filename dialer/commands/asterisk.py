"""`dialer asterisk`: the Asterisk file to begin with, what Asterisk needs for it, and whether each server works."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.commands.asterisk_setup import read_asterisk
from dialer.commands.context import print_json, settings
from dialer.errors import BadInput

if TYPE_CHECKING:
    from telephony_adapters.asterisk.check import Step
    from telephony_adapters.asterisk.config import AsteriskFile, Server

app = typer.Typer(no_args_is_help=True)


@app.command()
def example() -> None:
    """Print an Asterisk file to begin with, each key explained."""
    from telephony_adapters.asterisk.example import EXAMPLE

    typer.echo(EXAMPLE, nl=False)


@app.command()
def config(
    server: Annotated[str, typer.Option(help="A server of the Asterisk file; default: its only one.")] = "",
    carrier: Annotated[str, typer.Option(help="The carrier's SIP address, HOST or HOST:PORT.")] = "CARRIER",
    agent: Annotated[list[str] | None, typer.Option(help="An agent whose phone signs in there; repeat.")] = None,
    out: Annotated[Path | None, typer.Option(help="A folder to write NAME_dialer.conf files to.")] = None,
) -> None:
    """Print the lines that Asterisk needs in pjsip.conf, ari.conf, http.conf, extensions.conf and modules.conf.

    With --out they are files for `#include`; each agent's phone gets a password of its own.
    """
    import secrets

    from telephony_adapters.asterisk.files import files

    file = read_asterisk(settings())
    passwords = {one: secrets.token_urlsafe(12) for one in agent or ()}
    texts = files(file, _server(file, server), carrier=carrier, agents=passwords)
    if out is None:
        for name, text in texts.items():
            typer.echo(f"; --- {name} ---\n{text}")
        return
    for name, text in texts.items():
        path = out / name.replace(".conf", "_dialer.conf")
        _write(path, text)
        typer.echo(f'wrote {path}; put `#include "{path.name}"` into {name}')


def _server(file: AsteriskFile, name: str) -> Server:
    from telephony_adapters.trunks.reading import nearest

    if not name and len(file.servers) == 1:
        return next(iter(file.servers.values()))
    if name not in file.servers:
        what = f"there is no server {name!r}{nearest(name, file.servers)}" if name else "name one with --server"
        raise BadInput(f"{what}; the Asterisk file has: {', '.join(file.servers)}")
    return file.servers[name]


def _write(path: Path, text: str) -> None:
    """Write a file that its owner alone may read: it may hold passwords."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}; name another folder with --out") from error


@app.command()
def check(as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False) -> None:
    """Try each server: its address, password, version, modules and WebSocket; say what to change (exit status 1).

    Nobody is called.
    """
    import asyncio

    from telephony_adapters.asterisk.check import Level

    steps = asyncio.run(_tried(read_asterisk(settings()), shows=not as_json))
    if as_json:
        print_json([step._asdict() for step in steps])
    if any(step.level is Level.FAILED for step in steps):
        raise typer.Exit(1)


async def _tried(file: AsteriskFile, *, shows: bool) -> list[Step]:
    """Show each step when it is known: some take seconds."""
    from telephony_adapters.asterisk.check import check as tried

    steps = []
    async for step in tried(file):
        steps.append(step)
        if shows:
            typer.echo(f"{step.level:6}  {step.server} {step.what}: {step.words}")
    return steps
