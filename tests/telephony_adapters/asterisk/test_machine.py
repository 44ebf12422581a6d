from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.events import (
    AgentOnLine,
    CallAnswered,
    CallArrived,
    CallConnected,
    CallEnded,
    CallProgressed,
    CallRinging,
    CallTransferred,
    ConnectFailed,
    DigitPressed,
    EarlyMediaHeard,
    MachineDetected,
    PromptEnded,
    RecordingEnded,
)
from dialer.core.types import Supervision
from statuses.outcomes import AmdResult, CancelReason, EndedBy
from telephony_adapters.asterisk.board import LOOK_AGAIN_S
from telephony_adapters.asterisk.config import Agents, parse
from telephony_adapters.asterisk.desks import JOIN_S
from telephony_adapters.asterisk.machine import Machine
from tests.telephony_adapters.asterisk.model import BROKEN, Driven

TEXT = """
[server.main]
url = "http://127.0.0.1:8088/ari"
user = "dialer"
password = "x"
endpoint = "PJSIP/{phone}@trunk"
channels = 10
cps = 10
"""
PHONE, HOTLINE, RING_S = "+84900000001", "+842471000001", 30.0
FILE = parse(TEXT)
SERVER = FILE.servers["main"]


def driven(*, nailed_up: bool = False) -> Driven:
    return Driven(Machine(SERVER, Agents(nailed_up=nailed_up), FILE.common))


def placed(side: Driven, call: str = "c1", *, amd: bool = False) -> str:
    side.machine.originate(call, phone=PHONE, hotline=HOTLINE, ring_timeout_s=RING_S, now=side.now, amd=amd)
    side.go_on()
    return call


def answered(side: Driven, call: str = "c1") -> str:
    placed(side, call)
    side.model.answer(call)
    side.go_on()
    return call


def leg_of(side: Driven, agent: str = "a1") -> str:
    leg = side.machine.board.desk(agent).leg
    assert leg is not None
    return leg.channel


def joined(side: Driven, call: str = "c1", agent: str = "a1") -> str:
    answered(side, call)
    side.machine.connect(call, agent, side.now)
    side.go_on()
    if not side.machine.board.calls[call].joined:
        side.model.answer(leg_of(side, agent))
        side.go_on()
    assert CallConnected(call, agent) in side.told
    return call


def ends(side: Driven, call: str = "c1") -> list[CallEnded]:
    return [event for event in side.told if isinstance(event, CallEnded) and event.call_id == call]


def over(side: Driven, call: str = "c1") -> CallEnded:
    (end,) = ends(side, call)
    return end


# --- the law ----------------------------------------------------------------------------------------------------------

CALLS = ("c1", "c2", "c3")
AGENTS = ("a1", "a2")


class Chance:
    """Draws what happens next."""

    def __init__(self, data: st.DataObject, side: Driven) -> None:
        self._data = data
        self.side = side
        self.begun: set[str] = set()
        self.callers = 0

    def pick(self, among: Any) -> Any:
        return self._data.draw(st.sampled_from(sorted(among)))

    def order(self) -> None:
        side, machine = self.side, self.side.machine
        call, agent, now = self.pick(CALLS), self.pick(AGENTS), side.now
        orders: dict[str, Callable[[], object]] = {
            "originate": lambda: self.originate(call),
            "hangup": lambda: machine.hangup(
                call, now, reason=self.pick((CancelReason.ADMIN, CancelReason.AGENT_HANGUP))
            ),
            "connect": lambda: machine.connect(call, agent, now),
            "summon": lambda: self.summon(call, agent),
            "station": lambda: machine.station(agent, now, up=self.pick((False, True))),
            "play": lambda: machine.play(call, "sound:x"),
            "hush": lambda: machine.hush(call),
            "hold": lambda: machine.hold(call, on=self.pick((False, True))),
            "record": lambda: machine.record(call, 5.0),
            "stop": lambda: machine.stop_recording(call),
            "supervise": lambda: machine.supervise(call, "boss", self.pick(Supervision)),
            "transfer": lambda: machine.transfer(call, phone=PHONE, hotline=HOTLINE),
            "answer": lambda: [machine.answer(one) for one in tuple(machine.board.calls)],
        }
        orders[self.pick(orders)]()
        side.drain()

    def originate(self, call: str) -> None:
        if call not in self.begun or call in self.side.machine.board.calls:
            self.begun.add(call)
            self.side.machine.originate(
                call,
                phone=PHONE,
                hotline=HOTLINE,
                ring_timeout_s=RING_S,
                now=self.side.now,
                amd=self.pick((False, True)),
            )

    def summon(self, call: str, agent: str) -> None:
        if call not in self.begun:
            self.side.machine.summon(call, agent, self.side.now)

    def world(self) -> None:
        model = self.side.model
        if not model.legs:
            self.callers += 1
            model.arrive(f"1764123.{self.callers}")
            return
        name = self.pick(model.legs)
        leg = model.legs[name]
        match self.pick(("ring", "early", "answer", "end", "press", "finish", "detect", "pass")):
            case "ring" if not leg.up:
                model.ring(name)
            case "early" if not leg.up:
                model.ring(name, early=True)
            case "answer" if not leg.up and not leg.inside:
                model.answer(name)
            case "detect" if leg.up and not leg.inside:
                model.detect(name)
            case "end":
                model.end(name, self.pick((16, 17, 19)), self.pick((0, 486, 480)) if not leg.up else 0)
            case "press" if leg.inside:
                model.press(name, "5")
            case "finish" if model.playbacks:
                model.finish(self.pick(model.playbacks))
            case _:
                self.side.now += 1.0

    def network(self) -> None:
        side = self.side
        if side.model.says and (not side.lanes or self.pick((False, True))):
            side.hear()
        elif side.lanes:
            lane = self.pick(side.lanes)
            match self.pick(("obey", "obey", "obey", "lose", "refuse")):
                case "obey":
                    side.send(lane)
                case "lose":
                    side.lose(lane)
                case _:
                    side.send(lane, status=BROKEN)


@given(st.data())
def test_in_any_order_each_call_ends_once_and_no_channel_is_left(data: st.DataObject) -> None:
    side = driven(nailed_up=data.draw(st.booleans()))
    chance = Chance(data, side)
    for step in data.draw(st.lists(st.sampled_from("onwnc"), max_size=60)):
        match step:
            case "o":
                chance.order()
            case "w":
                chance.world()
            case "c" if data.draw(st.integers(0, 9)) == 0:
                side.resync()
            case _:
                chance.network()
    for agent in AGENTS:
        side.machine.station(agent, side.now, up=False)
    side.go_on()
    side.wait(60)
    side.resync()  # what a refused request left is found when the two are compared
    side.go_on()
    for call in tuple(side.machine.board.calls):
        side.machine.hangup(call, side.now, reason=CancelReason.ADMIN)
    side.go_on()
    side.wait(60)
    said = Counter(event.call_id for event in side.told if isinstance(event, CallEnded))
    expected = chance.begun | {event.call_id for event in side.told if isinstance(event, CallArrived)}
    assert expected <= said.keys()
    assert set(said.values()) <= {1}
    board = side.machine.board
    assert not side.model.legs
    assert not (board.calls or board.channels or board.bosses)
    for event in side.told:
        assert not isinstance(event, PromptEnded | RecordingEnded) or event.call_id


# --- one thing at a time ------------------------------------------------------------------------------------------------


def test_a_call_is_placed_under_its_id_for_a_little_longer_than_it_rings() -> None:
    side = driven()
    placed(side)
    (request,) = side.sent
    assert (request.method, request.path) == ("POST", "/channels")
    assert request.query == {
        "endpoint": f"PJSIP/{PHONE}@trunk", "app": "dialer", "channelId": "c1", "callerId": HOTLINE, "timeout": "50",
    }  # fmt: skip


def test_what_a_call_tells() -> None:
    side = driven()
    call = placed(side)
    for _ in range(2):
        side.model.ring(call, early=True)
        side.model.ring(call)
    side.model.answer(call)
    side.model.press(call, "5")
    side.model.press(call, "A")
    side.model.end(call)
    side.go_on()
    end = CallEnded(call, sip_status=200, q850=16, ended_by=EndedBy.REMOTE)
    assert side.told == [
        EarlyMediaHeard(call), CallRinging(call), CallAnswered(call), DigitPressed(call, "5"), end,
    ]  # fmt: skip


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


def test_who_waits_hears_music_until_joined() -> None:
    side = driven()
    call = answered(side)
    side.machine.hold(call, on=True)
    side.machine.play(call, "sound:please-wait")
    side.machine.hold(call, on=True)
    side.machine.connect(call, "a1", 0.0)
    side.go_on()
    side.model.answer(leg_of(side))
    side.go_on()
    assert side.told[-2:] == [PromptEnded(call), CallConnected(call, "a1")]
    assert side.model.legs[call].bridge == "dialer.desk.a1."
    side.machine.hold(call, on=True)
    side.go_on()
    assert side.model.legs[call].bridge is None
    assert side.sent[-1].path == f"/channels/{call}/moh"
    side.machine.hold(call, on=False)
    side.go_on()
    assert side.model.legs[call].bridge == "dialer.desk.a1."


def test_a_prompt_is_over_once() -> None:
    side = driven()
    call = answered(side)
    side.machine.play(call, "sound:a")
    side.go_on()
    side.machine.hush(call)
    side.go_on()
    side.machine.play(call, "sound:b")
    side.drain()
    side.send(call, status=BROKEN)
    side.go_on()
    assert side.told[-2:] == [PromptEnded(call), PromptEnded(call, played=False)]


def test_recordings_are_named_by_call_and_told_of() -> None:
    side = driven()
    call = answered(side)
    side.machine.record(call, 2.5)
    side.go_on()
    assert side.sent[-1].query == {
        "name": f"dialer.rec.{call}", "format": "wav", "ifExists": "append", "maxDurationSeconds": "3",
    }  # fmt: skip
    assert side.machine.recorder.is_recording(call)
    side.machine.stop_recording(call)
    side.go_on()
    assert side.told[-1] == RecordingEnded(call, 1.0)
    assert set(side.model.legs) == {call}
    side.machine.record(call, None)
    side.drain()
    side.send(call, status=BROKEN)
    side.go_on()
    assert side.told[-1] == RecordingEnded(call, None)


@pytest.mark.parametrize("reaches", [True, False])
def test_a_call_is_sent_on(reaches: bool) -> None:
    side = driven()
    call = joined(side)
    agent = leg_of(side)
    side.machine.transfer(call, phone=PHONE, hotline=HOTLINE)
    side.go_on()
    (third,) = side.model.legs.keys() - {call, agent}
    if reaches:
        side.model.answer(third)
        side.go_on()
        assert side.told[-1] == CallTransferred(call)
        assert set(side.model.legs) == {call, third}
        side.model.end(third)
        side.go_on()
        assert over(side, call).ended_by is EndedBy.REMOTE
    else:
        side.model.end(third, 17, 486)
        side.go_on()
        assert side.told[-1] == CallTransferred(call, done=False)
        assert side.model.legs[call].bridge == side.model.legs[agent].bridge == "dialer.desk.a1."


def test_a_supervisor_changes_what_they_may_do() -> None:
    side = driven()
    call = joined(side)
    known = set(side.model.legs)
    side.machine.supervise(call, "boss", Supervision.WHISPER)
    side.go_on()
    (boss,) = side.model.legs.keys() - known
    side.model.answer(boss)
    side.go_on()
    (ear,) = side.model.legs.keys() - known - {boss}
    assert side.model.legs[ear].bridge == side.model.legs[boss].bridge != side.model.legs[call].bridge
    assert [request.query["whisper"] for request in side.sent if "/snoop/" in request.path] == ["out"]
    side.machine.supervise(call, "boss", Supervision.BARGE)
    side.go_on()
    assert ear not in side.model.legs
    assert side.model.legs[boss].bridge == side.model.legs[call].bridge
    side.model.end(call)
    side.go_on()
    assert not side.model.legs


@pytest.mark.parametrize(
    ("status", "cause", "amd"),
    [
        ("HUMAN", "HUMAN-800-800", AmdResult.HUMAN),
        ("MACHINE", "LONGGREETING-1500-1500", AmdResult.MACHINE),
        ("MACHINE", "INITIALSILENCE-2500-2500", AmdResult.NOTSURE),
        ("NOTSURE", "TOOLONG-4000", AmdResult.NOTSURE),
        ("", "", AmdResult.NOTSURE),
    ],
)
def test_who_answered(status: str, cause: str, amd: AmdResult) -> None:
    side = driven()
    call = placed(side, amd=True)
    side.model.answer(call)
    side.go_on()
    assert side.told[-1] == CallAnswered(call)
    assert side.sent[-1].query == {"context": "dialer-amd", "extension": "s", "priority": "1"}
    side.machine.connect(call, "a1", 0.0)
    side.go_on()
    side.model.answer(leg_of(side))
    side.go_on()
    assert CallConnected(call, "a1") not in side.told
    side.model.detect(call, status, cause)
    side.go_on()
    assert side.told[-2:] == [MachineDetected(call, amd), CallConnected(call, "a1")]


def test_who_hangs_up_while_it_is_found_out() -> None:
    side = driven()
    call = placed(side, amd=True)
    side.model.answer(call)
    side.go_on()
    side.model.end(call)
    side.go_on()
    assert side.told[-2] == MachineDetected(call, AmdResult.HANGUP)
    assert over(side).sip_status == 200


def test_a_call_to_a_hotline() -> None:
    side = driven()
    side.model.arrive("1764123.4")
    side.go_on()
    (arrived,) = side.told
    assert isinstance(arrived, CallArrived)
    assert (arrived.phone, arrived.hotline, arrived.trunk) == (PHONE, HOTLINE, "main")
    side.machine.answer(arrived.call_id)
    side.go_on()
    assert side.told[-1] == CallAnswered(arrived.call_id)
    side.model.end("1764123.4")
    side.go_on()
    assert over(side, arrived.call_id).ended_by is EndedBy.REMOTE


def test_a_channel_that_nobody_knows_is_hung_up() -> None:
    side = driven()
    side.machine.originate("c1", phone=PHONE, hotline=HOTLINE, ring_timeout_s=RING_S, now=0.0)
    side.go_on()
    side.model.answer("c1")
    del side.machine.board.channels["c1"], side.machine.board.calls["c1"]
    side.go_on()
    assert not side.model.legs


def test_a_call_that_asterisk_refuses_is_over_and_one_without_an_answer_is_looked_for() -> None:
    side = driven()
    side.machine.originate("c1", phone=PHONE, hotline=HOTLINE, ring_timeout_s=RING_S, now=0.0)
    side.drain()
    side.send("c1", status=BROKEN)
    assert over(side) == CallEnded("c1", sip_status=503)
    side.machine.originate("c2", phone=PHONE, hotline=HOTLINE, ring_timeout_s=RING_S, now=0.0)
    side.drain()
    side.send("c2", status=0)  # it was not obeyed either
    side.go_on()
    side.wait(LOOK_AGAIN_S)
    assert over(side, "c2") == CallEnded("c2", sip_status=503)
    side.machine.originate("c3", phone=PHONE, hotline=HOTLINE, ring_timeout_s=RING_S, now=side.now)
    side.drain()
    side.lose("c3")
    side.go_on()
    assert not side.model.legs
    assert len(ends(side, "c3")) == 1


def test_a_mute_trunk_is_alive_when_it_spoke_of_another_call_meanwhile() -> None:
    side = driven()
    placed(side, "c1")
    placed(side, "c2")
    side.machine.hangup("c1", 1.0, reason=CancelReason.RING_TIMEOUT)
    assert not side.machine.board.told
    placed(side, "c3")
    side.model.ring("c2")
    side.go_on()
    side.machine.hangup("c3", 2.0, reason=CancelReason.RING_TIMEOUT)
    assert side.machine.board.told == [CallProgressed("c3")]
