"""What a measurement says: figures with their goals, and how they are taken so that a busy machine cannot lie."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Literal

import msgspec
from rich.console import RenderableType
from rich.table import Table

Step = Callable[[str], None]
"""Told what is done now."""
Pair = tuple[float, float]
"""Seconds of the one and of the other, measured one right after the other."""
_WHOLE = 1000
"""From here on fractions say nothing to people."""


class Figure(msgspec.Struct, frozen=True):
    """One number; a figure without a goal is there to explain the others."""

    name: str
    value: float
    unit: str = ""
    goal: float | None = None
    better: Literal["at least", "at most"] | None = None
    met: bool | None = None
    """None: there is no goal."""


class Result(msgspec.Struct, frozen=True):
    """What one measurement came to, and with which settings."""

    bench: str
    settings: dict[str, float]
    figures: list[Figure]


def at_least(name: str, value: float, goal: float, unit: str = "") -> Figure:
    """Return a figure that is good when it is high."""
    return Figure(name, _short(value), unit, goal, "at least", value >= goal)


def at_most(name: str, value: float, goal: float, unit: str = "") -> Figure:
    """Return a figure that is good when it is low."""
    return Figure(name, _short(value), unit, goal, "at most", value <= goal)


def plain(name: str, value: float, unit: str = "") -> Figure:
    """Return a figure that explains others; absolute ones belong to the machine of the run."""
    return Figure(name, _short(value), unit)


def ratio(pairs: Sequence[Pair]) -> float:
    """Return how quick the first is beside the second (1 = as quick): the median over pairs measured together."""
    return median(second / first for first, second in pairs)


def best(seconds: Sequence[float]) -> float:
    """Return the time that was disturbed least."""
    return min(seconds)


def timed(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the seconds that the work took by the clock."""
    began = clock()
    work()
    return clock() - began


def to_table(results: Sequence[Result]) -> RenderableType:
    """Return the table for people."""
    table = Table("bench", "figure", title="dialer bench")
    for heading in ("value", "goal"):
        table.add_column(heading, justify="right")
    table.add_column("met")
    for result in results:
        for number, figure in enumerate(result.figures):
            table.add_row(result.bench if number == 0 else "", figure.name, *_cells(figure))
        table.add_section()
    return table


def _cells(figure: Figure) -> tuple[str, str, str]:
    unit = f" {figure.unit}" if figure.unit else ""
    goal = "" if figure.goal is None else f"{figure.better} {figure.goal:,g}{unit}"
    met = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}[figure.met]
    return f"{figure.value:,.0f}{unit}" if figure.value >= _WHOLE else f"{figure.value:g}{unit}", goal, met


def _short(value: float) -> float:
    return float(f"{value:.4g}")
