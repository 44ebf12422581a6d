from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dialer.commands.simulate import simulate
from dialer.errors import BadInput, NotFound

app = typer.Typer()
app.command()(simulate)
SHORT = ("small", "--hours", "0.05", "--agents", "3")


def run(*args: str) -> str:
    result = CliRunner().invoke(app, args, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_shipped_scenario_gives_tables_for_people() -> None:
    text = run(*SHORT)
    assert "Ten agents, two hours, seed 7" in text
    assert "3 agents, pacer predictive" in text


def test_json_is_the_same_for_the_same_seed_and_differs_for_another() -> None:
    told = run(*SHORT, "--seed", "7", "--json")
    assert told == run(*SHORT, "--seed", "7", "--json")
    assert told != run(*SHORT, "--seed", "8", "--json")
    data = json.loads(told)
    assert (data["seed"], data["hours"], data["campaigns"][0]["agents"]) == (7, 0.05, 3)


def test_the_pacer_may_be_chosen() -> None:
    assert json.loads(run(*SHORT, "--pacer", "ratio", "--json"))["campaigns"][0]["pacer"] == "ratio"


@pytest.mark.parametrize(
    ("args", "error", "said"),
    [
        (("nothing",), NotFound, "no scenario 'nothing'.*all-statuses, best-time, markov, small, storm, vn-mobile"),
        (("small", "--hours", "nan"), BadInput, "--hours must be a positive number"),
        (("small", "--hours", "-1"), BadInput, "--hours must be a positive number"),
        (("small", "--agents", "100000"), BadInput, "count"),
        (("small", "--pacer", "psychic"), BadInput, "psychic.*predictive"),
    ],
)
def test_wrong_input_is_one_sentence_that_says_what_to_do(
    args: tuple[str, ...], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        CliRunner().invoke(app, args, catch_exceptions=False)
    assert "\n" not in str(caught.value)


def test_a_broken_file_names_itself(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("title = 3\n")
    with pytest.raises(BadInput, match=r"mine\.toml: "):
        CliRunner().invoke(app, [str(path)], catch_exceptions=False)
