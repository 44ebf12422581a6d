"""`dialer up`: run everything of one installation in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec
import typer
from rich.console import Console

from dialer.commands.context import settings as chosen_settings
from dialer.commands.overrides import read_overrides
from dialer.errors import BadInput

if TYPE_CHECKING:
    from dialer.app import Dialer, Outcome
    from dialer.config import Settings
    from simulator.profile import AgentProfile

SimulateAgents: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="CAMPAIGN=N: sign in N simulated agents; may be repeated.")
]
Carrier: TypeAlias = Annotated[
    str, typer.Option(help="Whose mix of callees the simulated trunk plays: a scenario name or file.")
]
Seed: TypeAlias = Annotated[int, typer.Option(help="The simulated trunk's seed.")]
Overrides: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE.toml", help="Per-trunk override table (DIALER_OVERRIDES).")
]
CarrierLog: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        envvar="DIALER_CARRIER_LOG", help="Append each INVITE that the simulated carrier sees: time, call id, number."
    ),
]


def up(
    port: Annotated[int | None, typer.Option(help="The console's port (DIALER_PORT, 8080); 0 = any free one.")] = None,
    host: Annotated[str | None, typer.Option(help="The console's address (DIALER_HOST, 127.0.0.1).")] = None,
    simulate_agents: SimulateAgents = None,
    carrier: Carrier = "vn-mobile",
    seed: Seed = 7,
    overrides: Overrides = None,
    carrier_log: CarrierLog = None,
) -> None:
    """Run the engine, the projector and the console in one process until SIGTERM or Ctrl-C.

    The trunk is the carrier simulator, which calls nobody, unless DIALER_TRUNK says sip or asterisk.
    """
    settings = chosen_settings(port=port, host=host, overrides=overrides)
    runner(settings)(_up(settings, desks=simulate_agents or [], carrier=carrier, seed=seed, log=carrier_log))


async def _up(settings: Settings, *, desks: list[str], carrier: str, seed: int, log: Path | None) -> None:
    from dialer.commands.live import Plan, adapters, live, say_drained
    from dialer.home import Home
    from dialer.service.server import listen
    from simulator.scenario import load

    scenario = load(carrier)
    table = read_overrides(settings.overrides)
    plan = Plan(settings, carrier=scenario.carrier, seed=seed, carrier_log=log, overrides=table)
    adapters(plan).check(settings.trunk)  # what is wrong is told before anything is made
    Home(settings.home).prepare()
    Home(settings.home).refuse_if_running()
    sock = listen(settings.host, settings.port)
    plan = plan._replace(desks=await man(desks, scenario.campaigns[0].agents), sock=sock)

    async def begin(_dialer: Dialer, url: str | None) -> None:
        out = Console(highlight=False)
        out.print(f"[bold]{url}[/]  the console; the first visit sets the password", soft_wrap=True)
        out.print(told_trunk(settings), soft_wrap=True)
        out.print("stop: Ctrl-C once to let calls finish, twice to cut")

    async def end(_dialer: Dialer, outcome: Outcome) -> None:
        say_drained(outcome)

    await live(plan, begin=begin, end=end)


def runner(settings: Settings) -> Callable[[Coroutine[Any, Any, None]], None]:
    """Return what runs the event loop of a process that dials: SIP takes a third less processor time on uvloop."""
    if settings.trunk != "sip":
        return asyncio.run
    from telephony_adapters.wire.collecting import collect_seldom
    from telephony_adapters.wire.uvloops import run

    collect_seldom()
    return run


def told_trunk(settings: Settings) -> str:
    """Say whether this process calls anybody."""
    if settings.trunk == "simulator":
        return "trunk: the carrier simulator (no real number is called)"
    if settings.trunk == "asterisk":
        return f"Asterisk: the servers of {settings.asterisk_file} ([bold]real calls[/])"
    return f"trunks: those of {settings.trunks_file} ([bold]real calls[/])"


async def man(texts: list[str], profile: AgentProfile) -> dict[int, AgentProfile]:
    """Return the simulated agents of each campaign, by its id; raise BadInput for what is not CAMPAIGN=N."""
    counts = await _desk_counts(texts)
    return {id_: msgspec.structs.replace(profile, count=number) for id_, number in counts.items()}


async def _desk_counts(texts: list[str]) -> dict[int, int]:
    from crm.campaigns import read_status
    from dialer.commands.context import open_store

    counts: dict[int, int] = {}
    async with open_store() as store:
        for text in texts:
            name, _, number = text.rpartition("=")
            if not name or not number.isdecimal():
                raise BadInput(f"--simulate-agents {text!r}: write CAMPAIGN=N, such as spring=20")
            (campaign,) = await read_status(store.engine, name, now=store.now())
            counts[campaign.campaign_id] = int(number)
    return counts
