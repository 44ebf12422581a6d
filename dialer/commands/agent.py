"""`dialer agent`: the people who take calls; and, over MQTT, what one of them does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from dialer.commands.agent_desk import at_desk, live_states
from dialer.commands.agent_simulate import simulate
from dialer.commands.context import print_json, with_store
from dialer.errors import BadInput

if TYPE_CHECKING:
    from dialer.agents.desk import Desk
    from dialer.ports import AgentAccount

app = typer.Typer(no_args_is_help=True)
app.command()(simulate)
out = Console(highlight=False)
AgentId = Annotated[str, typer.Argument(metavar="AGENT", help="The agent's id.", show_default=False)]
NAMES = 40
"""A shown name is cut after so many letters."""


@app.command()
def add(
    agent_id: AgentId,
    name: Annotated[str, typer.Option(help="The name that people see.")] = "",
    supervisor: Annotated[bool, typer.Option("--supervisor", help="May come into the talks of others.")] = False,
) -> None:
    """Add a person who takes calls, and print the password, once."""
    from dialer.agents.password import hashed, new_password
    from dialer.agents.topics import is_agent_id
    from dialer.ports import AgentAccount
    from store.agents import SqlAgents

    if not is_agent_id(agent_id):
        raise BadInput(f"{agent_id!r} cannot be an agent's id: letters, digits, dot, dash, underscore; not 'dialer'")
    password = new_password()
    account = AgentAccount(agent_id, name, supervisor, hashed(password))
    with_store(lambda store: SqlAgents(store.engine).add([account], now=store.now()))
    _tell(agent_id, password)


@app.command()
def password(agent_id: AgentId) -> None:
    """Make a new password for an agent, and print it, once."""
    from dialer.agents.password import hashed, new_password
    from store.agents import SqlAgents

    new = new_password()
    with_store(lambda store: SqlAgents(store.engine).change(agent_id, secret=hashed(new)))
    _tell(agent_id, new)


@app.command()
def change(
    agent_id: AgentId,
    name: Annotated[str | None, typer.Option(help="The name that people see.")] = None,
    supervisor: Annotated[bool | None, typer.Option(help="May come into the talks of others.")] = None,
    active: Annotated[bool | None, typer.Option(help="May sign in, from the next connection on.")] = None,
) -> None:
    """Change what is known of an agent."""
    from store.agents import SqlAgents

    given = {"name": name, "supervisor": supervisor, "active": active}
    values = {key: value for key, value in given.items() if value is not None}
    if not values:
        raise BadInput("nothing to change: give --name, --supervisor or --active")
    with_store(lambda store: SqlAgents(store.engine).change(agent_id, **values))
    out.print(f"{agent_id} is changed")


@app.command("list")
def list_agents(as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False) -> None:
    """List the agents and, while an engine runs, what each is doing."""
    from store.agents import SqlAgents

    accounts = with_store(lambda store: SqlAgents(store.engine).all())
    states = asyncio.run(live_states())
    rows = [_row(account) | states.get(account.agent_id, {"state": "offline"}) for account in accounts]
    if as_json:
        print_json(rows)
        return
    table = Table("agent", "name", "state", "campaign", "code", box=None, pad_edge=False)
    for row in rows:
        name = f"{str(row['name'])[:NAMES]}{' (supervisor)' if row['supervisor'] else ''}"
        state = str(row["state"]) if row["active"] else "not active"
        table.add_row(
            str(row["agent"]), name, state, str(row.get("campaign_id") or ""),
            str(row.get("code") or ""),
        )  # fmt: skip
    out.print(table)


@app.command("sign-in")
def sign_in(
    agent_id: AgentId,
    campaign: Annotated[str, typer.Option(help="The campaign, by name or id.", show_default=False)],
    ready: Annotated[bool, typer.Option("--ready", help="And take calls at once.")] = False,
) -> None:
    """Sign an agent in, as that agent; the password is DIALER_AGENT_PASSWORD, else asked for.

    The agent stays signed in when this command has ended, until sign-out: calls reach a phone of the switch's.
    """

    async def work(desk: Desk) -> None:
        _obeyed(await desk.sign_in(campaign))
        if ready:
            _obeyed(await desk.ready())

    at_desk(agent_id, work, new=True)
    out.print(f"{agent_id} is signed in to {campaign}{' and ready' if ready else ', not ready yet'}")


@app.command()
def ready(agent_id: AgentId) -> None:
    """Let a signed-in agent take calls, as that agent."""

    async def work(desk: Desk) -> None:
        _obeyed(await desk.ready())

    at_desk(agent_id, work)
    out.print(f"{agent_id} is ready")


@app.command()
def pause(agent_id: AgentId, code: Annotated[str, typer.Option(help="Why, in a word: lunch, training.")] = "") -> None:
    """Let a signed-in agent take no more calls after the present one, as that agent."""

    async def work(desk: Desk) -> None:
        _obeyed(await desk.pause(code))

    at_desk(agent_id, work)
    out.print(f"{agent_id} takes no more calls")


@app.command("sign-out")
def sign_out(agent_id: AgentId) -> None:
    """Sign an agent out, as that agent."""

    async def work(desk: Desk) -> None:
        _obeyed(await desk.sign_out())

    at_desk(agent_id, work, stays=False)
    out.print(f"{agent_id} is signed out")


def _obeyed(answer: object) -> None:
    from dialer.agents.messages import Answer
    from dialer.errors import IllegalAction

    if isinstance(answer, Answer) and answer.error is not None:
        raise IllegalAction(f"the dialer refuses: {answer.error.value.replace('_', ' ')}")


def _tell(agent_id: str, password: str) -> None:
    out.print(f"{agent_id}  password {password}", soft_wrap=True)
    Console(stderr=True, highlight=False).print(
        "it is shown this once; a Mosquitto of your own needs `dialer mqtt acl` again", soft_wrap=True
    )


def _row(account: AgentAccount) -> dict[str, object]:
    return {
        "agent": account.agent_id,
        "name": account.name,
        "supervisor": account.supervisor,
        "active": account.active,
    }
