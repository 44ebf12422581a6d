"""Agents and their state table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.agents import TRANSITIONS, AgentInput, AgentState, Roster


def test_longest_idle_goes_first_and_a_served_agent_goes_last() -> None:
    roster = Roster()
    for at, name in enumerate(("a", "b", "c")):
        roster.move(roster.sign_in(name, at), AgentInput.READY, at)
    first = roster.longest_idle()
    assert first is not None
    assert first.agent_id == "a"
    for what in (AgentInput.RESERVE, AgentInput.JOIN, AgentInput.HANGUP, AgentInput.DONE):
        assert roster.move(first, what, 10)
    assert list(roster.in_state(AgentState.READY)) == ["b", "c", "a"]


def test_what_the_table_does_not_list_changes_nothing() -> None:
    roster = Roster()
    agent = roster.sign_in("a", 0)
    assert not roster.move(agent, AgentInput.JOIN, 1)
    assert agent.state is AgentState.NOT_READY


def test_occupancy_is_talk_and_wrap_up_over_staffed_time() -> None:
    roster = Roster()
    agent = roster.sign_in("a", 0)
    assert roster.occupancy(0) is None
    for at, what in ((100, "ready"), (110, "reserve"), (112, "join"), (152, "hangup"), (162, "done")):
        roster.move(agent, AgentInput(what), at)
    assert roster.occupancy(172) == pytest.approx(50 / 72)
    roster.move(agent, AgentInput.PAUSE, 172)
    assert roster.occupancy(999) == pytest.approx(50 / 72)


def test_every_state_can_be_left() -> None:
    left = {state for (state, _), target in TRANSITIONS.items() if target is not state}
    assert left == set(AgentState)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(AgentInput), st.floats(0, 10))))
def test_each_agent_is_in_exactly_one_state(steps: list[tuple[int, AgentInput, float]]) -> None:
    roster, now = Roster(), 0.0
    for name, what, passed in steps:
        now += passed
        roster.move(roster.sign_in(str(name), now), what, now)
    seen = [name for state in AgentState for name in roster.in_state(state)]
    assert sorted(seen) == sorted(set(seen))
    for state in AgentState:
        assert all(agent.state is state for agent in roster.in_state(state).values())
    spent = sum(roster.seconds.values()) + sum(now - a.since for s in AgentState for a in roster.in_state(s).values())
    assert spent <= 4 * now + 1e-6
