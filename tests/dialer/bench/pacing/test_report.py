"""The report is made of the figures."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from dialer.bench.pacing.cells import Cell
from dialer.bench.pacing.compare import Comparison, Plan, compare, merged
from dialer.bench.pacing.report import BEGIN, END, filled, tables, write


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    cells = (Cell("markov", 5, 0.3), Cell("markov", 10, 0.3))
    return compare(Plan(cells, ("predictive",), (1, 2), jobs=2, share=0.02))


def test_the_report_is_made_of_the_figures_and_fills_the_page_beside_it(comparison: Comparison, tmp_path: Path) -> None:
    page = tmp_path / "pacing.md"
    page.write_text(f"before\n{BEGIN}old{END}\nafter\n")
    files = write(tmp_path / "pacing", "markov", comparison)
    assert {file.name for file in files} == {
        "markov.json", "markov-curves.png", "markov-teams.png", "report.md", "pacing.md",
    }  # fmt: skip
    assert all(file.stat().st_size for file in files)
    stored = msgspec.json.decode((tmp_path / "pacing/markov.json").read_bytes(), type=Comparison)
    assert stored == comparison
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert tables(tmp_path / "pacing") in text
    assert "old" not in text
    assert "| 10 | 0.3 |" in text


def test_what_was_not_played_again_stays(comparison: Comparison, tmp_path: Path) -> None:
    folder = tmp_path / "pacing"
    write(folder, "markov", comparison)
    more = compare(Plan((Cell("markov", 5, 0.3),), ("vicidial-hard-y",), (1, 2), share=0.02, curves=False, tune=False))
    write(folder, "markov", more)
    stored = msgspec.json.decode((folder / "markov.json").read_bytes(), type=Comparison)
    assert [(line.cell.agents, line.pacer) for line in stored.lines] == [
        (5, "progressive"), (5, "predictive"), (5, "vicidial-hard-y"), (10, "progressive"), (10, "predictive"),
    ]  # fmt: skip
    assert stored.curves == comparison.curves
    rows = [line for line in tables(folder).splitlines() if "points |" in line]
    assert len(rows) == 1
    assert "vicidial-hard-y, default" in rows[0]


def test_runs_of_another_length_are_not_mixed(comparison: Comparison) -> None:
    longer = msgspec.structs.replace(comparison, share=1.0, lines=comparison.lines[:1])
    assert merged(comparison, longer) == longer


def test_a_page_without_marks_stays_as_it_is() -> None:
    assert filled("nothing to see", "tables") == "nothing to see"


def test_a_goal_beside_vicidial_that_is_missed_is_named(tmp_path: Path) -> None:
    cell = Cell("realistic", 10, 0.2)
    played = compare(Plan((cell,), ("predictive", "vicidial-hard-y"), (1,), share=0.03, curves=False, tune=False))
    write(tmp_path, "realistic", played)
    (ours,) = [line for line in played.lines if line.pacer == "predictive"]
    (best,) = [line for line in played.lines if line.pacer == "vicidial-hard-y"]
    missed = 100 * (ours.occupancy.mean - best.occupancy.mean) < 15
    assert ("ahead of the best VICIdial; the goal is 15" in tables(tmp_path)) == missed
