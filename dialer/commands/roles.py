"""`dialer engine`, `relay`, `projector` and `web`: one part of the dialer a process, over a shared database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer
from rich.console import Console

from dialer.commands.context import settings as chosen_settings
from dialer.commands.overrides import read_overrides
from dialer.commands.up import Carrier, CarrierLog, Overrides, Seed, SimulateAgents, man, runner

if TYPE_CHECKING:
    from dialer.app import Dialer, Outcome
    from dialer.commands.live import Plan

HEALTH_PORTS: Final = {"engine": 8081, "relay": 8082, "projector": 8083}
Host: TypeAlias = Annotated[str | None, typer.Option(help="The address to listen on (DIALER_HOST, 127.0.0.1).")]
Port: TypeAlias = Annotated[
    int | None, typer.Option("--health-port", help="Of /livez, /readyz, /metrics (DIALER_HEALTH_PORT); 0 = any free.")
]


def engine(
    host: Host = None,
    health_port: Port = None,
    simulate_agents: SimulateAgents = None,
    carrier: Carrier = "vn-mobile",
    seed: Seed = 7,
    overrides: Overrides = None,
    carrier_log: CarrierLog = None,
) -> None:
    """Dial; several engines over one PostgreSQL share the campaigns, and take over from one that dies.

    The trunk is the carrier simulator, one for each engine, which calls nobody, unless DIALER_TRUNK says sip.
    """
    from dialer.app import Role
    from dialer.commands.live import Plan, adapters
    from simulator.scenario import load

    settings = chosen_settings(host=host, health_port=health_port, overrides=overrides)
    scenario = load(carrier)
    table = read_overrides(settings.overrides)
    plan = Plan(
        settings, carrier=scenario.carrier, role=Role.ENGINE, seed=seed, carrier_log=carrier_log, overrides=table
    )
    adapters(plan).check(settings.trunk)  # what is wrong is told before anything is made

    async def manned() -> None:
        await _run(plan._replace(desks=await man(simulate_agents or [], scenario.campaigns[0].agents)))

    runner(settings)(manned())


def relay(host: Host = None, health_port: Port = None) -> None:
    """Send call events from the database's outbox to Kafka."""
    from dialer.app import Role
    from dialer.commands.live import Plan

    asyncio.run(_run(Plan(chosen_settings(host=host, health_port=health_port), role=Role.RELAY)))


def projector(host: Host = None, health_port: Port = None) -> None:
    """Project call events from the log into the call records."""
    from dialer.app import Role
    from dialer.commands.live import Plan

    asyncio.run(_run(Plan(chosen_settings(host=host, health_port=health_port), role=Role.PROJECTOR)))


def web(
    host: Host = None,
    port: Annotated[int | None, typer.Option(help="The console's port (DIALER_PORT, 8080); 0 = any free one.")] = None,
) -> None:
    """Serve the console and the API; engines elsewhere dial."""
    from dialer.app import Role
    from dialer.commands.live import Plan

    asyncio.run(_run(Plan(chosen_settings(host=host, port=port), role=Role.WEB)))


async def _run(plan: Plan) -> None:
    from dialer.commands.live import NOTES, live, say_drained
    from dialer.home import Home
    from dialer.service.server import listen

    settings, role = plan.settings, plan.role.value
    Home(settings.home).prepare()
    Home(settings.home).refuse_if_running(NOTES[plan.role])
    health_port = HEALTH_PORTS.get(role, 0) if settings.health_port is None else settings.health_port
    sock = listen(settings.host, health_port if role in HEALTH_PORTS else settings.port)

    async def begin(_dialer: Dialer, url: str | None) -> None:
        out = Console(highlight=False)
        what = "the console; the first visit sets the password" if role == "web" else "/livez, /readyz and /metrics"
        out.print(f"[bold]{url}[/]  {what}", soft_wrap=True)
        out.print(f"dialer {role} runs; Ctrl-C once to finish what is begun, twice to kill")

    async def end(dialer: Dialer, outcome: Outcome) -> None:
        if dialer.role.value == "engine":
            say_drained(outcome)
        else:
            Console(stderr=True, highlight=False).print("stopped")

    await live(plan._replace(sock=sock), begin=begin, end=end)
