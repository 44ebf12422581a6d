from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.events import (
    CallAnswered,
    CallArrived,
    CallEnded,
    CallProgressed,
    CallRinging,
    DigitPressed,
    EarlyMediaHeard,
)
from dialer.core.types import Supervision
from statuses.outcomes import CancelReason, EndedBy
from telephony_adapters.asterisk.board import LOOK_AGAIN_S
from tests.telephony_adapters.asterisk.model import BROKEN, Driven
from tests.telephony_adapters.asterisk.scenes import HOTLINE, PHONE, RING_S, driven, ends, over, placed

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
            "answer": self.answer,
        }
        orders[self.pick(orders)]()
        side.drain()

    def answer(self) -> None:
        for call in tuple(self.side.machine.board.calls):
            self.side.machine.answer(call)

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
    left = (side.model.legs, board.calls, board.channels, board.bosses)
    assert not any(left)


# --- one thing at a time ----------------------------------------------------------------------------------------------


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


def test_an_answer_of_ours_has_no_moment_of_an_event_before() -> None:
    side = driven()
    side.model.arrive("1764123.4")
    event = side.model.says.popleft()
    side.machine.heard(msgspec.structs.replace(event, timestamp="2026-11-26T02:15:02.376+0000"), 1795660000.0)
    side.drain()
    (arrived,) = side.told
    assert isinstance(arrived, CallArrived)
    side.machine.answer(arrived.call_id)
    side.go_on()
    assert side.told[-1] == CallAnswered(arrived.call_id)


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
