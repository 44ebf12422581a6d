"""Trunks, a carrier, agents' phones and a restless engine in any weather, by seed; and what must hold of them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from dialer.core.events import (
    AgentOnLine,
    CallAnswered,
    CallConnected,
    CallEnded,
    CallEvent,
    CallProgressed,
    CallRinging,
    ConnectFailed,
    EarlyMediaHeard,
)
from simulator.wire.impair import Weather
from simulator.wire.ledger import Ledger as CarrierLedger
from simulator.wire.ledger import Row
from simulator.wire.machine import CarrierMachine
from simulator.wire.network import Network
from simulator.wire.profile import load
from simulator.wire.scenes import SCENES
from statuses.classify import AttemptFacts, classify
from statuses.outcomes import CallStatus, CancelReason
from statuses.sip_causes import SIP
from telephony_adapters.sip.agent import UaConfig
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.srv import Server
from telephony_adapters.trunks.config import parse
from telephony_adapters.trunks.handsets import Handsets
from telephony_adapters.trunks.line import Line
from telephony_adapters.trunks.machine import TrunkMachine
from telephony_adapters.trunks.party import Media
from telephony_adapters.trunks.spend import Ledger
from tests.telephony_adapters.trunks.bank import Bank, Habits
from tests.telephony_adapters.trunks.wiretap import Wiretap

HERE: Final = Flow("udp", "192.0.2.1", 5060)
CARRIERS: Final = {"main": Flow("udp", "192.0.2.2", 5060), "other": Flow("udp", "192.0.2.3", 5060)}
AGENTS: Final = Flow("udp", "192.0.2.4", 5060)
START: Final = 1_790_000_000.0
STOP_S: Final = 70.0
"""Everything is ended then."""
QUIET_S: Final = 400.0
"""Long after the last timer of SIP."""
RING_S: Final = 8.0
TEAM: Final = ("a1", "a2", "a3")

SETTINGS: Final = """
[numbers]
allow = ["vietnam", "8495"]
[trunk.main]
server = "192.0.2.2:5060"
channels = 50
cps = 50
burst = 2
options_every_s = 0
announcement_header = "X-Announcement"
offer = "{offer}"
username = "dialer"
password = "dialer"
early_100rel = {reliable}
ring_limit_s = 30
call_limit_s = 60
session_expires_s = {session}
[trunk.other]
server = "192.0.2.3:5060"
channels = 50
cps = 50
options_every_s = 0
offer = "none"
username = "dialer"
password = "dialer"
ring_limit_s = 20
call_limit_s = 30
[agents]
server = "192.0.2.4:5060"
uri = "sip:{{agent}}@192.0.2.4"
nailed_up = {nailed}
answer_limit_s = 5
"""


class Climate(NamedTuple):
    """How bad a world is."""

    is_fair: bool
    weather: Weather

    @classmethod
    def of(cls, seed: int, chance: random.Random) -> Climate:
        """Return fair weather for every fourth seed."""
        if seed % 4 == 0:
            return cls(is_fair=True, weather=Weather(delay_ms=chance.choice((1.0, 20.0, 80.0))))
        share = [chance.uniform(0.0, 0.3) for _ in range(3)]
        return cls(
            is_fair=False,
            weather=Weather(
                loss=share[0], duplicate=share[1], reorder=share[2], reorder_ms=chance.choice((50.0, 150.0, 350.0)),
                delay_ms=20.0, jitter_ms=chance.choice((5.0, 100.0)),
            ),
        )  # fmt: skip


def _habits(chance: random.Random, *, is_fair: bool) -> Habits:
    if is_fair:
        return Habits(picks_up_s=0.05, hangs_up_s=chance.choice((None, None, 12.0)))
    return Habits(
        picks_up_s=chance.choice((0.02, 0.1, 0.5, 3.0, None)),
        refuses=chance.choice((None, None, None, None, 486)),
        reoffer=chance.choice((None, None, None, None, None, 488, 0)),
        moves=chance.choice((0, 0, 1, 5)),
        hangs_up_s=chance.choice((None, 0.3, 4.0, 20.0)),
        holds_s=chance.choice(((), (), (1.0, 3.0), (2.0, 2.1, 2.2))),
        asks_s=chance.choice(((), (), (1.5,))),
        refreshes_s=chance.choice(((), (0.5,))),
    )


class World:
    """One seed's world; `run` it, then `complaints` says what is wrong."""

    machine_class: type[TrunkMachine] = TrunkMachine

    def __init__(self, seed: int) -> None:
        self.seed = seed
        chance = self.chance = random.Random(f"world/{seed}")
        self.climate = Climate.of(seed, chance)
        self.network = Network(seed=seed, weather=self.climate.weather, start=START)
        self.network.trace = []
        self.events: list[tuple[float, CallEvent]] = []
        self.rows: dict[str, list[Row]] = {name: [] for name in CARRIERS}
        self.placed: dict[str, float] = {}
        self.wishes: list[tuple[str, str, float]] = []
        """What was to be joined, and when: call, agent."""
        self.hangups: list[tuple[str, CancelReason, float]] = []
        self.seen: list[str] = []
        """What was wrong meanwhile."""
        self.dead: set[str] = set()
        """Calls that the engine has forgotten: the adapter's own limits end them."""
        self.summoning: set[str] = set()
        """Calls whose agents are called first."""
        self._free = list(TEAM)
        self._join(chance)

    def _join(self, chance: random.Random) -> None:
        fair = self.climate.is_fair
        file = parse(SETTINGS.format(
            offer="inactive" if fair else chance.choice(("sendrecv", "inactive")),
            reliable="true" if chance.random() < 0.5 else "false",
            session=chance.choice((0, 0, 90, 1800)),
            nailed="true" if chance.random() < 0.6 else "false",
        ))  # fmt: skip
        ledger = Ledger({}, zone="UTC")
        lines = [Line(trunk, file.numbers, ledger, uniform=chance.random) for trunk in file.trunks.values()]
        for line in lines:
            line.serve([Server((0,), 0, (CARRIERS[line.name],))])
        assert file.agents is not None
        handsets = Handsets(file.agents, uniform=chance.random)
        handsets.serve([Server((0,), 0, (AGENTS,))])
        config = UaConfig(key=b"key", sent_by={"udp": HERE[1:3]})
        self.machine = self.machine_class(config, lines, handsets, Media(HERE.host, 4000))
        self.node = self.network.plug(HERE, self.machine, after_turn=self._hear)
        self.carriers = {name: self._carrier(name, flow) for name, flow in CARRIERS.items()}
        self.there = self.network._nodes[CARRIERS["main"][:3]]
        self.bank = Bank(AGENTS, {agent: _habits(chance, is_fair=fair) for agent in TEAM})
        self.network.plug(AGENTS, self.bank)

    def _carrier(self, name: str, flow: Flow) -> CarrierMachine:
        machine = CarrierMachine(
            msgspec.structs.replace(load("clean"), longest_s=150.0), seed=self.seed, started_at=START,
            sent_by={"udp": flow[1:3]}, media_host=flow.host, ledger=CarrierLedger(self.rows[name].append),
        )  # fmt: skip
        self.network.plug(flow, machine)
        return machine

    # --- what the engine does -------------------------------------------------------------------------------------

    def run(self) -> World:
        """Live through everything."""
        chance = self.chance
        for agent in TEAM:
            self._later(chance.uniform(0.0, 2.0), partial(self._arrive, agent))
        for number in range(8):
            self._later(chance.uniform(0.5, 30.0), partial(self._place, f"c{number}"))
        if not self.climate.is_fair:
            for _ in range(6):
                self._later(chance.uniform(1.0, 50.0), self._whim)
            if chance.random() < 0.3:
                self._be_dumb(chance.uniform(1.0, 25.0), 33.0)
        for after in range(5, int(STOP_S), 5):
            self._later(after, self._look)
        self._later(STOP_S, self._stop)
        self.network.run(START + QUIET_S, steps=100_000)
        return self

    def _later(self, seconds: float, what: Callable[[float], None]) -> None:
        def go(now: float) -> None:
            what(now)
            self.network.turn(self.node)

        self.network.at(max(START, self.network.now) + seconds, go)

    def _be_dumb(self, after: float, seconds: float) -> None:
        """Let nothing that the carrier says arrive for a while, so that its answers come when we have given up."""
        impairment = self.there.impairment
        self.network.at(START + after, lambda _now: impairment.set(Weather(loss=1.0)))
        self.network.at(START + after + seconds, lambda _now: impairment.set(self.climate.weather))

    def _look(self, now: float) -> None:
        """See whether agents' phones were let go."""
        for desk in self.machine._desks.all.values():
            left = desk.knows_customer or not desk.wanted
            if not desk.is_taken and desk.state == "up" and left:
                self.seen.append(f"{desk.agent_id}'s phone is left alone at {now - START:.3f}")

    def _arrive(self, agent: str, now: float) -> None:
        self._station(agent, now, up=True)

    def _station(self, agent: str, now: float, *, up: bool) -> None:
        self.machine.station(agent, now, up=up)

    def _place(self, call_id: str, now: float) -> None:
        if self.climate.is_fair or self.chance.random() < 0.7:
            self._invite(call_id, now)
        else:
            self.summoning.add(call_id)
            self.machine.summon(call_id, self.chance.choice(TEAM), now)

    def _online(self, call_id: str, now: float) -> None:
        """Place a call whose agent is there; some agents wait in vain."""
        if call_id in self.summoning and self.chance.random() < 0.9:
            self.summoning.discard(call_id)
            self._invite(call_id, now)

    def _invite(self, call_id: str, now: float) -> None:
        chance = self.chance
        self.placed[call_id] = now
        trunk = "main" if self.climate.is_fair or chance.random() < 0.7 else "other"
        self.machine.originate(
            call_id, phone=_number(chance), hotline="+842400000001", trunk=trunk, ring_s=RING_S, now=now
        )
        if self.climate.is_fair or chance.random() < 0.85:
            self._later(RING_S + 10.0, lambda at: self._ring_out(call_id, at))
        else:
            self.dead.add(call_id)
        if not self.climate.is_fair and chance.random() < 0.5:
            reason = chance.choice(list(CancelReason))
            after = chance.choice((0.0, chance.expovariate(0.3)))
            self._later(after, lambda at: self._hang_up(call_id, reason, at))

    def _ring_out(self, call_id: str, now: float) -> None:
        if not self._saw(CallAnswered, call_id):
            self._hang_up(call_id, CancelReason.RING_TIMEOUT, now)

    def _hang_up(self, call_id: str, reason: CancelReason, now: float) -> None:
        if not self._saw(CallEnded, call_id):
            self.hangups.append((call_id, reason, now))
        self.machine.hangup(call_id, reason, now)

    def _whim(self, now: float) -> None:
        """Do what no engine should."""
        chance = self.chance
        call_id, agent = chance.choice([*self.placed, "nobody"]), chance.choice(TEAM)
        match chance.randrange(4):
            case 0:
                self._wish(call_id, agent, now)
            case 1:
                self._hang_up(call_id, chance.choice(list(CancelReason)), now)
            case 2:
                self._station(agent, now, up=chance.random() < 0.5)
            case _:
                self.bank.hang_up(agent, now)

    def _stop(self, now: float) -> None:
        for agent in TEAM:
            self._station(agent, now, up=False)
        for call_id in (one for one in self.placed if one not in self.dead):
            self._hang_up(call_id, CancelReason.ADMIN, now)

    def _hear(self, now: float) -> None:
        for event in self.machine.take_events():
            if isinstance(event, CallEvent):
                self.events.append((now, event))
                self._react(event, now)

    def _react(self, event: CallEvent, now: float) -> None:
        call_id = event.call_id
        if call_id in self.dead or self.network.now > START + STOP_S:
            return
        if call_id in self.summoning:
            if isinstance(event, AgentOnLine):
                self._later(0.0, lambda at: self._online(call_id, at))
            return
        match event:
            case CallRinging():
                self._later(RING_S, lambda at: self._ring_out(call_id, at))
            case CallAnswered() | ConnectFailed():
                self._later(0.0, lambda at: self._find_agent(call_id, at))
            case CallConnected():
                self._later(self.chance.expovariate(0.15), lambda at: self._hang_up(call_id, CancelReason.OVERFLOW, at))
            case _:
                pass

    def _find_agent(self, call_id: str, now: float) -> None:
        if self._saw(CallEnded, call_id):
            return
        if sum(known == call_id for known, _, _ in self.wishes) > 2:
            self._hang_up(call_id, CancelReason.OVERFLOW, now)
            return
        self._wish(call_id, self.chance.choice(TEAM), now)

    def _wish(self, call_id: str, agent: str, now: float) -> None:
        self.wishes.append((call_id, agent, now))
        self.machine.connect(call_id, agent, now)

    def _saw(self, kind: type[CallEvent], call_id: str) -> bool:
        return any(isinstance(event, kind) and event.call_id == call_id for _, event in self.events)

    # --- what must hold -------------------------------------------------------------------------------------------

    def complaints(self) -> list[str]:
        """Return what is wrong."""
        return [
            *self.seen,
            *self._of_events(),
            *self._of_summons(),
            *self._left(),
            *self._ghosts(),
            *(self._statuses() if self.climate.is_fair else ()),
        ]

    def _of_events(self) -> Iterator[str]:
        by_call: defaultdict[str, list[tuple[float, CallEvent]]] = defaultdict(list)
        for at, event in self.events:
            by_call[event.call_id].append((at, event))
        for call_id in self.placed:
            yield from (f"{call_id}: {words}" for words in _order([event for _, event in by_call[call_id]]))
        for call_id, agent, at in self.wishes:
            if not self._is_answered(by_call[call_id], call_id, agent, at):
                yield f"{call_id}: the wish for {agent} at {at - START:.3f} was not answered within 5 s"

    def _of_summons(self) -> Iterator[str]:
        """Say which call that was never placed ended not once: its agent was not reached, or waited in vain."""
        for call_id in self.summoning:
            told = [event for _, event in self.events if event.call_id == call_id]
            if sum(isinstance(event, ConnectFailed | CallEnded) for event in told) != 1:
                yield f"{call_id}: its agent was called first, and then {told}"

    def unreached(self) -> int:
        """Count the calls whose agents were called first and not reached."""
        return sum(isinstance(event, ConnectFailed) and event.call_id in self.summoning for _, event in self.events)

    def _is_answered(self, events: list[tuple[float, CallEvent]], call_id: str, agent: str, since: float) -> bool:
        """Tell whether a join was decided in time, or the engine changed its mind, or the call ended."""
        span = (since, since + 5.001)
        return (
            any(
                span[0] <= at <= span[1] and (isinstance(event, CallEnded) or getattr(event, "agent_id", None) == agent)
                for at, event in events
            )
            or any(known == call_id and since < at <= span[1] for known, _, at in self.wishes)
            or any(known == call_id and since <= at <= span[1] for known, _, at in self.hangups)
        )

    def _left(self) -> Iterator[str]:
        machine = self.machine
        counts: dict[str, int] = {
            "calls": len(machine.snapshot()), "legs": machine.ua.legs, "transactions": machine.ua.transactions,
            "timers": len(machine.timers), "timers of SIP": len(machine.ua._state.timers),
            "calls hung up": len(machine.ua._state.hung_up), "agents' legs": self.bank.ua.legs,
            "agents' transactions": self.bank.ua.transactions,
            "phones up": sum(state != "down" for state in machine.phones().values()),
            **{f"calls at {name}": carrier.active + carrier.agent.legs for name, carrier in self.carriers.items()},
        }  # fmt: skip
        yield from (f"{count} {what} left" for what, count in counts.items() if count)

    def _ghosts(self) -> Iterator[str]:
        tap = Wiretap(HERE, self.network.trace or ())
        yield from tap.complaints(late=self.machine.ua.counters["2xx after Timer M"])
        for row in (row for rows in self.rows.values() for row in rows if row.ghost):
            if self.climate.is_fair or tap.all_acked(row.call_id):
                yield f"{row.call_id}: the carrier calls it a ghost: {row}"

    def _statuses(self) -> Iterator[str]:
        for row in self.rows["main"]:
            call_id = row.call_id.partition("@")[0]
            events = [event for _, event in self.events if event.call_id == call_id]
            reason = next((reason for known, reason, _ in self.hangups if known == call_id), None)
            status = _status(events, reason)
            crossed = row.cancelled and row.answered_at is not None
            if status is not row.expected and not crossed and not self._was_being_joined(call_id):
                yield f"{call_id}: {status}, the carrier expects {row.expected}: {row} {events}"

    def _was_being_joined(self, call_id: str) -> bool:
        """Tell whether a call ended while the customer, but not yet the engine, knew of the agent."""
        ended = next(at for at, event in self.events if isinstance(event, CallEnded) and event.call_id == call_id)
        return any(known == call_id and 0 <= ended - at < 1.0 for known, _, at in self.wishes)


def _number(chance: random.Random) -> str:
    digit = chance.randrange(4)
    if chance.random() < 0.75:
        return f"+84959{chance.choice(list(SCENES)):02d}{digit}{chance.randrange(1000):03d}"
    return (
        f"+84955{chance.choice([code for code in SIP if code >= 300])}{chance.choice('05')}{chance.randrange(100):02d}"
    )


def _order(events: list[CallEvent]) -> Iterator[str]:
    """Say what is wrong with the order of one call's events."""
    ends = [event for event in events if isinstance(event, CallEnded)]
    answers = [place for place, event in enumerate(events) if isinstance(event, CallAnswered)]
    if len(ends) != 1:
        yield f"{len(ends)} ends"
    if len(answers) > 1:
        yield f"{len(answers)} answers"
    for kind in (CallProgressed, CallRinging):
        if sum(isinstance(event, kind) for event in events) > 1:
            yield f"{kind.__name__} was told more than once"
    for place, event in enumerate(events):
        early = isinstance(event, CallProgressed | CallRinging | EarlyMediaHeard)
        if early and answers and place > answers[0]:
            yield f"{event} after the answer"
        if isinstance(event, CallConnected) and (not answers or place < answers[0]):
            yield "connected before the answer"
        if ends and place > events.index(ends[0]) and not isinstance(event, ConnectFailed):
            yield f"{event} after the end"


def _status(events: list[CallEvent], hung_up: CancelReason | None) -> CallStatus:
    """Return what an engine makes of a call."""
    end = next(event for event in events if isinstance(event, CallEnded))
    answered = any(isinstance(event, CallAnswered) for event in events)
    said = [event.announcement for event in events if isinstance(event, EarlyMediaHeard)]
    facts: dict[str, Any] = {
        "sip_status": end.sip_status, "q850": end.q850, "reason_text": end.reason_text, "ended_by": end.ended_by,
        "local_error": end.local_error, "progressed": bool(events[:-1]), "answered": answered,
        "rang": any(isinstance(event, CallRinging) for event in events),
        "announcement": next((each for each in reversed(said) if each is not None), None),
        "agent_bridged": any(isinstance(event, CallConnected) for event in events),
        "amd": next((event.amd for event in events if isinstance(event, CallAnswered)), None),
        "cancel_reason": hung_up if not answered or hung_up is CancelReason.OVERFLOW else None,
    }  # fmt: skip
    return classify(AttemptFacts(**facts)).status
