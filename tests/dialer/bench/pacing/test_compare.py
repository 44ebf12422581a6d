"""A whole comparison, small: two processes, tuning on other seeds, curves, the optimum beside it."""

from __future__ import annotations

import pytest

from dialer.bench.pacing.cells import LIMIT, Cell
from dialer.bench.pacing.compare import TUNING_SEEDS, Comparison, Plan, best_setting, compare
from dialer.bench.pacing.contestants import Contestant, settings_of
from dialer.bench.pacing.play import play

SEEDS = (1, 2)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    cells = (Cell("markov", 5, 0.3), Cell("markov", 10, 0.3))
    return compare(Plan(cells, ("ratio", "predictive"), SEEDS, jobs=2, share=0.02))


def test_progressive_plays_unasked_and_every_cell_has_every_policy(comparison: Comparison) -> None:
    found = [(line.cell.agents, line.pacer) for line in comparison.lines]
    assert found == [(n, name) for n in (5, 10) for name in ("progressive", "ratio", "predictive")]
    assert all(line.optimum is not None for line in comparison.lines)
    assert all(line.setting for line in comparison.lines if line.pacer == "ratio")


def test_the_lines_are_the_runs_of_the_seeds(comparison: Comparison) -> None:
    cell = Cell("markov", 10, 0.3)
    (line,) = [one for one in comparison.lines if one.cell == cell and one.pacer == "predictive"]
    runs = [play(cell, Contestant("predictive"), seed, share=0.02) for seed in SEEDS]
    assert line.occupancy.mean == pytest.approx(sum(run.occupancy for run in runs) / 2)


def test_no_seed_is_both_tuned_on_and_reported() -> None:
    assert not set(TUNING_SEEDS) & set(range(1, 1001))


def test_the_curves_have_the_exact_one_among_them(comparison: Comparison) -> None:
    names = [curve.pacer for curve in comparison.curves]
    assert names == ["progressive", "ratio", "predictive", "optimum"]
    assert all(len(curve.points) == len(settings_of("ratio")) for curve in comparison.curves if curve.pacer == "ratio")


def test_tuning_takes_the_busiest_within_the_limit_or_else_the_most_careful() -> None:
    cell = Cell("markov", 10, 0.2)
    runs = {one: [play(cell, one, 1001, share=0.1)] for one in settings_of("ratio")}
    best = best_setting(runs)
    assert runs[best][0].abandonment <= LIMIT
    assert all(
        runs[best][0].occupancy >= played.occupancy for (played,) in runs.values() if played.abandonment <= LIMIT
    )
    wild = {one: played for one, played in runs.items() if played[0].abandonment > LIMIT}
    assert wild
    assert best_setting(wild) == min(wild, key=lambda one: wild[one][0].abandonment)
