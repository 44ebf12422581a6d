"""From runs to lines: intervals, goals, recovery."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.bench.pacing.cells import Cell
from dialer.bench.pacing.play import Run
from dialer.bench.pacing.summary import interval, recovery, summed_up


def run(
    occupancy: float = 0.8,
    abandoned: int = 20,
    busy: tuple[float, ...] = (),
    half_hour: float = 0.04,
    legal: float = 0.02,
) -> Run:
    return Run(
        occupancy=occupancy,
        answered=1000,
        abandoned=abandoned,
        dials_per_connect=5.0,
        waits=(10.0, 8.0, 20.0, 40.0),
        peak_ringing=9,
        worst_half_hour=half_hour,
        worst_legal=legal,
        first_half_hour=1,
        microseconds=50.0,
        busy_by_minute=busy,
    )


@given(st.lists(st.floats(0.1, 1.0), min_size=2, max_size=30))
def test_the_mean_lies_in_its_interval(values: list[float]) -> None:
    found = interval(np.array(values), np.ones(len(values)))
    assert found.mean == pytest.approx(np.mean(values))
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9


def test_an_interval_covers_the_truth_nearly_always() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(200):
        found = interval(rng.normal(0.8, 0.05, 20), np.ones(20))
        hits += found.low <= 0.8 <= found.high
    assert 176 <= hits <= 199  # 20 seeds: the percentile bootstrap covers some 92 to 95 %


def test_goals_and_misses() -> None:
    cell = Cell("markov", 10, 0.2)
    good = summed_up(cell, "predictive", "", [run(0.81)] * 3, reference=[run(0.62, 0)] * 3, best=0.815)
    assert good.goal == pytest.approx(0.99 * 0.815)
    assert good.share_of_optimum == pytest.approx(0.81 / 0.815)
    assert good.gain.mean == pytest.approx(0.19 / 0.62)
    assert good.misses == []
    poor = summed_up(cell, "x", "", [run(0.7, 40, legal=0.031)] * 3, reference=[run()] * 3, best=0.815)
    assert len(poor.misses) == 3


def test_recovery_is_the_first_time_within_two_points() -> None:
    cell = Cell("shift", 20, 0.2, "storm")
    busy = (*[0.9] * 180, *[0.5] * 12, *[0.9] * 300)
    assert recovery(cell, [run(busy=busy)] * 2) == pytest.approx(12 * 60)
    assert recovery(Cell("markov", 20, 0.2), [run()]) is None


def test_a_shift_is_judged_by_its_worst_half_hour() -> None:
    cell = Cell("shift", 20, 0.2, "storm")
    busy = (*[0.9] * 180, *[0.9] * 300)
    fine = summed_up(cell, "predictive", "", [run(busy=busy)], reference=[run()], best=None)
    assert fine.misses == []
    bad = summed_up(cell, "predictive", "", [run(busy=busy, half_hour=0.09)], reference=[run()], best=None)
    assert "9.0 %" in bad.misses[0]
