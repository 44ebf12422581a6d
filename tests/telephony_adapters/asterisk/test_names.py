from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telephony_adapters.asterisk.messages import Channel
from telephony_adapters.asterisk.names import Names, arrived_id, moment, path_of

NAMES = Names("dialer")
IDS = st.text(min_size=1, max_size=12)


@given(IDS, IDS, st.integers(1, 10**6), st.integers(1, 10**6))
def test_no_name_begins_with_another_and_each_says_whose_it_is(one: str, other: str, first: int, second: int) -> None:
    names = {
        make(who, *numbers)
        for who in (one, other)
        for make, numbers in (
            (NAMES.desk, ()), (NAMES.talk, ()), (NAMES.leg, (first,)), (NAMES.leg, (second,)), (NAMES.tap, (first,)),
            (NAMES.third, (first,)), (NAMES.supervisor, (second,)), (NAMES.prompt, (first,)),
        )
    }  # fmt: skip
    assert not [(a, b) for a in names for b in names if a != b and a.startswith(b)]
    assert all(NAMES.is_ours(name) and path_of(name).isascii() for name in names)
    assert NAMES.agent_of(NAMES.desk(one)) == one
    assert NAMES.leg_agent(NAMES.leg(one, first)) == one
    assert NAMES.tapped(NAMES.tap(one, first)) == one
    assert NAMES.prompted(NAMES.prompt(one, first)) == one
    assert NAMES.recorded(NAMES.recording(one)) == one


def test_what_is_not_ours_belongs_to_nobody() -> None:
    other = Names("dialer2")
    assert NAMES.agent_of(other.desk("a1")) is None
    assert NAMES.recorded(other.recording("c1")) is None
    assert not NAMES.is_ours("1764123.4")
    assert NAMES.agent_of(NAMES.leg("a1", 1)) is None


def test_the_id_of_a_call_that_arrived_is_the_same_each_time_and_begins_with_its_moment() -> None:
    channel = Channel("1764123302.4", creationtime="2026-11-26T02:15:02.376+0000")
    found = arrived_id("main", channel)
    assert found == arrived_id("main", channel)
    assert int(found.replace("-", "")[:12], 16) == round(moment(channel.creationtime) * 1000)
    assert found != arrived_id("other", channel)
    assert moment("1970-01-01T00:00:01.500+0000") == 1.5
    assert moment("soon") == moment("") == 0.0
