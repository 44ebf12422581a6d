from __future__ import annotations

from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from dialer.commands.bench import app
from dialer.errors import BadInput

FIELDS = {"name", "value", "unit", "goal", "better", "met"}
RUNNER = CliRunner()


def measured(*words: str) -> dict[str, dict[str, Any]]:
    """Run a bench and return its results by name, after looking at the form of each."""
    done = RUNNER.invoke(app, [*words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    results = {result["bench"]: result for result in msgspec.json.decode(done.stdout)["results"]}
    for result in results.values():
        assert set(result) == {"bench", "settings", "figures"}
        for figure in result["figures"]:
            assert set(figure) == FIELDS
            assert (figure["goal"] is None) == (figure["met"] is None) == (figure["better"] is None)
            if figure["goal"] is not None:
                good = figure["value"] >= figure["goal"]
                assert figure["met"] == (good if figure["better"] == "at least" else figure["value"] <= figure["goal"])
    return results


def values(result: dict[str, Any]) -> dict[str, float]:
    return {figure["name"]: figure["value"] for figure in result["figures"]}


def test_the_engine_is_measured_beside_a_bare_heap() -> None:
    result = measured("engine", "--agents", "5", "--hours", "0.1", "--repeats", "1")["engine"]
    assert result["settings"] == {"agents": 5, "hours": 0.1, "seed": 7, "repeats": 1}
    found = values(result)
    assert 0 < found["events a second / bare heap"] < 1
    assert found["attempts of the day"] > 0
    assert found["events of the day"] > found["attempts of the day"]


def test_the_same_seed_plays_the_same_day() -> None:
    days = [
        values(measured("engine", "--agents", "3", "--hours", "0.1", "--seed", seed, "--repeats", "1")["engine"])
        for seed in ("3", "3", "4")
    ]
    counts = [(day["events of the day"], day["attempts of the day"]) for day in days]
    assert counts[0] == counts[1] != counts[2]


@pytest.mark.component("sqlite")
@pytest.mark.component("chdb")
def test_the_live_path_is_measured_beside_raw_rows() -> None:
    result = measured("store", "--attempts", "30", "--batch", "10", "--repeats", "1")["store"]
    assert result["settings"] == {"attempts": 30, "batch": 10, "repeats": 1}
    found = values(result)
    assert found["attempts a second, begun to settled / raw rows"] > 0
    assert found["CDR events an attempt"] > 4  # begun, ended, the CDR, and the lead's steps at least


@pytest.mark.slow
def test_an_import_is_measured_beside_calamine() -> None:
    found = values(measured("import", "--rows", "200", "--repeats", "1")["import"])
    assert found["rows a second / calamine alone"] > 0
    assert found["peak memory for 200 rows, beyond calamine's own"] > 0
    assert "peak memory from 200 to 800 rows, beyond calamine's own" in found


@pytest.mark.slow
def test_an_idle_service_is_watched_and_stopped() -> None:
    found = values(measured("idle", "--seconds", "0.2")["idle"])
    assert found["memory of an idle service (RSS)"] > 50
    assert found["processor share of an idle service"] >= 0
    assert found["from start to ready"] > 0


def test_people_get_a_table_with_goals() -> None:
    done = RUNNER.invoke(app, ["engine", "--agents", "2", "--hours", "0.05", "--repeats", "1"], catch_exceptions=False)
    assert done.exit_code == 0
    for words in ("figure", "goal", "met", "at least 0.15", "at most 60 s"):
        assert words in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["engine", "--agents", "0"],
        ["engine", "--agents", "many"],
        ["engine", "--repeats", "0"],
        ["store", "--attempts", "-1"],
        ["store", "--batch", "0"],
        ["import", "--rows", "0"],
        ["idle", "--port", "80"],
        ["views", "--leads", "0"],
        ["projector", "--events", "0"],
        ["relay", "--repeats", "0"],
        ["nothing"],
    ],
)
def test_wrong_options_exit_with_2(words: list[str]) -> None:
    assert RUNNER.invoke(app, words).exit_code == 2


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["engine", "--hours", "0"], "--hours"),
        (["engine", "--hours", "nan"], "--hours"),
        (["idle", "--seconds", "-1"], "--seconds"),
        (["projector"], "--kafka"),
        (["relay", "--kafka", ""], "--kafka"),
    ],
)
def test_wrong_numbers_are_named(words: list[str], name: str) -> None:
    done = RUNNER.invoke(app, words)
    assert isinstance(done.exception, BadInput)  # the command line prints it and exits with 2
    assert name in str(done.exception)
