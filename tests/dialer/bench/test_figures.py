from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from dialer.bench.figures import Result, at_least, at_most, plain, ratio, timed, to_table


def test_a_figure_knows_whether_its_goal_is_met() -> None:
    assert at_least("quick", 0.5, 0.5).met is True
    assert at_least("quick", 0.49, 0.5).met is False
    assert at_most("small", 600.0, 600.0).met is True
    assert at_most("small", 601.0, 600.0).met is False
    assert plain("other", 1.0).met is None


def test_values_are_cut_to_what_a_noisy_run_can_say_but_goals_are_judged_before() -> None:
    figure = at_least("quick", 0.299999, 0.3)
    assert (figure.value, figure.met) == (0.3, False)


def test_a_ratio_is_the_median_of_pairs_measured_together() -> None:
    assert ratio([(2.0, 1.0), (20.0, 10.0), (1.0, 50.0)]) == pytest.approx(0.5)


def test_time_is_taken_by_the_given_clock() -> None:
    ticks = iter([3.0, 7.5])
    assert timed(lambda: None, lambda: next(ticks)) == pytest.approx(4.5)


def test_the_table_names_what_was_not_met() -> None:
    console = Console(width=160, file=StringIO())
    console.print(to_table([Result("one", {}, [at_least("quick", 0.1, 0.5), plain("rows", 12_345.0, "rows")])]))
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    assert "at least 0.5" in text
    assert "no" in text
    assert "12,340 rows" in text
