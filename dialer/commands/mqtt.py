"""`dialer mqtt`: what a broker of one's own needs to know of the agents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dialer.commands.context import settings, with_store

app = typer.Typer(no_args_is_help=True)


@app.callback()
def mqtt() -> None:
    """Prepare an MQTT broker of one's own."""


@app.command()
def acl(
    folder: Annotated[Path, typer.Argument(help="Where the files are written.", show_default=False)],
    at: Annotated[str, typer.Option(help="The folder under which Mosquitto finds them.")] = "/etc/mosquitto/dialer",
) -> None:
    """Write Mosquitto's ACL and password files for the dialer and its agents; print the lines that name them.

    After a change of agents write them again, and have Mosquitto read them: `kill -HUP`.
    """
    from dialer.agents import mosquitto
    from dialer.agents.mqtt_at import MqttAt
    from dialer.agents.password import hashed, new_password
    from dialer.agents.topics import DIALER
    from store.agents import SqlAgents

    url = settings().mqtt_url
    ours = MqttAt.parse(url) if url else None
    user = (ours and ours.user) or DIALER
    password = (ours and ours.password) or new_password()
    accounts = with_store(lambda store: SqlAgents(store.engine).all())
    _write(folder / mosquitto.ACL, mosquitto.acl(accounts, dialer=user))
    _write(folder / mosquitto.PASSWORDS, mosquitto.passwords(accounts, dialer=user, secret=hashed(password)))
    typer.echo(mosquitto.conf(at), nl=False)
    err = Console(stderr=True, highlight=False)
    err.print(f"{folder}: {mosquitto.ACL} and {mosquitto.PASSWORDS} for {len(accounts)} agents and the user {user}")
    if ours is None or ours.password is None:
        err.print(f"set DIALER_MQTT_URL=mqtt://{user}:{password}@HOST:1883; the password is shown once", soft_wrap=True)


def _write(path: Path, text: str) -> None:
    from dialer.errors import BadInput

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}; name another folder") from error
