"""The cells and the lengths of their runs."""

from __future__ import annotations

import pytest

from dialer.bench.pacing.cells import Cell, cells_of
from dialer.bench.pacing.people import SHIFTS


def test_a_steady_grid_is_teams_by_answer_rates() -> None:
    assert cells_of("markov", (5, 10), (0.1, 0.2)) == [
        Cell("markov", 5, 0.1), Cell("markov", 5, 0.2), Cell("markov", 10, 0.1), Cell("markov", 10, 0.2),
    ]  # fmt: skip


def test_the_shift_grid_has_every_shift() -> None:
    assert [cell.shift for cell in cells_of("shift", (20,), (0.1,))] == list(SHIFTS)


def test_a_shift_comes_as_a_surprise_to_what_was_tuned() -> None:
    assert Cell("shift", 20, 0.5, "fewer-answers").tuned_on == Cell("realistic", 20, 0.5)


def test_a_first_day_is_measured_from_its_first_minute() -> None:
    assert Cell("shift", 20, 0.2, "cold").warm_up_s == 0
    assert Cell("markov", 100, 0.2).measured_s < Cell("markov", 5, 0.2).measured_s


@pytest.mark.parametrize(
    ("grid", "agents", "p", "names"),
    [
        ("moon", 5, 0.2, "markov"),
        ("markov", 0, 0.2, "agents"),
        ("markov", 5, 0.0, "answer"),
        ("markov", 5, 1.5, "answer"),
    ],
)
def test_what_cannot_be_is_refused(grid: str, agents: int, p: float, names: str) -> None:
    with pytest.raises(ValueError, match=names):
        cells_of(grid, (agents,), (p,))
