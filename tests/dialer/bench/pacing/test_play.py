"""One played day."""

from __future__ import annotations

import msgspec
import pytest

from dialer.bench.pacing.cells import Cell
from dialer.bench.pacing.contestants import Contestant
from dialer.bench.pacing.play import play, worst_window
from dialer.core.pacing.centre import Minute

SHORT = 0.1


def timeless(run: object) -> object:
    return msgspec.structs.replace(run, microseconds=0.0)  # type: ignore[type-var]


def test_the_same_seed_is_the_same_day() -> None:
    cell, one = Cell("realistic", 10, 0.2), Contestant("predictive")
    assert timeless(play(cell, one, 3, share=SHORT)) == timeless(play(cell, one, 3, share=SHORT))
    assert play(cell, one, 3, share=SHORT).occupancy != play(cell, one, 4, share=SHORT).occupancy


def test_progressive_abandons_nobody_and_predictive_keeps_the_team_busier_within_the_law() -> None:
    cell = Cell("realistic", 10, 0.2)
    plain, ours = (play(cell, Contestant(name), 1, share=0.2) for name in ("progressive", "predictive"))
    assert plain.abandoned == 0
    assert ours.occupancy > plain.occupancy + 0.15
    assert ours.worst_legal <= 0.03
    assert ours.waits[0] < plain.waits[0]
    assert ours.waits[1] <= ours.waits[2] <= ours.waits[3]


def test_progressive_is_near_the_textbooks_formula() -> None:
    run = play(Cell("markov", 20, 0.3), Contestant("progressive"), 1)
    assert run.occupancy == pytest.approx(120 / (120 + 15 / 0.3), abs=0.02)
    assert run.dials_per_connect == pytest.approx(1 / 0.3, rel=0.05)


def test_on_a_first_day_nobody_is_risked_before_the_law_has_room() -> None:
    run = play(Cell("shift", 20, 0.2, "cold"), Contestant("predictive"), 1, share=0.1)
    assert run.worst_legal <= 0.03
    assert len(run.busy_by_minute) == 48


def test_the_worst_window() -> None:
    minutes = [Minute() for _ in range(5)]
    for minute, (answered, abandoned) in zip(minutes, [(10, 0), (10, 1), (10, 3), (10, 0), (10, 0)], strict=True):
        minute.answered, minute.abandoned = answered, abandoned
    assert worst_window(minutes, 2) == pytest.approx(4 / 20)
    assert worst_window(minutes, 30) == pytest.approx(4 / 50)
