"""Calls of a machine over an Asterisk in memory, brought to where a test begins."""

from __future__ import annotations

from dialer.core.events import (
    CallConnected,
    CallEnded,
)
from telephony_adapters.asterisk.config import Agents, parse
from telephony_adapters.asterisk.machine import Machine
from tests.telephony_adapters.asterisk.model import Driven

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
