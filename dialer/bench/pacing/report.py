"""The report: tables in Markdown, the figures as JSON, the curves as pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from dialer.bench.pacing.cells import AHEAD_GOALS, LIMIT, Cell
from dialer.bench.pacing.compare import Comparison, merged
from dialer.bench.pacing.contestants import OURS
from dialer.bench.pacing.summary import ROUNDING, Interval, Line

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_RIVAL = "vicidial-"
_HEADS = {
    "markov": "Markov: exponential handle (120 s) and ring (15 s) times, no grace",
    "realistic": "Realistic: lognormal talk (105 s), 15 s of wrap-up, 2 s grace",
    "shift": "Shift: what changes while it runs",
}


def write(folder: Path, grid: str, comparison: Comparison) -> list[Path]:
    """Write a grid's figures, its pictures, and all grids' tables; return the files.

    Policies and cells that were not played this time stay as the folder has them, when seeds and lengths are the same;
    delete the grid's JSON file to begin anew. The tables go to `report.md`, and between the two `figures` marks of a
    Markdown file beside the folder that has the folder's name. Raises OSError when the folder cannot be written.
    """
    from dialer.bench.pacing.pictures import draw  # noqa: PLC0415 -- matplotlib is an extra and slow to import

    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"{grid}.json"
    if data.exists():
        comparison = merged(msgspec.json.decode(data.read_bytes(), type=Comparison), comparison)
    data.write_bytes(msgspec.json.format(msgspec.json.encode(comparison), indent=1) + b"\n")
    pictures = draw(folder, grid, comparison)
    text = tables(folder)
    written = [data, *pictures, folder / "report.md"]
    written[-1].write_text(text, encoding="utf-8")
    page = folder.with_suffix(".md")
    if page.exists():
        page.write_text(filled(page.read_text(encoding="utf-8"), text), encoding="utf-8")
        written.append(page)
    return written


def filled(page: str, text: str) -> str:
    """Return the page with the text between its marks; unchanged without marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n\n{text}\n{end}{after}" if begin and end else page


def tables(folder: Path) -> str:
    """Return the tables of all grids whose figures are in the folder."""
    parts = []
    for grid, head in _HEADS.items():
        data = folder / f"{grid}.json"
        if data.exists():
            comparison = msgspec.json.decode(data.read_bytes(), type=Comparison)
            parts.append(f"### {head}\n\n{_seeds(comparison)}\n\n{_grid(grid, comparison.lines)}")
    return "\n".join(parts)


def _seeds(comparison: Comparison) -> str:
    length = "" if comparison.share == 1 else f", runs shortened to {100 * comparison.share:g} % of their length"
    return f"{comparison.seeds} seeds{length}; intervals are 95 %."


def _grid(grid: str, lines: Sequence[Line]) -> str:
    ours = [line for line in lines if line.pacer == OURS]
    parts = [(_shifts if grid == "shift" else _steady)(ours)] if ours else []
    parts.append(_everybody(lines))
    if ahead := _ahead(lines):
        parts.append(ahead)
    missed = [f"- {line.cell.title}: {', '.join(line.misses)}." for line in ours if line.misses]
    missed += _behind(lines)
    if ours:
        parts.append("Fell short:\n\n" + "\n".join(missed) + "\n" if missed else "No cell fell short of its goal.\n")
    return "\n".join(parts)


def _steady(lines: Sequence[Line]) -> str:
    rows = []
    for line in lines:
        share = line.share_of_optimum
        rows.append([
            f"{line.cell.agents}", f"{line.cell.p:g}", _interval(line.occupancy),
            "" if line.optimum is None else _percent(line.optimum), "" if share is None else f"{share:.4f}",
            "" if line.goal is None else _percent(line.goal), _interval(line.abandonment), _gain(line.gain),
            f"{line.waits[0]:.0f} / {line.waits[2]:.0f} s", _percent(line.worst_half_hour),
            _percent(line.worst_legal), f"{line.dials_per_connect:.1f}", "no" if line.misses else "yes",
        ])  # fmt: skip
    return _table(
        ["N", "p", "occupancy", "optimum", "of it", "goal", "abandoned", "gain on progressive", "wait mean / 90 %",
         "worst 30 min", "legal counter at most", "dials a connect", "met"], rows,
    )  # fmt: skip


def _shifts(lines: Sequence[Line]) -> str:
    rows = [
        [
            f"{line.cell.agents}", line.cell.change.about, _interval(line.occupancy), _interval(line.abandonment),
            _percent(line.worst_half_hour), _percent(line.worst_legal), f"{line.first_half_hour:.1f}",
            "never" if line.recovered_s is None else f"{line.recovered_s / 60:.0f} min", "no" if line.misses else "yes",
        ]
        for line in lines
    ]  # fmt: skip
    return _table(
        ["N", "shift", "occupancy", "abandoned", "worst 30 min", "legal counter at most",
         "abandoned in the first 30 min", "back within 2 points", "met"], rows,
    )  # fmt: skip


def _everybody(lines: Sequence[Line]) -> str:
    """Occupancy at abandonment, one row a cell; empty where a policy was not played."""
    cells = list(dict.fromkeys(line.cell for line in lines))
    found: dict[tuple[str, Cell], Line] = {(line.pacer, line.cell): line for line in lines}
    pacers = list(dict.fromkeys(line.pacer for line in lines))
    rows = [
        [cell.title, *[_point(found[pacer, cell]) if (pacer, cell) in found else "" for pacer in pacers]]
        for cell in cells
    ]
    over = f"Occupancy @ abandoned, in percent; * more than {100 * LIMIT:g} % abandoned.\n\n"
    return over + _table(["cell", *pacers], rows)


def _ahead(lines: Sequence[Line]) -> str:
    """How far ours is ahead of the best VICIdial that keeps the limit, where one was played."""
    rows = [
        [
            ours.cell.title,
            f"{points:+.1f} points",
            _point(ours),
            _point(best),
            f"{best.pacer}, {best.setting or 'default'}",
        ]
        for ours, best, points in _duels(lines)
    ]
    return "" if not rows else _table(["cell", "ahead of VICIdial by", "ours", "its best", "which is"], rows)


def _duels(lines: Sequence[Line]) -> Iterator[tuple[Line, Line, float]]:
    """Yield our line, the best VICIdial's of the same cell, and the points between them."""
    for ours in lines:
        rivals = [line for line in lines if line.cell == ours.cell and line.pacer.startswith(_RIVAL)]
        if ours.pacer == OURS and rivals:
            lawful = [line for line in rivals if line.abandonment.mean <= LIMIT + ROUNDING]
            best = max(lawful or rivals, key=lambda line: line.occupancy.mean)
            yield ours, best, 100 * (ours.occupancy.mean - best.occupancy.mean)


def _behind(lines: Sequence[Line]) -> list[str]:
    """Say where the goal beside VICIdial is missed."""
    found = []
    for ours, _, points in _duels(lines):
        goal = AHEAD_GOALS.get(ours.cell.agents, 0.0)
        if ours.cell.grid == "realistic" and ours.goal is not None and points < goal:
            found.append(f"- {ours.cell.title}: {points:.1f} points ahead of the best VICIdial; the goal is {goal:g}.")
    return found


def _point(line: Line) -> str:
    mark = "*" if line.abandonment.mean > LIMIT + ROUNDING else ""
    return f"{100 * line.occupancy.mean:.1f} @ {100 * line.abandonment.mean:.1f}{mark}"


def _interval(one: Interval) -> str:
    return f"{100 * one.mean:.2f} % ({100 * one.low:.2f}..{100 * one.high:.2f})"


def _gain(one: Interval) -> str:
    return f"{100 * one.mean:+.0f} %"


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
