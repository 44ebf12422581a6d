from __future__ import annotations

from dialer.core.events import (
    AgentOnLine,
    CallAnswered,
    CallArrived,
    CallConnected,
    CallEnded,
    CallTransferred,
    MachineDetected,
    RecordingEnded,
)
from dialer.core.types import Supervision
from statuses.outcomes import AmdResult, EndedBy, LocalError
from telephony_adapters.asterisk.board import Phase
from telephony_adapters.asterisk.config import Agents
from telephony_adapters.asterisk.machine import Machine
from telephony_adapters.asterisk.resync import CLAIM_S, compare
from tests.telephony_adapters.asterisk.model import Driven
from tests.telephony_adapters.asterisk.scenes import (
    FILE,
    HOTLINE,
    PHONE,
    SERVER,
    answered,
    driven,
    joined,
    leg_of,
    over,
    placed,
)


def restarted(side: Driven, *, nailed_up: bool = False) -> Driven:
    """Return a new process before the same Asterisk."""
    after = Driven(Machine(SERVER, Agents(nailed_up=nailed_up), FILE.common, now=1000.0), side.model)
    after.resync(adopt=True)
    after.go_on()
    return after


def test_what_is_as_it_was_costs_nothing() -> None:
    side = driven()
    joined(side)
    placed(side, "c2")
    before = len(side.sent)
    side.resync()
    side.go_on()
    assert len(side.sent) == before
    assert not [event for event in side.told if isinstance(event, CallEnded)]


def test_ends_that_nobody_heard() -> None:
    side = driven()
    talk, rings, leg = joined(side), placed(side, "c2"), ""
    answered(side, "c3")
    side.machine.connect("c3", "a2", 0.0)
    side.go_on()
    leg = leg_of(side, "a2")
    for channel in (rings, "c3", leg):
        side.model.end(channel)
    side.resync()
    side.go_on()
    assert over(side, rings).local_error is LocalError.LOST
    assert over(side, rings).sip_status is None
    assert over(side, "c3").sip_status == 200
    assert set(side.machine.board.calls) == {talk}
    side.model.end(leg_of(side))
    side.resync()
    side.go_on()
    assert over(side, talk).ended_by is EndedBy.AGENT


def test_an_answer_that_nobody_heard_and_one_that_is_on_its_way() -> None:
    side = driven()
    for call in (placed(side), placed(side, "c2")):
        side.model.legs[call].up = True
    side.model.legs["c1"].inside = True
    side.resync()
    assert side.told[-1] == CallAnswered("c1")
    assert side.machine.board.calls["c2"].phase is Phase.PLACED


def test_a_call_whose_request_is_under_way_has_not_vanished() -> None:
    side = driven()
    side.machine.originate("c1", phone=PHONE, hotline=HOTLINE, ring_timeout_s=30.0, now=0.0)
    side.drain()
    side.resync()
    assert "c1" in side.machine.board.calls


def test_a_bridge_that_is_gone_is_made_again() -> None:
    side = driven()
    side.machine.station("a1", 0.0, up=True)
    side.go_on()
    side.model.bridges.clear()
    side.resync()
    side.go_on()
    assert CallConnected(joined(side), "a1") in side.told


def test_what_we_do_not_know_is_hung_up_and_who_came_meanwhile_is_welcome() -> None:
    side = driven()
    side.model.arrive("1764.1")
    placed(side)
    del side.machine.board.calls["c1"], side.machine.board.channels["c1"]
    side.resync()
    side.go_on()
    assert set(side.model.legs) == {"1764.1"}
    assert isinstance(side.told[-1], CallArrived)


def test_another_application_is_left_alone() -> None:
    side = driven()
    placed(side)
    held = side.model.held()._replace(told_of=frozenset())
    other = driven()
    compare(other.machine, held, [], 0.0, adopt=False)
    other.drain()
    assert not other.lanes


def test_a_new_process_adopts_talks_recordings_and_waiting_calls() -> None:
    side = driven()
    talk, waits, rings = joined(side), answered(side, "c2"), placed(side, "c3")
    side.machine.record(talk, None)
    side.go_on()
    after = restarted(side)
    calls = after.machine.board.calls
    assert {call: one.phase for call, one in calls.items()} == {
        talk: Phase.UP, waits: Phase.UP, rings: Phase.PLACED,
    }  # fmt: skip
    desk = calls[talk].desk
    assert desk is not None
    assert desk.agent_id == "a1"
    assert after.machine.recorder.is_recording(talk)
    after.model.end(leg_of(after))
    after.go_on()
    assert over(after, talk).ended_by is EndedBy.AGENT
    assert RecordingEnded(talk, 1.0) in after.told


def test_a_new_process_adopts_calls_to_hotlines_under_the_same_id_and_those_sent_on() -> None:
    side = driven()
    side.model.arrive("1764.1")
    side.go_on()
    (arrived,) = side.told
    assert isinstance(arrived, CallArrived)
    call = answered(side)
    side.machine.transfer(call, phone=PHONE, hotline=HOTLINE)
    side.go_on()
    third = next(name for name in side.model.legs if ".third." in name)
    side.model.answer(third)
    side.go_on()
    after = restarted(side)
    assert set(after.machine.board.calls) == {arrived.call_id, call}
    assert not after.told
    after.model.end(third)
    after.go_on()
    assert over(after, call).ended_by is EndedBy.REMOTE


def test_a_phone_that_stayed_on_the_line_waits_for_its_agent() -> None:
    side = driven(nailed_up=True)
    for agent in ("a1", "a2"):
        side.machine.station(agent, 0.0, up=True)
        side.go_on()
        side.model.answer(leg_of(side, agent))
        side.go_on()
    legs = {agent: leg_of(side, agent) for agent in ("a1", "a2")}
    after = restarted(side, nailed_up=True)
    after.machine.station("a1", after.now, up=True)
    after.go_on()
    after.wait(CLAIM_S)
    assert set(after.model.legs) == {legs["a1"]}
    after.machine.summon("c1", "a1", after.now)
    after.go_on()
    assert after.told == [AgentOnLine("c1", "a1")]


def test_a_supervisor_and_a_phone_without_a_talk_are_let_go() -> None:
    side = driven()
    answered(side)
    side.machine.connect("c1", "a1", 0.0)
    side.go_on()
    after = restarted(side)
    assert set(after.model.legs) == {"c1"}


def test_who_came_while_nobody_listened_goes_on() -> None:
    side = driven(nailed_up=True)
    side.machine.station("a1", 0.0, up=True)
    side.go_on()
    side.model.answer(leg_of(side))
    side.resync()
    side.go_on()
    call = joined(side)  # at once: the phone is on the line
    side.machine.record(call, None)
    side.drain()
    side.send(call)
    side.machine.supervise(call, "boss", Supervision.LISTEN)
    side.drain()
    side.send(boss := side.machine.board.bosses["boss"].channel)
    side.model.answer(boss)
    side.resync()
    side.drain()
    side.send(boss)
    side.send(boss)
    side.resync()  # the ear is there
    side.go_on()
    assert [leg.recording for leg in side.model.legs.values() if leg.recording] == [f"dialer.rec.{call}"]
    assert side.model.legs[boss].bridge == boss
    side.machine.transfer(call, phone=PHONE, hotline=HOTLINE)
    side.go_on()
    side.model.answer(next(name for name in side.model.legs if ".third." in name))
    side.resync()
    side.go_on()
    assert side.told[-1] == CallTransferred(call)


def test_what_was_found_out_while_nobody_listened() -> None:
    side = driven()
    call = placed(side, amd=True)
    side.model.answer(call)
    side.hear()
    side.resync()  # it is about to be found out
    assert side.told == [CallAnswered(call)]
    side.go_on()
    side.model.detect(call, "MACHINE", "LONGGREETING-1500-1500")
    side.resync()
    assert side.told[-1] == MachineDetected(call, AmdResult.MACHINE)
