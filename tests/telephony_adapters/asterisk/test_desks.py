from __future__ import annotations

import pytest

from dialer.core.events import (
    AgentOnLine,
    CallAnswered,
    CallConnected,
    ConnectFailed,
)
from dialer.core.types import Supervision
from statuses.outcomes import CancelReason, EndedBy
from telephony_adapters.asterisk.desks import GONE_S, JOIN_S
from tests.telephony_adapters.asterisk.model import CONFLICT, Driven
from tests.telephony_adapters.asterisk.scenes import answered, driven, ends, joined, leg_of, over, placed


def test_a_talk_costs_one_request_when_bridge_and_phone_are_there() -> None:
    side = driven(nailed_up=True)
    side.machine.station("a1", 0.0, up=True)
    side.go_on()
    side.model.answer(leg_of(side))
    side.go_on()
    call = answered(side)
    before = len(side.sent)
    side.machine.connect(call, "a1", 0.0)
    side.go_on()
    assert CallConnected(call, "a1") in side.told
    assert [request.path for request in side.sent[before:]] == ["/bridges/dialer.desk.a1./addChannel"]
    side.model.end(call)
    side.go_on()
    assert len(side.sent) == before + 1
    assert leg_of(side) in side.model.legs


def test_a_join_that_takes_too_long_is_given_up_and_what_came_of_it_undone() -> None:
    side = driven()
    call = answered(side)
    side.machine.connect(call, "a1", 0.0)
    side.go_on()
    side.wait(JOIN_S)
    assert side.told[-1] == ConnectFailed(call, "a1")
    assert set(side.model.legs) == {call}
    side.machine.connect(call, "a2", side.now)
    side.go_on()
    leg = leg_of(side, "a2")
    side.model.answer(leg)
    side.hear()
    lane = next(lane for lane in side.lanes if lane == call)
    side.lose(lane)
    side.go_on()
    assert side.told[-1] == ConnectFailed(call, "a2")
    assert side.model.legs[call].bridge is None


def test_an_agent_that_talks_is_not_joined_to_another() -> None:
    side = driven()
    joined(side)
    other = answered(side, "c2")
    side.machine.connect(other, "a1", 0.0)
    side.go_on()
    assert side.told[-1] == ConnectFailed(other, "a1")


def test_a_call_goes_on_with_another_agent() -> None:
    side = driven()
    call = joined(side)
    first = leg_of(side)
    side.machine.connect(call, "a2", 0.0)
    side.go_on()
    assert first not in side.model.legs
    side.model.answer(leg_of(side, "a2"))
    side.go_on()
    assert side.told[-1] == CallConnected(call, "a2")
    assert side.model.legs[call].bridge == "dialer.desk.a2."
    assert not ends(side)
    side.machine.connect(call, "a2", 0.0)
    side.drain()
    assert side.told[-1] == CallConnected(call, "a2")


@pytest.mark.parametrize("nailed_up", [False, True])
def test_the_agent_hangs_up(nailed_up: bool) -> None:
    side = driven(nailed_up=nailed_up)
    side.machine.station("a1", 0.0, up=True)
    side.go_on()
    call = joined(side)
    side.model.end(leg_of(side))
    side.go_on()
    assert over(side, call).ended_by is EndedBy.AGENT
    side.wait(2)
    assert bool(side.model.legs) is nailed_up  # it is called again


def test_the_agent_first() -> None:
    side = driven()
    side.machine.summon("c1", "a1", 0.0)
    side.go_on()
    leg = leg_of(side)
    side.model.answer(leg)
    side.go_on()
    assert side.told == [AgentOnLine("c1", "a1")]
    placed(side)
    side.model.ring("c1")
    side.go_on()
    assert side.sent[-1].path == f"/channels/{leg}/ring"
    side.model.answer("c1")
    side.go_on()
    side.machine.connect("c1", "a1", 0.0)
    side.go_on()
    assert side.told[-1] == CallConnected("c1", "a1")
    side.model.end("c1")
    side.go_on()
    assert not side.model.legs


def test_a_summoned_agent_who_cannot_be_had() -> None:
    side = driven()
    side.machine.summon("c1", "a1", 0.0)
    side.drain()
    side.go_on()
    side.model.end(leg_of(side), 19)
    side.go_on()
    assert side.told == [ConnectFailed("c1", "a1")]
    assert not side.machine.board.calls


def waiting(*agents: str) -> Driven:
    """Return a side at which phones stay on the line."""
    side = driven(nailed_up=True)
    for agent in agents:
        side.machine.station(agent, 0.0, up=True)
        side.go_on()
        side.model.answer(leg_of(side, agent))
        side.go_on()
    return side


def blamed(side: Driven) -> list[ConnectFailed]:
    return [event for event in side.told if isinstance(event, ConnectFailed)]


def test_an_answer_that_crosses_our_hang_up_blames_no_agent() -> None:
    side = waiting("a1")
    call = placed(side)
    side.machine.hangup(call, 0.0, reason=CancelReason.RING_TIMEOUT)
    side.drain()
    side.model.answer(call)
    side.hear()
    assert side.told == [CallAnswered(call)]
    for agent in ("a1", "a2"):
        side.machine.connect(call, agent, 0.0)
        side.drain()
    assert len(side.told) == 1
    side.go_on()
    assert over(side).ended_by is EndedBy.DIALER
    assert not blamed(side)


def test_a_join_under_way_blames_no_agent_when_we_end_the_call() -> None:
    side = driven()
    call = answered(side)
    side.machine.connect(call, "a1", 0.0)
    side.go_on()
    side.machine.hangup(call, 0.0, reason=CancelReason.ADMIN)
    side.drain()
    side.model.end(leg_of(side), 17)
    side.go_on()
    assert over(side).ended_by is EndedBy.DIALER
    assert not blamed(side)


@pytest.mark.parametrize("customer", [True, False])
def test_who_is_gone_at_the_join(customer: bool) -> None:
    side = waiting("a1")
    call = answered(side)
    side.machine.connect(call, "a1", 0.0)
    side.drain()
    side.model.end(call if customer else leg_of(side))
    side.send(call, status=CONFLICT)
    assert side.told[-1] == CallAnswered(call)
    side.go_on()
    assert bool(ends(side)) is customer
    assert bool(blamed(side)) is not customer


def test_a_join_that_asterisk_refuses_for_no_reason() -> None:
    side = waiting("a1")
    call = answered(side)
    side.machine.connect(call, "a1", 0.0)
    side.drain()
    side.send(call, status=CONFLICT)
    side.go_on()
    assert not blamed(side)
    side.wait(GONE_S)
    assert side.told[-1] == ConnectFailed(call, "a1")


def test_no_bridge_is_left_of_an_agent_who_left_while_it_was_made() -> None:
    side = driven()
    side.machine.station("a1", 0.0, up=True)
    side.drain()
    side.machine.station("a1", 0.0, up=False)
    side.go_on()
    assert not side.model.bridges


def test_a_supervisor_leaves_with_the_talk() -> None:
    side = waiting("a1", "a2")
    call = joined(side)
    legs = {*side.model.legs}
    side.machine.supervise(call, "boss", Supervision.BARGE)
    side.go_on()
    (boss,) = side.model.legs.keys() - legs
    side.model.answer(boss)
    side.go_on()
    side.machine.connect(call, "a2", 0.0)
    side.go_on()
    assert {*side.model.legs} == legs
