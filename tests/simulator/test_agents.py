from __future__ import annotations

import pytest

from simulator.agents import Person, Temper, agent_id, agent_name
from simulator.profile import AgentProfile
from statuses.lead import Trigger
from tests.simulator.worlds import constant


def person(profile: AgentProfile, number: int = 1, seed: int = 7) -> Person:
    return Person(agent_id(number), Temper(profile), seed=seed)


def test_names_are_plain_and_numbered() -> None:
    assert (agent_id(1), agent_name(1)) == ("agent-01", "Agent 01")
    assert (agent_id(120), agent_name(120)) == ("agent-120", "Agent 120")


def test_an_agent_behaves_the_same_for_the_same_seed_and_differently_from_the_others() -> None:
    def day(number: int, seed: int) -> list[float]:
        someone = person(AgentProfile(), number, seed)
        return [someone.arrives_after_s, *(someone.wrap_s() for _ in range(5))]

    assert day(1, 7) == day(1, 7)
    assert len({tuple(day(number, seed)) for number in (1, 2) for seed in (7, 8)}) == 4


def test_agents_arrive_one_by_one_within_the_time_given() -> None:
    arrivals = [person(AgentProfile(arrive_within_s=60.0), n).arrives_after_s for n in range(1, 101)]
    assert all(0.0 <= at <= 60.0 for at in arrivals)
    assert max(arrivals) - min(arrivals) > 40.0


def test_words_come_in_the_shares_of_the_profile_and_a_callback_has_its_time() -> None:
    someone = person(AgentProfile(callback=0.2, do_not_recall=0.1, callback_after=constant(1800.0)))
    words = [someone.word(1000.0) for _ in range(4000)]
    counts = {trigger: sum(t is trigger for t, _ in words) / len(words) for trigger in Trigger}
    assert counts[Trigger.CALLBACK_ASKED] == pytest.approx(0.2, abs=0.03)
    assert counts[Trigger.DO_NOT_RECALL] == pytest.approx(0.1, abs=0.02)
    assert counts[Trigger.ANSWERED] == pytest.approx(0.7, abs=0.03)
    assert {at for trigger, at in words if trigger is Trigger.CALLBACK_ASKED} == {2800.0}
    assert {at for trigger, at in words if trigger is not Trigger.CALLBACK_ASKED} == {None}


def test_links_are_lost_in_the_share_given_and_breaks_only_where_there_are_breaks() -> None:
    someone = person(AgentProfile(link_lost=0.25, break_every=constant(3600.0)))
    lost = [someone.loses_link_after_s() for _ in range(4000)]
    assert sum(at is not None for at in lost) / len(lost) == pytest.approx(0.25, abs=0.03)
    assert someone.until_break_s() == 3600.0
    assert person(AgentProfile()).until_break_s() is None
    assert person(AgentProfile()).loses_link_after_s() is None
