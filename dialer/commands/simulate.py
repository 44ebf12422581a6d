"""`dialer simulate`: run the very engine in a virtual world and report what came of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.errors import BadInput

if TYPE_CHECKING:
    from simulator.world import World


def simulate(
    scenario: Annotated[
        str, typer.Argument(help="A shipped scenario's name, or a path to a TOML file.", show_default=False)
    ],
    seed: Annotated[int, typer.Option(help="The same seed gives the same report, byte for byte.")] = 7,
    agents: Annotated[int | None, typer.Option(min=0, help="Agents per campaign, instead of the scenario's.")] = None,
    hours: Annotated[float | None, typer.Option(help="Working hours, instead of the scenario's.")] = None,
    pacer: Annotated[str | None, typer.Option(help="Pacing policy, instead of the scenario's.")] = None,
    best_time: Annotated[
        bool | None, typer.Option("--best-time/--any-time", help="Best time to call, instead of the scenario's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Simulate a scenario: occupancy, abandonment, waits, statuses."""
    from rich.console import Console

    from simulator.report import report, to_json, to_tables
    from simulator.scenario import changed, load
    from simulator.world import World

    if hours is not None and not (math.isfinite(hours) and hours > 0):
        raise BadInput(f"--hours must be a positive number, not {hours}")
    chosen = changed(load(scenario), agents=agents, hours=hours, pacer=pacer, best_time=best_time)
    try:
        world = World(chosen, seed=seed)
    except ValueError as error:  # settings that cannot work: an unknown pacer, a window that never opens
        raise BadInput(f"scenario {scenario}: {error}") from error
    _run(world)
    result = report(world)
    if as_json:
        typer.echo(to_json(result), nl=False)
    else:
        Console().print(to_tables(result))


def _run(world: World) -> None:
    """Run with a progress bar on stderr, which a file or a pipe does not get."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(f"{world.scenario.hours:g} simulated hours", total=1.0)
        world.run(lambda share: progress.update(bar, completed=share))
