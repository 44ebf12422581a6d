"""`dialer adapters`, and the page that is made of what it shows."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialer.cli import app
from dialer.commands.adapters import declared
from dialer.errors import BadInput
from dialer.ports import Capabilities
from simulator.scenario import parse
from telephony_adapters.conformance import CARDS, matrix

PAGE = (Path(__file__).parents[3] / "docs" / "adapters.md").read_text(encoding="utf-8")
STAGES = """
from contextlib import asynccontextmanager
from simulator.stage import SimulatorStage

class Mute(SimulatorStage):
    def __init__(self):
        super().__init__()
        async def hush(call_id):
            pass
        self.telephony.hush = hush

@asynccontextmanager
async def around():
    yield Mute()

nothing = object
number = 5
"""


def invoke(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["adapters", *words], catch_exceptions=True)
    if isinstance(done.exception, BadInput):
        raise done.exception
    return done.exit_code, done.output


@pytest.fixture
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"stages_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(STAGES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return name


def test_the_page_shows_what_the_registered_adapters_declare() -> None:
    (shown,) = re.findall(r"<!-- matrix -->\n\n(.*?)\n<!-- /matrix -->", PAGE, re.DOTALL)
    assert shown == matrix(declared())


def test_every_registered_adapter_says_what_it_can() -> None:
    known = declared()
    assert {"simulator", "sip"} <= known.keys()
    assert all(can != Capabilities() for can in known.values())


def test_the_scenario_on_the_page_is_one() -> None:
    (keys,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    head = 'title = "x"\nstarts_at = 2026-03-02T08:00:00+07:00\nhours = 1\n[[campaigns]]\ninbound = true\n'
    made = parse(head + keys + "[carrier.shares]\nanswer = 1.0\n", source="page")
    assert made.carrier.keys["12#"] == 0.05
    assert made.carrier.callers.per_hour == 40


def test_the_list_shows_capabilities_cards_and_what_is_skipped() -> None:
    _, text = invoke("list")
    assert re.search(r"^play +.*skipped.* 40-46$", text, re.MULTILINE)
    _, text = invoke("list", "--cards")
    assert re.search(r"^21 +An agent who is not there", text, re.MULTILINE)
    _, text = invoke("list", "--json")
    rows = {row["name"]: row for row in json.loads(text)}
    assert rows["simulator"]["cards"] == {"passed": len(CARDS), "skipped": []}
    assert 40 in rows["sip"]["cards"]["skipped"]
    assert rows["sip"]["capabilities"]["play"] is False


def test_cards_are_run_on_the_simulated_trunk() -> None:
    status, text = invoke("check", "simulator", "--card", "3", "--card", "21")
    assert (status, text.splitlines()[-1]) == (0, "2 passed, 0 skipped, 0 failed")


def test_cards_are_run_on_a_stage_of_ones_own_and_a_failed_one_is_status_1(stages: str) -> None:
    status, text = invoke("check", f"{stages}:Mute", "--card", "42", "--json")
    (outcome,) = json.loads(text)
    assert (status, outcome["mark"]) == (1, "failed")
    assert outcome["why"].startswith("no PromptEnded within 1 s")
    status, _ = invoke("check", f"{stages}:around", "--card", "41")
    assert status == 0


@pytest.mark.parametrize(
    ("target", "card", "said"),
    [
        ("pigeon", "1", "names no stage"),
        ("no_such_module:x", "1", "No module named"),
        ("{stages}:absent", "1", "absent"),
        ("{stages}:number", "1", "cannot be called"),
        ("{stages}:nothing", "1", "object is no stage"),
        ("simulator", "999", "there is no card 999"),
    ],
)
def test_what_is_no_stage_or_no_card_is_refused(stages: str, target: str, card: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        invoke("check", target.format(stages=stages), "--card", card)
