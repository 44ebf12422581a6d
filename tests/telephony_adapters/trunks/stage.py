"""A trunk machine between customers' phones and agents' phones, on a virtual network: what most tests here need."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeVar

from dialer.core.events import CallAnswered, CallConnected, CallEnded, ConnectFailed
from simulator.wire.impair import Weather
from simulator.wire.network import Network
from statuses.outcomes import CancelReason
from telephony_adapters.sip.agent import UaConfig
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.message import Request, Response
from telephony_adapters.sip.parse import parse_message
from telephony_adapters.sip.srv import Server
from telephony_adapters.trunks.config import parse
from telephony_adapters.trunks.handsets import Handsets
from telephony_adapters.trunks.line import Line
from telephony_adapters.trunks.machine import Told, TrunkMachine
from telephony_adapters.trunks.party import Media
from telephony_adapters.trunks.spend import Cap, Ledger
from telephony_adapters.trunks.trunk import NoPhones
from tests.telephony_adapters.trunks.bank import Bank, Habits, Phone

HERE = Flow("udp", "192.0.2.1", 5060)
CUSTOMERS = Flow("udp", "192.0.2.2", 5060)
AGENTS = Flow("udp", "192.0.2.3", 5060)
START = 1_790_000_000.0
HOTLINE = "+842400000001"
ONE = "+84900000001"
TWO = "+84900000002"

TRUNK = """
[trunk.main]
server = "192.0.2.2"
channels = 100
cps = 1000
burst = 100
options_every_s = 0
"""
PHONES = """
[agents]
server = "192.0.2.3:5060"
uri = "sip:{agent}@192.0.2.3"
"""

T = TypeVar("T")


class Stage:
    """`events` are the engine's; times count from the start."""

    def __init__(
        self,
        *,
        trunk: str = "",
        agents: str | None = "",
        more: str = "",
        customers: dict[str, Habits] | None = None,
        phones: dict[str, Habits] | None = None,
        caps: dict[str, Cap] | None = None,
        weather: Weather | None = None,
        seed: int = 0,
        latency_s: float = 0.01,
    ) -> None:
        text = TRUNK + trunk + more + ("" if agents is None else PHONES + agents)
        self.file = parse(text)
        chance = random.Random(seed)
        self.ledger = Ledger(caps or {}, zone="UTC")
        self.lines = [
            Line(one, self.file.numbers, self.ledger, uniform=chance.random) for one in self.file.trunks.values()
        ]
        for line in self.lines:
            line.serve([Server((0,), 0, (Flow(line.settings.transport, str(line.settings.server.host), 5060),))])
        handsets = None
        if self.file.agents is not None:
            handsets = Handsets(self.file.agents, uniform=chance.random)
            handsets.serve([Server((0,), 0, (AGENTS,))])
        self.handsets = handsets
        self.customers = Bank(CUSTOMERS, customers)
        self.agents = Bank(AGENTS, phones)
        self.network = Network(seed=seed, weather=weather, start=START, latency_s=latency_s)
        self.network.trace = []
        self.events: list[tuple[float, Told]] = []
        self.machine = self.make()
        self.node = self.network.plug(HERE, self.machine, after_turn=self._take)
        self.there = self.network.plug(CUSTOMERS, self.customers)
        self.desks = self.network.plug(AGENTS, self.agents)

    def make(self) -> TrunkMachine:
        config = UaConfig(key=b"key", sent_by=dict.fromkeys(("udp", "tcp"), HERE[1:3]))
        return TrunkMachine(config, self.lines, self.handsets or NoPhones(), Media(HERE.host, 4000))

    def _take(self, now: float) -> None:
        self.events += [(round(now - START, 4), event) for event in self.machine.take_events()]

    @property
    def now(self) -> float:
        return self.network.now

    def do(self, what: Callable[..., T], *args: Any, **more: Any) -> T:
        """Give a command, now."""
        done = what(*args, now=self.now, **more)
        for node in (self.node, self.there, self.desks):
            self.network.turn(node)
        return done

    def at(self, when: float, what: Callable[..., Any], *args: Any, **more: Any) -> None:
        """Give a command later; times count from the start."""
        self.network.at(START + when, lambda _now: self.do(what, *args, **more))

    def run(self, seconds: float) -> None:
        self.network.run(self.now + seconds, steps=100_000)

    # --- the engine -----------------------------------------------------------------------------------------------

    def call(self, call_id: str = "c1", phone: str = ONE, **more: Any) -> None:
        values = {"phone": phone, "hotline": HOTLINE, "trunk": "main", "ring_s": 30.0} | more
        self.do(self.machine.originate, call_id, **values)

    def hang_up(self, call_id: str = "c1", reason: CancelReason = CancelReason.RING_TIMEOUT) -> None:
        self.do(self.machine.hangup, call_id, reason)

    def connect(self, call_id: str = "c1", agent: str = "a1") -> None:
        self.do(self.machine.connect, call_id, agent)

    def summon(self, call_id: str = "c1", agent: str = "a1") -> None:
        self.do(self.machine.summon, call_id, agent)

    def station(self, agent: str = "a1", *, up: bool = True) -> None:
        self.do(self.machine.station, agent, up=up)

    def answered(self, call_id: str = "c1", phone: str = ONE, **more: Any) -> None:
        """Place a call that is answered, and wait for that."""
        self.call(call_id, phone, **more)
        self.run(0.5)
        assert CallAnswered(call_id) in self.heard, self.heard

    def talking(self, call_id: str = "c1", agent: str = "a1", phone: str = ONE) -> None:
        """Let a customer and an agent talk."""
        self.answered(call_id, phone)
        self.connect(call_id, agent)
        self.run(1)
        assert CallConnected(call_id, agent) in self.heard, self.heard

    # --- what was seen --------------------------------------------------------------------------------------------

    @property
    def heard(self) -> list[Told]:
        return [event for _, event in self.events]

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.heard if isinstance(event, kind)]

    @property
    def short(self) -> list[str]:
        """Return the kinds of what the engine heard."""
        return [type(event).__name__ for event in self.heard]

    def end(self) -> CallEnded:
        """Return the only end."""
        (end,) = self.of(CallEnded)
        return end

    def moment(self, kind: type[Any]) -> float:
        return next(at for at, event in self.events if isinstance(event, kind))

    @property
    def customer(self) -> Phone:
        return self.customers.phone(ONE)

    @property
    def agent(self) -> Phone:
        return self.agents.phone("a1")

    def failed(self) -> list[str]:
        return [event.agent_id for event in self.of(ConnectFailed)]

    def sent(self, method: str, to: Flow | None = None) -> list[Request]:
        """Return the requests of a method that the machine sent."""
        found = [
            parse_message(one.data)
            for one in self.network.trace or ()
            if one.source == HERE and one.data.startswith(f"{method} ".encode()) and (to is None or one.target == to)
        ]
        return [one for one in found if isinstance(one, Request)]

    def said(self, status: int, source: Flow = HERE) -> list[Response]:
        """Return the responses with a status."""
        start = f"SIP/2.0 {status} ".encode()
        found = [parse_message(one.data) for one in self.network.trace or () if one.source == source]
        return [one for one in found if isinstance(one, Response) and one.status == status and start]

    def quiet(self) -> bool:
        """Let everything that is under way come to its end; tell whether nothing is left of it."""
        self.run(200)
        machine = self.machine
        left = [
            len(machine.snapshot()), machine.ua.legs, machine.ua.transactions, len(machine.timers),
            self.customers.ua.legs, self.agents.ua.legs,
        ]  # fmt: skip
        assert left == [0] * 6, left
        return True


def hears_each_other(stage: Stage) -> bool:
    """Tell whether customer and agent send to each other."""
    one, other = stage.customer, stage.agent
    return one.hears == (AGENTS.host, other.port, "sendrecv") and other.hears == (CUSTOMERS.host, one.port, "sendrecv")
