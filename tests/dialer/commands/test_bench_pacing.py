"""`dialer bench pacing`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialer.cli import app

SMALL = ["bench", "pacing", "--quick", "--agents", "5", "--answer", "0.3", "--pacer", "predictive", "--jobs", "1"]


def test_it_compares_and_says_what_a_decision_costs() -> None:
    found = CliRunner().invoke(app, [*SMALL, "--json", "-"])
    assert found.exit_code == 0, found.output
    figures = json.loads(found.stdout)
    lines = figures["grids"]["markov"]["lines"]
    assert [line["pacer"] for line in lines] == ["progressive", "predictive"]
    assert lines[1]["occupancy"]["mean"] > lines[0]["occupancy"]["mean"]
    assert lines[1]["optimum"] == pytest.approx(0.7836, abs=0.001)
    assert figures["cost"]["figures"][0]["goal"] == 10


def test_the_report_and_the_json_are_files(tmp_path: Path) -> None:
    found = CliRunner().invoke(
        app, [*SMALL, "--grid", "realistic,shift", "--report", f"{tmp_path}/r", "--json", f"{tmp_path}/f.json"]
    )
    assert found.exit_code == 0, found.output
    assert "falls short" in found.output
    names = {file.name for file in (tmp_path / "r").iterdir()}
    assert {"realistic.json", "shift.json", "report.md", "realistic-teams.png"} <= names
    assert set(json.loads((tmp_path / "f.json").read_text())["grids"]) == {"realistic", "shift"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--grid", "moon"], "markov, realistic, shift"),
        (["--grid", ""], "--grid is empty"),
        (["--agents", "many"], "--agents takes numbers"),
        (["--agents", "0"], "at least one agent"),
        (["--answer", "1.5"], "at most 1"),
        (["--answer", "nan"], "at most 1"),
        (["--pacer", "magic"], "there is no 'magic'; choose from"),
        (["--report", "/proc/nothing/here"], "cannot be made"),
    ],
)
def test_wrong_options_say_what_to_do(options: list[str], says: str) -> None:
    found = CliRunner().invoke(app, ["bench", "pacing", *options])
    assert found.exit_code != 0
    assert says in " ".join((found.output + str(found.exception)).split())
