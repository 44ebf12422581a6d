from __future__ import annotations

from pathlib import Path

import pytest

from dialer.core.types import CampaignKind, Slot
from dialer.errors import BadInput, NotFound
from simulator.scenario import changed, load, parse, settings, shipped

GOOD = """
title = "x"
starts_at = 2026-03-02T08:00:00+07:00
hours = 1
[carrier.shares]
answer = 1.0
[[campaigns]]
name = "c"
"""


def test_the_shipped_scenarios_are_these_and_all_of_them_load() -> None:
    assert sorted(shipped()) == ["all-statuses", "best-time", "markov", "small", "storm", "vn-mobile"]
    for name in shipped():
        assert load(name).campaigns


def test_a_scenario_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert load(str(path)).title == "x"


def test_an_unknown_scenario_is_answered_with_those_that_exist() -> None:
    with pytest.raises(NotFound, match=r"no scenario 'smal'.*all-statuses, best-time, markov, small, storm, vn-mobile"):
        load("smal")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"mine\.toml: cannot be read as UTF-8"):
        load(str(path))


@pytest.mark.parametrize(
    ("line", "wrong", "said"),
    [
        ('title = "x"', "title = ", "not valid TOML"),
        ('title = "x"', "", "missing required field `title`"),
        ("hours = 1", "hours = 0", "hours`"),
        ("hours = 1", 'hours = "long"', "hours`"),
        ("hours = 1", "hours = 1\nminutes = 3", "unknown key minutes; allowed here: .*campaigns.*hours"),
        ("+07:00", "", "starts_at needs a UTC offset"),
        ("answer = 1.0", "answer = 0.4", "sum to 0.4; make them sum to 1"),
        ("answer = 1.0", "answers = 1.0", "unknown key carrier.shares.answers; allowed here: answer, busy_network"),
        ("answer = 1.0", "answer = 1.5", "carrier.shares.answer`"),
        ('name = "c"', "agents.cuont = 3", r"unknown key campaigns\[0\].agents.cuont; allowed here: .*count"),
        ('name = "c"', 'slots = ["8-17"]', "slot '8-17' is not of the form \"08:00-17:00\""),
        ('name = "c"', "kind = 'psychic'", "campaigns"),
        ("[[campaigns]]", '[[own_trunks]]\nname = "other"\n[[campaigns]]', "must name the same trunks"),
        ('[[campaigns]]\nname = "c"', "campaigns = []", "campaigns`|unknown key carrier.shares.campaigns"),
    ],
)
def test_a_bad_scenario_is_refused_with_file_key_and_reason(line: str, wrong: str, said: str) -> None:
    assert line in GOOD
    with pytest.raises(BadInput, match=f"mine.toml: .*{said}"):
        parse(GOOD.replace(line, wrong), source="mine.toml")


def test_the_command_line_may_change_agents_hours_and_pacer() -> None:
    scenario = changed(load("small"), agents=3, hours=0.25, pacer="progressive")
    (plan,) = scenario.campaigns
    assert (plan.agents.count, plan.pacer, scenario.hours) == (3, "progressive", 0.25)
    assert changed(load("storm")) == load("storm")


@pytest.mark.parametrize("change", [{"hours": -1.0}, {"hours": 1e6}, {"agents": 10**6}])
def test_changes_out_of_range_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(BadInput, match="cannot be changed so"):
        changed(load("small"), **change)  # type: ignore[arg-type]


def test_a_campaign_without_agents_keeps_its_own_agents_and_pacer() -> None:
    people, message = changed(load("all-statuses"), agents=3, pacer="progressive").campaigns
    assert (people.agents.count, people.pacer) == (3, "progressive")
    assert (message.agents.count, message.pacer) == (0, "agentless")
    made = settings(message, 2)
    assert (made.kind, made.prompt) == (CampaignKind.AUTODIALER, "reminder")


def test_a_plan_becomes_the_engines_settings() -> None:
    (plan,) = load("vn-mobile").campaigns
    made = settings(plan, 4)
    assert (made.campaign_id, made.name, made.pacer) == (4, "Mobile", "predictive")
    assert made.window.weekdays == ((Slot(480, 720), Slot(720, 1020)),) * 7
    assert made.caps.per_24h == 3
