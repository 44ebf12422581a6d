"""A network on a virtual clock that joins machines by address: no sockets, no sleep; the same seed, the same trace."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from heapq import heappop, heappush
from typing import Final, NamedTuple, TypeAlias

from simulator.wire.impair import Impairment, Weather
from telephony_adapters.sip.flow import Flow, Machine

Doing: TypeAlias = Callable[[float], None]
Place: TypeAlias = tuple[str, str, int]
"""Transport, host and port: what a flow is without the name on the certificate."""

_ENDLESS: Final = 10_000_000


class Sent(NamedTuple):
    """One message as its sender gave it away; `copies` 0: the network lost it, or nobody lives there."""

    at: float
    source: Flow
    target: Flow
    data: bytes
    copies: int


class Node:
    """One machine at its address. `after_turn` runs after each of its turns, and may give it new commands."""

    __slots__ = ("after_turn", "armed_at", "flow", "impairment", "machine")

    def __init__(self, flow: Flow, machine: Machine, impairment: Impairment, after_turn: Doing | None) -> None:
        self.flow = flow
        self.machine = machine
        self.impairment = impairment
        """What happens to what this node sends."""
        self.after_turn = after_turn
        self.armed_at: float | None = None


class Network:
    """Carry messages between machines through seeded impairments, in order of time and then of sending.

    A message takes `latency_s`, and what the weather adds where the transport is UDP. Messages for an address where
    nobody lives are lost (UDP) or break the flow (TCP, TLS).
    """

    def __init__(
        self, *, seed: int = 0, weather: Weather | None = None, start: float = 0.0, latency_s: float = 0.0005
    ) -> None:
        self.now = start
        self.trace: list[Sent] | None = None
        """Set it to a list to keep every message; the digest is kept always."""
        self.sent = 0
        self._seed = seed
        self._weather = weather or Weather()
        self._latency_s = latency_s
        self._nodes: dict[Place, Node] = {}
        self._heap: list[tuple[float, int, Doing]] = []
        self._pushed = 0
        self._digest = blake2b(digest_size=16)

    def plug(
        self, flow: Flow, machine: Machine, *, after_turn: Doing | None = None, weather: Weather | None = None
    ) -> Node:
        """Put a machine at an address; `weather`: of what it sends, instead of the network's."""
        impairment = Impairment(weather or self._weather, seed=self._seed, direction=str(flow))
        node = self._nodes[flow[:3]] = Node(flow, machine, impairment, after_turn)
        self._settle(node)
        return node

    def unplug(self, flow: Flow) -> None:
        """Take the machine at an address away, as a crash does: its timers and what is on its way to it are lost."""
        del self._nodes[flow[:3]]

    def at(self, when: float, what: Doing) -> None:
        """Do something of the test's own at a moment; commands to a machine need `turn` afterwards."""
        self._pushed += 1
        heappush(self._heap, (when, self._pushed, what))

    def turn(self, node: Node) -> None:
        """Take what a machine wants to send after a command from outside, and arm its timer."""
        self._settle(node)

    def cut(self, one: Flow, other: Flow) -> None:
        """Break the connection between two addresses; both ends learn of it now."""
        for here, there in ((one, other), (other, one)):
            if (node := self._nodes.get(here[:3])) is not None:
                node.machine.flow_lost(there, "the connection was cut", self.now)
                self._settle(node)

    def run(self, until: float, *, steps: int = _ENDLESS) -> None:
        """Let everything happen that is due up to a moment; raise RuntimeError after so many steps."""
        self._work(until, steps)
        self.now = max(self.now, until)

    def run_out(self, *, limit_s: float = 86_400.0, steps: int = _ENDLESS) -> float:
        """Run until nothing is left to happen, at most `limit_s` long; return the moment of the last thing."""
        self._work(self.now + limit_s, steps)
        return self.now

    def _work(self, until: float, steps: int) -> None:
        heap = self._heap
        while heap and heap[0][0] <= until:
            steps -= 1
            if steps < 0:
                raise RuntimeError(
                    f"the network still works at {self.now:.3f}: two machines answer each other for ever"
                )
            at, _, what = heappop(heap)
            self.now = max(self.now, at)
            what(self.now)

    def digest(self) -> str:
        """Return a digest of every message so far: when, from, to, what, and how many copies arrived."""
        return self._digest.hexdigest()

    def _settle(self, node: Node) -> None:
        machine, now = node.machine, self.now
        sends = machine.take_sends()
        if node.after_turn is not None:
            node.after_turn(now)
            more = machine.take_sends()
            if more:
                sends = [*sends, *more]
        for flow, data in sends:
            self._send(node, flow, data)
        self._arm(node)

    def _arm(self, node: Node) -> None:
        due = node.machine.next_timer()
        if due is None or (node.armed_at is not None and node.armed_at <= due):
            return
        node.armed_at = due
        self.at(max(due, self.now), lambda now: self._fire(node, due, now))

    def _fire(self, node: Node, due: float, now: float) -> None:
        if self._nodes.get(node.flow[:3]) is not node or node.armed_at != due:
            return
        node.armed_at = None
        at = node.machine.next_timer()
        if at is not None and at <= now:
            node.machine.handle_timer(now)
            self._settle(node)
        else:
            self._arm(node)

    def _send(self, node: Node, flow: Flow, data: bytes) -> None:
        source, now = node.flow, self.now
        delays = (0.0,) if flow.is_reliable else node.impairment.delays()
        target = self._nodes.get(flow[:3])
        copies = len(delays) if target is not None else 0
        self.sent += 1
        self._digest.update(b"%r %s %s %d " % (now, str(source).encode(), str(flow).encode(), copies))
        self._digest.update(data)
        if self.trace is not None:
            self.trace.append(Sent(now, source, flow, data, copies))
        if target is not None:
            for delay in delays:
                self.at(now + self._latency_s + delay, lambda at: self._deliver(flow, source, data, at))
        elif flow.is_reliable:
            self.at(now + self._latency_s, lambda at: self._refuse(node, flow, at))

    def _deliver(self, target: Flow, source: Flow, data: bytes, now: float) -> None:
        if (node := self._nodes.get(target[:3])) is not None:
            node.machine.receive(data, source, now)
            self._settle(node)

    def _refuse(self, node: Node, flow: Flow, now: float) -> None:
        if self._nodes.get(node.flow[:3]) is node:
            node.machine.flow_lost(flow, "nobody listens there", now)
            self._settle(node)
