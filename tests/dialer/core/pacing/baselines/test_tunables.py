"""Every baseline keeps the contract, and none may dial a campaign's real calls."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.bench.pacing.people import WORLDS, People
from dialer.core.pacing.baselines.tunables import BASELINES, TUNABLES
from dialer.core.pacing.centre import Centre, Rules, occupancy
from dialer.core.pacing.estimators import Estimators
from dialer.core.pacing.registry import PACERS, pacer_named
from tests.dialer.core.pacing.baselines.moments import moment

NAMES = sorted(TUNABLES)
AGES = st.lists(st.floats(0, 500), max_size=12).map(tuple)


def centre(name: str) -> Centre:
    rules = Rules(agents=10)
    people = People(WORLDS["realistic"], 0.3, 5)
    return Centre(BASELINES[name](), rules, people, estimators=Estimators(), budget=None, starts_at=9 * 3600.0)


@pytest.mark.parametrize("name", NAMES)
def test_each_keeps_a_team_at_work_and_plays_the_same_again(name: str) -> None:
    one, other = centre(name), centre(name)
    one.run(3600.0)
    other.run(3600.0)
    assert 0.4 < occupancy(one.minutes) < 1
    assert (one.tally, one.waits) == (other.tally, other.waits)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None)
@given(
    looks=st.lists(
        st.tuples(st.integers(0, 8), AGES, AGES, AGES, st.integers(0, 5), st.integers(0, 30)), min_size=1, max_size=8
    )
)
def test_never_above_the_room_and_nothing_without_agents(name: str, looks: list[tuple[int, ...]]) -> None:
    pacer = TUNABLES[name].make()
    for second, (idle, talking, wrapping, ringing, waiting, room) in enumerate(looks):
        now = moment(idle=idle, talking=talking, wrapping=wrapping, ringing=ringing, waiting=waiting, room=room)
        dials = pacer.allowance(now, now=10.0 * second).dials
        assert 0 <= dials <= room
        assert dials == 0 or now.agents


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_told_apart_and_the_first_is_the_default(name: str) -> None:
    grid = TUNABLES[name].grid
    assert len(set(grid)) == len(grid)
    assert TUNABLES[name].make().name == name


@pytest.mark.parametrize("name", NAMES)
def test_no_campaign_gets_one(name: str) -> None:
    assert name not in PACERS
    with pytest.raises(ValueError, match="only serves comparisons; choose one of"):
        pacer_named(name)
