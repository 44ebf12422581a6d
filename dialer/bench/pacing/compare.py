"""Play every policy in every cell with every seed, tuned on other seeds, on several processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import msgspec

from dialer.bench.pacing.cells import LIMIT, Cell
from dialer.bench.pacing.contestants import Contestant, curve_of, names, settings_of
from dialer.bench.pacing.mdp import Model, optimum
from dialer.bench.pacing.people import SHIFTS
from dialer.bench.pacing.play import Run, play
from dialer.bench.pacing.summary import Curve, Line, Point, summed_up

TUNING_SEEDS = (1001, 1002, 1003)
"""Never reported."""
REFERENCE = "progressive"
"""What the predictive gain is measured against: always played."""
CURVE_LIMITS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07)
"""Of the exact optimum's curve."""
_CURVE_AGENTS, _CURVE_P = 10, 0.2

Told = Callable[[int, int, str], None]
"""(done, of, what is played now)."""


class Plan(msgspec.Struct, frozen=True):
    """What to compare."""

    cells: tuple[Cell, ...]
    pacers: tuple[str, ...]
    seeds: tuple[int, ...]
    jobs: int = 1
    share: float = 1.0
    """Of the length of a run."""
    curves: bool = True
    tune: bool = True
    """Else every policy plays with its default setting."""


class Task(msgspec.Struct, frozen=True):
    """One run."""

    cell: Cell
    contestant: Contestant
    seed: int
    share: float


class Comparison(msgspec.Struct, frozen=True):
    """What a comparison came to."""

    seeds: int
    share: float
    lines: list[Line]
    curves: list[Curve]


def merged(old: Comparison, new: Comparison) -> Comparison:
    """Return `new` with what only `old` has played; `new` alone when their seeds or lengths differ."""
    if (old.seeds, old.share) != (new.seeds, new.share):
        return new
    lines = {(line.cell, line.pacer): line for line in (*old.lines, *new.lines)}
    curves = {(curve.cell, curve.pacer): curve for curve in (*old.curves, *new.curves)}
    order = {name: place for place, name in enumerate((REFERENCE, *names()))}
    shifts = list(SHIFTS)

    def place(key: tuple[Cell, str]) -> tuple[float, ...]:
        cell, pacer = key
        shift = shifts.index(cell.shift) if cell.shift in SHIFTS else -1
        return (cell.agents, shift, cell.p, order.get(pacer, len(order)))

    return Comparison(
        new.seeds,
        new.share,
        [lines[key] for key in sorted(lines, key=place)],
        [curves[key] for key in sorted(curves, key=place)],
    )


def compare(plan: Plan, told: Told = lambda *_: None) -> Comparison:
    """Play the plan; deterministic but for the times that the machine took."""
    pacers = tuple(dict.fromkeys((REFERENCE, *plan.pacers)))
    with ProcessPoolExecutor(plan.jobs, mp_context=get_context("spawn")) as pool:
        tuned = _tuned(pool, plan, pacers, told)
        tasks = [
            Task(cell, tuned[cell, pacer], seed, plan.share)
            for cell in plan.cells
            for pacer in pacers
            for seed in plan.seeds
        ]
        runs = _played(pool, tasks, told)
        bounds = dict(zip(plan.cells, pool.map(bound, plan.cells), strict=True))
        curves = _curves(pool, plan, pacers, told) if plan.curves else []
    lines = []
    for cell in plan.cells:
        by_pacer = {pacer: [runs[Task(cell, tuned[cell, pacer], seed, plan.share)] for seed in plan.seeds]
                    for pacer in pacers}  # fmt: skip
        for pacer in pacers:
            setting = tuned[cell, pacer].setting
            mine, plain = by_pacer[pacer], by_pacer[REFERENCE]
            lines.append(summed_up(cell, pacer, setting, mine, reference=plain, best=bounds[cell], share=plan.share))
    return Comparison(len(plan.seeds), plan.share, lines, curves)


def bound(cell: Cell) -> float | None:
    """Return the exact optimum of a steady Markov cell, None for others."""
    return optimum(Model(cell.agents, cell.p), LIMIT).occupancy if cell.grid == "markov" else None


def run_task(task: Task) -> Run:
    """Play one run, in whatever process."""
    return play(task.cell, task.contestant, task.seed, share=task.share)


def best_setting(played: Mapping[Contestant, Sequence[Run]]) -> Contestant:
    """Return the setting with the highest occupancy among those within the limit; else the one nearest to the limit."""

    def abandonment(runs: Sequence[Run]) -> float:
        return sum(run.abandoned for run in runs) / max(1, sum(run.answered for run in runs))

    def occupancy(runs: Sequence[Run]) -> float:
        return sum(run.occupancy for run in runs) / len(runs)

    within = [one for one, runs in played.items() if abandonment(runs) <= LIMIT]
    if within:
        return max(within, key=lambda one: occupancy(played[one]))
    return min(played, key=lambda one: abandonment(played[one]))


def _played(pool: ProcessPoolExecutor, tasks: Sequence[Task], told: Told) -> dict[Task, Run]:
    done: dict[Task, Run] = {}
    for task, run in zip(tasks, pool.map(run_task, tasks), strict=True):
        done[task] = run
        told(len(done), len(tasks), f"{task.cell.title}, {task.contestant.pacer}")
    return done


def _tuned(
    pool: ProcessPoolExecutor, plan: Plan, pacers: Sequence[str], told: Told
) -> dict[tuple[Cell, str], Contestant]:
    choices = {pacer: settings_of(pacer)[: None if plan.tune else 1] for pacer in pacers}
    tasks = [
        Task(cell, one, seed, plan.share)
        for cell in dict.fromkeys(cell.tuned_on for cell in plan.cells)
        for pacer in pacers
        if len(choices[pacer]) > 1
        for one in choices[pacer]
        for seed in TUNING_SEEDS
    ]
    runs = _played(pool, tasks, lambda done, of, what: told(done, of, f"tuning: {what}"))
    return {
        (cell, pacer): choices[pacer][0]
        if len(choices[pacer]) == 1
        else best_setting(
            {one: [runs[Task(cell.tuned_on, one, seed, plan.share)] for seed in TUNING_SEEDS] for one in choices[pacer]}
        )
        for cell in plan.cells
        for pacer in pacers
    }


def _curves(pool: ProcessPoolExecutor, plan: Plan, pacers: Sequence[str], told: Told) -> list[Curve]:
    """Return the curves of one cell of each steady grid, by the tuning seeds."""
    found = []
    for grid in dict.fromkeys(cell.grid for cell in plan.cells if cell.grid != "shift"):
        mine = [cell for cell in plan.cells if cell.grid == grid]
        cell = min(mine, key=lambda one: (abs(one.agents - _CURVE_AGENTS), abs(one.p - _CURVE_P)))
        tasks = [
            Task(cell, one, seed, plan.share) for pacer in pacers for one in curve_of(pacer) for seed in TUNING_SEEDS
        ]
        runs = _played(pool, tasks, lambda done, of, what: told(done, of, f"curves: {what}"))
        for pacer in pacers:
            points = []
            for one in curve_of(pacer):
                played = [runs[Task(cell, one, seed, plan.share)] for seed in TUNING_SEEDS]
                answered, abandoned = sum(run.answered for run in played), sum(run.abandoned for run in played)
                busy = sum(run.occupancy for run in played) / len(played)
                points.append(Point(abandoned / max(1, answered), busy, one.setting))
            found.append(Curve(cell, pacer, sorted(points, key=lambda point: point.abandonment)))
        if grid == "markov":
            exact = [optimum(Model(cell.agents, cell.p), limit) for limit in CURVE_LIMITS]
            found.append(Curve(cell, "optimum", [Point(one.abandonment, one.occupancy) for one in exact]))
    return found
