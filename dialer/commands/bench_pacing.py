"""`dialer bench pacing`: policies side by side against the same people, and against the exact optimum."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from dialer.errors import BadInput

if TYPE_CHECKING:
    from dialer.bench.figures import Result
    from dialer.bench.pacing.compare import Comparison, Plan

_Number = TypeVar("_Number", int, float)
_MOST_SEEDS = 1000
_QUICK_SHARE = 0.1
_QUICK_SHIFT_SHARE = 0.3
_QUICK_SEEDS = 2
_NAME_WIDTH = 20
"""A policy's name is never cut: six of them begin alike."""


def pacing_command(
    grid: Annotated[str, typer.Option(help="markov, realistic, shift, or several with commas.")] = "markov",
    agents: Annotated[str, typer.Option(help="Team sizes with commas; empty: 5,10,20,50,100, for shifts 20.")] = "",
    answer: Annotated[str, typer.Option(help="Answer rates with commas; empty: .1,.2,.3,.5.")] = "",
    pacer: Annotated[str, typer.Option(help="Policies with commas; empty: all. Progressive always plays.")] = "",
    seeds: Annotated[int, typer.Option(min=1, max=_MOST_SEEDS, help="Days with different people.")] = 20,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 2,
    curves: Annotated[bool, typer.Option(help="Also the curve of occupancy over abandonment.")] = True,
    quick: Annotated[
        bool, typer.Option("--quick", help="One team, 2 short days, nothing tuned: under a minute.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures here; - = standard output.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write tables and pictures into this folder.")] = None,
) -> None:
    """Compare pacing policies: same people for all, tuned on other seeds, beside the exact optimum.

    Occupancy is (talk + wrap-up) / staffed time; abandoned = answered by a person and no agent in time.
    """
    grids = _names("grid", grid)
    plans = {
        one: _plan(one, agents=agents, answer=answer, pacer=pacer, seeds=seeds, jobs=jobs, curves=curves, quick=quick)
        for one in grids
    }
    if report is not None:
        _check_report(report)
    _run(plans, json_file, report)


def _plan(grid: str, *, agents: str, answer: str, pacer: str, seeds: int, jobs: int, curves: bool, quick: bool) -> Plan:
    from dialer.bench.pacing.cells import AGENTS, ANSWERS, cells_of
    from dialer.bench.pacing.compare import Plan
    from dialer.bench.pacing.contestants import names

    known = names()
    chosen = tuple(_names("pacer", pacer)) if pacer.strip() else tuple(known)
    for name in chosen:
        if name not in known:
            raise BadInput(f"--pacer: there is no {name!r}; choose from {', '.join(known)}")
    teams = _numbers("agents", agents, int) or ((20,) if grid == "shift" else (10,) if quick else AGENTS)
    shares = _numbers("answer", answer, float) or ((0.2,) if quick else ANSWERS)
    try:
        cells = cells_of(grid, teams, shares)
    except ValueError as error:
        raise BadInput(f"--{error}") from error
    if quick:
        share = _QUICK_SHIFT_SHARE if grid == "shift" else _QUICK_SHARE
        return Plan(tuple(cells), chosen, tuple(range(1, 1 + _QUICK_SEEDS)), jobs, share, curves=False, tune=False)
    return Plan(tuple(cells), chosen, tuple(range(1, 1 + seeds)), jobs, curves=curves)


def _names(option: str, text: str) -> list[str]:
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise BadInput(f"--{option} is empty; give at least one")
    return list(dict.fromkeys(found))


def _numbers(option: str, text: str, kind: Callable[[str], _Number]) -> tuple[_Number, ...]:
    if not text.strip():
        return ()
    try:
        return tuple(kind(part) for part in _names(option, text))
    except ValueError as error:
        raise BadInput(f"--{option} takes numbers with commas between them, not {text!r}") from error


def _check_report(folder: Path) -> None:
    """Find out before the hours of work whether the report can be written."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise BadInput('--report draws with matplotlib, which is not installed: pip install "predictive-dialer[bench]"')
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--report: the folder {folder} cannot be made: {error.strerror or error}") from error


def _run(plans: dict[str, Plan], json_file: Path | None, report: Path | None) -> None:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from dialer.bench.pacing.compare import compare
    from dialer.bench.pacing.cost import bench_cost
    from dialer.bench.pacing.report import write

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    found = {}
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("a decision's cost", total=None)
        cost = bench_cost(lambda words: progress.update(bar, description=words))
        for grid, plan in plans.items():

            def told(done: int, of: int, what: str) -> None:
                progress.update(bar, completed=done, total=of, description=what)

            found[grid] = compare(plan, told)
    if json_file is not None:
        _write_json(json_file, cost, found)
    if json_file is None or str(json_file) != "-":
        _show(cost, found)
    if report is not None:
        for grid, comparison in found.items():
            for file in write(report, grid, comparison):
                console.print(f"written: {file}", highlight=False, soft_wrap=True)


def _write_json(file: Path, cost: Result, found: dict[str, Comparison]) -> None:
    import msgspec

    text = msgspec.json.format(msgspec.json.encode({"cost": cost, "grids": found}), indent=2)
    if str(file) == "-":
        typer.echo(text.decode())
        return
    try:
        file.write_bytes(text + b"\n")
    except OSError as error:
        raise BadInput(f"--json: {file} cannot be written: {error.strerror or error}") from error


def _show(cost: Result, found: dict[str, Comparison]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from dialer.bench.figures import to_table
    from dialer.bench.pacing.contestants import OURS

    console = Console()
    for grid, comparison in found.items():
        table = Table("cell", title=f"pacing, {grid}, {comparison.seeds} seeds", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        table.add_column("policy", overflow="fold", min_width=_NAME_WIDTH)
        for heading in ("busy", "of best", "abandoned", "gain", "worst ½ h"):
            table.add_column(heading, justify="right")
        for line in comparison.lines:
            share = line.share_of_optimum
            table.add_row(
                line.cell.title.removeprefix(f"{grid} "),
                f"{line.pacer}, {line.setting}" if line.setting else line.pacer,
                f"{100 * line.occupancy.mean:.1f} %",
                "" if share is None else f"{share:.3f}",
                f"{100 * line.abandonment.mean:.2f} %",
                f"{100 * line.gain.mean:+.0f} %",
                f"{100 * line.worst_half_hour:.1f} %",
            )
        console.print(table)
        for line in comparison.lines:
            if line.pacer == OURS and line.misses:
                console.print(f"falls short: {line.cell.title}: {', '.join(line.misses)}", highlight=False)
    console.print(to_table([cost]))
