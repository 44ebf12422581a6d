"""The curves as pictures (matplotlib, the extra `bench`)."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dialer.bench.pacing.cells import LIMIT
from dialer.bench.pacing.compare import Comparison
from dialer.bench.pacing.contestants import OURS
from dialer.bench.pacing.summary import Curve, Line

_SIZE = (8.0, 5.0)
_DPI = 110


def draw(folder: Path, grid: str, comparison: Comparison) -> list[Path]:
    """Draw what there is: curves of a cell, occupancy over team size; return the files."""
    files = []
    curves = [curve for curve in comparison.curves if curve.cell.grid == grid]
    if curves:
        files.append(_curves(folder / f"{grid}-curves.png", curves))
    if grid != "shift" and comparison.lines:
        files.append(_teams(folder / f"{grid}-teams.png", comparison.lines))
    return files


def _curves(file: Path, curves: list[Curve]) -> Path:
    figure, axes = plt.subplots(figsize=_SIZE, layout="constrained")
    for curve in curves:
        x = [100 * point.abandonment for point in curve.points]
        y = [100 * point.occupancy for point in curve.points]
        style = "--" if curve.pacer == "optimum" else "-"
        axes.plot(x, y, style, marker="o", markersize=4, linewidth=2 if curve.pacer == OURS else 1, label=curve.pacer)
    axes.axvline(100 * LIMIT, color="grey", linewidth=0.8, linestyle=":")
    axes.set(xlabel="abandoned / answered, %", ylabel="occupancy, %", xlim=(-0.2, 10), title=curves[0].cell.title)
    return _saved(file, figure, axes)


def _teams(file: Path, lines: list[Line]) -> Path:
    figure, axes = plt.subplots(figsize=_SIZE, layout="constrained")
    p = min({line.cell.p for line in lines}, key=lambda one: abs(one - 0.2))
    mine = [line for line in lines if line.cell.p == p]
    for pacer in dict.fromkeys(line.pacer for line in mine):
        drawn = sorted((line for line in mine if line.pacer == pacer), key=lambda line: line.cell.agents)
        x = [line.cell.agents for line in drawn]
        mean = [100 * line.occupancy.mean for line in drawn]
        spread = [
            [100 * (line.occupancy.mean - line.occupancy.low) for line in drawn],
            [100 * (line.occupancy.high - line.occupancy.mean) for line in drawn],
        ]
        axes.errorbar(x, mean, yerr=spread, marker="o", markersize=4, capsize=3, label=pacer)
    best = sorted({(line.cell.agents, line.optimum) for line in mine if line.optimum is not None})
    if best:
        axes.plot([n for n, _ in best], [100 * u for _, u in best], "k--", linewidth=1, label="optimum")
    axes.set(xscale="log", xlabel="agents", ylabel="occupancy, %", title=f"{mine[0].cell.grid}, p = {p:g}")
    axes.set_xticks(
        sorted({line.cell.agents for line in mine}), sorted({f"{line.cell.agents}" for line in mine}, key=int)
    )
    return _saved(file, figure, axes)


def _saved(file: Path, figure: Figure, axes: Axes) -> Path:
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(file, dpi=_DPI, metadata={"Software": None})  # the same figures, the same bytes
    plt.close(figure)
    return file
