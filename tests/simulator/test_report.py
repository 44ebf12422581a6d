from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from simulator.profile import Fate
from simulator.report import Report, report, to_json, to_tables
from simulator.world import World
from statuses.lead import LeadState
from statuses.outcomes import CallStatus
from tests.simulator.worlds import only, plan, run, scenario


@pytest.fixture(scope="module")
def world() -> World:
    return run(only(Fate.ANSWER), plan(pacer="progressive"))


@pytest.fixture(scope="module")
def told(world: World) -> Report:
    return report(world)


def test_the_figures_follow_from_the_round_numbers_of_the_world(told: Report) -> None:
    (campaign,) = told.campaigns
    assert campaign.attempts == campaign.answered == campaign.connected > 20
    assert (campaign.abandoned, campaign.abandonment, campaign.asr) == (0, 0.0, 1.0)
    assert campaign.mean_talk_s == 60.0
    assert campaign.waits is not None
    assert (campaign.waits.mean_s, campaign.waits.p50_s, campaign.waits.p99_s) == (0.15, 0.15, 0.15)
    # 60 s of talk and 15 s of wrap-up for each 12.15 s of dialing, ringing and joining.
    assert campaign.occupancy == pytest.approx(75 / 87.2, abs=0.03)
    assert told.peak_ringing == 4
    assert told.peak_channels == {"trunk-1": 4}


def test_the_json_is_sorted_and_names_all_statuses_states_and_agent_times(told: Report) -> None:
    text = to_json(told)
    data = json.loads(text)
    assert text == json.dumps(data, indent=2, sort_keys=True) + "\n"
    (campaign,) = data["campaigns"]
    assert set(campaign["statuses"]) == {status.value for status in CallStatus}
    assert set(campaign["leads"]) == {state.value for state in LeadState}
    assert sum(campaign["leads"].values()) == 200
    assert sum(campaign["agent_hours"].values()) == pytest.approx(4 * 0.5, abs=0.001)


def test_a_campaign_without_agents_has_nothing_to_divide_by() -> None:
    world = World(scenario(only(Fate.ANSWER), plan(leads=0)), seed=7)
    world.run()
    (campaign,) = report(world).campaigns
    assert (campaign.attempts, campaign.abandonment, campaign.asr, campaign.waits) == (0, None, None, None)
    assert campaign.occupancy == 0.0


def test_people_get_tables_without_phone_numbers(told: Report) -> None:
    out = io.StringIO()
    Console(file=out, width=100).print(to_tables(told))
    text = out.getvalue()
    for words in ("occupancy", "No Answered", "Successful", "wrap up", "most calls ringing at once"):
        assert words in text
    assert "+84" not in text
