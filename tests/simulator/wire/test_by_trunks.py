"""The dialer's own trunk machine against the carrier: both come to the same status, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dialer.core.events import CallAnswered, CallEnded, CallEvent, CallProgressed, CallRinging, EarlyMediaHeard
from simulator.wire.ledger import Ledger, Row
from simulator.wire.machine import CarrierMachine
from simulator.wire.network import Network
from simulator.wire.numbers import entries
from simulator.wire.profile import load
from statuses.classify import AttemptFacts, classify
from statuses.outcomes import CancelReason
from telephony_adapters.sip.agent import UaConfig
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.srv import Server
from telephony_adapters.trunks.config import parse
from telephony_adapters.trunks.line import Line
from telephony_adapters.trunks.machine import TrunkMachine
from telephony_adapters.trunks.party import Media
from telephony_adapters.trunks.spend import Cap
from telephony_adapters.trunks.spend import Ledger as Spend
from telephony_adapters.trunks.trunk import NoPhones
from tests.simulator.wire.callers import CALLER, CARRIER, START

TRUNKS = """
[trunk.main]
server = "192.0.2.2:5070"
username = "dialer"
password = "dialer"
announcement_header = "X-Announcement"
early_100rel = true
channels = 1000
cps = 1000
options_every_s = 0
"""


class OpenDoor(Line):
    """A trunk that admits everything."""

    def admit(self, call_id: str, phone: str, now: float) -> float:
        return now

    def ended(self, call_id: str, phone: str, facts: AttemptFacts | None, flow: Flow | None, now: float) -> None:
        """Judge nothing: every call here is made to fail."""


class Listener:
    """What the engine would know of each call when it is over."""

    def __init__(self, dialer: TrunkMachine) -> None:
        self.facts: dict[str, AttemptFacts] = {}
        self.cancelled: set[str] = set()
        self._dialer = dialer

    def hear(self, _now: float) -> None:
        for event in self._dialer.take_events():
            if not isinstance(event, CallEvent):
                continue
            known = self.facts.setdefault(event.call_id, AttemptFacts())
            self.facts[event.call_id] = replace(known, **self._learned(event))

    def _learned(self, event: CallEvent) -> dict[str, Any]:
        match event:
            case CallRinging():
                return {"rang": True, "progressed": True}
            case EarlyMediaHeard(announcement=None) | CallProgressed():
                return {"progressed": True}
            case EarlyMediaHeard():
                return {"progressed": True, "announcement": event.announcement}
            case CallAnswered():
                return {"answered": True, "amd": event.amd}
            case CallEnded():
                reason = CancelReason.RING_TIMEOUT if event.call_id in self.cancelled else None
                return {
                    "sip_status": event.sip_status, "q850": event.q850, "q850_location": event.q850_location,
                    "reason_text": event.reason_text, "ended_by": event.ended_by, "local_error": event.local_error,
                    "cancel_reason": reason,
                }  # fmt: skip
            case _:
                return {}


def test_every_row_of_the_number_table_is_classified_as_the_carrier_expects() -> None:
    """Each SIP code, Q.850 cause, pair and scene; nobody is joined, so who answers is abandoned."""
    rows: list[Row] = []
    file = parse(TRUNKS)
    trunk = OpenDoor(file.trunks["main"], file.numbers, Spend({"main": Cap()}), uniform=lambda: 0.5)
    trunk.serve([Server((0,), 1, (CARRIER,))])
    dialer = TrunkMachine(UaConfig(key=b"k", sent_by={"udp": CALLER[1:3]}), [trunk], NoPhones(), Media(CALLER.host, 9))
    carrier = CarrierMachine(
        load("clean"), seed=7, started_at=START, sent_by={"udp": CARRIER[1:3]}, media_host=CARRIER.host,
        ledger=Ledger(rows.append),
    )  # fmt: skip
    network = Network(start=START)
    listener = Listener(dialer)
    here = network.plug(CALLER, dialer, after_turn=listener.hear)
    network.plug(CARRIER, carrier)

    def place(number: str, at: float) -> None:
        def go(now: float) -> None:
            dialer.originate(number, phone=number, hotline="0240000001", trunk="main", ring_s=30.0, now=now)
            network.turn(here)

        def give_up(now: float) -> None:
            known = listener.facts.get(number, AttemptFacts())
            if not known.answered and known.sip_status is None:
                listener.cancelled.add(number)
            dialer.hangup(number, CancelReason.RING_TIMEOUT, now)
            network.turn(here)

        network.at(START + at, go)
        network.at(START + at + 30.0, give_up)
        network.at(START + at + 40.0, give_up)  # who answered just then

    table = [f"+84{entry.example[1:]}" for entry in entries()]
    for order, number in enumerate(table):
        place(number, order / 100)
    network.run(START + 300.0)
    ours = {number: classify(facts).status for number, facts in listener.facts.items()}
    theirs = {row.called: row.expected for row in rows}
    assert len(rows) == len(theirs) == len(table)
    assert {number: (ours[number], theirs[number]) for number in table if ours[number] is not theirs[number]} == {}
    assert (carrier.active, dialer.ua.legs, carrier.ledger.ghosts) == (0, 0, 0)
