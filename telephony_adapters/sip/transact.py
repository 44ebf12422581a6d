"""Run transactions by their tables (RFC 3261 section 17); timers, sends and the user's ears are handed in."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from telephony_adapters.sip.flow import T1, T2, T4, Flow, Send
from telephony_adapters.sip.message import Request, Response
from telephony_adapters.sip.outgoing import Outgoing
from telephony_adapters.sip.tables import (
    CLIENT,
    INVITE_CLIENT,
    INVITE_SERVER,
    SERVER,
    Do,
    Input,
    State,
    Table,
    response_input,
)
from telephony_adapters.sip.timers import Timer, Timers

LIMIT_S: Final = 64 * T1
"""Timers B, F, H, L, M, and J of an unreliable transport."""

COARSE_S: Final = 0.125
"""What has only to be kept long enough is dropped so much late at most, never early, many at one wake-up."""

Tell: TypeAlias = Callable[["ClientTransaction", int, Response | None, float], None]
"""(transaction, status, response, now); without a response the status was made here: 408 or 503."""


class Linger(NamedTuple):
    """How long a state is kept for repetitions: over UDP and over the others; 0 = not at all."""

    timer: Input
    unreliable_s: float
    reliable_s: float


class Kind(NamedTuple):
    """One of the four transactions."""

    table: Table
    begins: State
    repeat: Input
    limit: Input
    most_s: float
    """The longest interval between repetitions."""
    linger: Mapping[State, Linger]


INVITE_CLIENT_KIND: Final = Kind(
    INVITE_CLIENT, State.CALLING, Input.A, Input.B, LIMIT_S,
    {State.COMPLETED: Linger(Input.D, LIMIT_S, 0.0), State.ACCEPTED: Linger(Input.M, LIMIT_S, LIMIT_S)},
)  # fmt: skip
CLIENT_KIND: Final = Kind(
    CLIENT, State.TRYING, Input.E, Input.F, T2, {State.COMPLETED: Linger(Input.K, T4, 0.0)}
)  # fmt: skip
INVITE_SERVER_KIND: Final = Kind(
    INVITE_SERVER, State.PROCEEDING, Input.G, Input.H, T2,
    {State.CONFIRMED: Linger(Input.I, T4, 0.0), State.ACCEPTED: Linger(Input.L, LIMIT_S, LIMIT_S)},
)  # fmt: skip
SERVER_KIND: Final = Kind(
    SERVER, State.TRYING, Input.J, Input.J, T2, {State.COMPLETED: Linger(Input.J, LIMIT_S, 0.0)}
)  # fmt: skip


class Transaction:
    """What clients and servers share. `data` is what is repeated: the request, or the last response."""

    __slots__ = ("data", "flow", "interval", "key", "kind", "limit", "repeat", "state")

    def __init__(self, kind: Kind, key: object, flow: Flow, data: bytes) -> None:
        self.kind = kind
        self.key = key
        self.flow = flow
        self.data = data
        self.state = kind.begins
        self.interval = T1
        self.repeat: Timer | None = None
        self.limit: Timer | None = None


class ClientTransaction(Transaction):
    """A request of ours on its way; `ack` is the ACK of a 2xx, once there is one."""

    key: tuple[str, str]
    __slots__ = ("ack", "owner", "request", "tell")

    def __init__(self, kind: Kind, key: object, flow: Flow, request: Outgoing, tell: Tell, owner: Any) -> None:  # noqa: PLR0917 -- made in one place
        super().__init__(kind, key, flow, request.data())
        self.request = request
        self.tell = tell
        self.owner = owner
        self.ack: Send | None = None


class ServerTransaction(Transaction):
    """A request of somebody else's. `head` holds the headers that every response repeats, `to` the To with our tag.

    `merge` is what an INVITE has in common with its copies that came by other ways (section 8.2.2.2).
    """

    __slots__ = ("head", "leg", "merge", "request", "to")

    def __init__(self, kind: Kind, key: object, flow: Flow, request: Request, head: str, to: str) -> None:  # noqa: PLR0917 -- made in one place
        super().__init__(kind, key, flow, b"")
        self.request = request
        self.head = head
        self.to = to
        self.leg: Any = None
        self.merge: tuple[str, str, int] | None = None


class Transactions:
    """All transactions of one user agent."""

    def __init__(self, timers: Timers, sends: list[Send]) -> None:
        self.clients: dict[tuple[str, str], ClientTransaction] = {}
        self.servers: dict[object, ServerTransaction] = {}
        self.merging: set[tuple[str, str, int] | None] = set()
        """(Call-ID, From tag, CSeq) of INVITEs that are served: one that comes by another way is a loop."""
        self._by_flow: dict[Flow, dict[Transaction, None]] = {}
        self._timers = timers
        self._sends = sends
        self._actions: dict[Do, Callable[[Any, Response | None, float], None]] = {
            Do.SEND: self._send,
            Do.TELL: self._tell,
            Do.ACK: self._ack,
            Do.TIMEOUT: self._timeout,
            Do.FAIL: self._fail,
            Do.REARM: self._rearm,
            Do.STOP: self._stop,
            Do.LINGER: self._linger,
        }

    def begin(self, flow: Flow, request: Outgoing, tell: Tell, owner: Any, now: float) -> ClientTransaction:
        """Send a request and wait for what becomes of it."""
        kind = INVITE_CLIENT_KIND if request.method == "INVITE" else CLIENT_KIND
        key = (request.branch, request.method)
        transaction = ClientTransaction(kind, key, flow, request, tell, owner)
        self.take_in(transaction)
        self._send(transaction, None, now)
        if not flow.is_reliable:
            transaction.repeat = self._timers.after(T1, now, kind.repeat, transaction)
        transaction.limit = self._timers.after(LIMIT_S, now, kind.limit, transaction)
        return transaction

    def take_in(self, transaction: ClientTransaction) -> None:
        """Keep a client transaction, whose request was sent."""
        self.clients[transaction.key] = transaction
        self._by_flow.setdefault(transaction.flow, {})[transaction] = None

    def on(self, flow: Flow) -> tuple[Transaction, ...]:
        """Return the transactions of a flow."""
        return tuple(self._by_flow.get(flow, ()))

    def accept(self, transaction: ServerTransaction) -> None:
        """Take in a new server transaction."""
        self.servers[transaction.key] = transaction
        self._by_flow.setdefault(transaction.flow, {})[transaction] = None
        if transaction.merge is not None:
            self.merging.add(transaction.merge)

    def give_up_in(self, transaction: ClientTransaction, seconds: float, now: float) -> None:
        """End a cancelled INVITE that nobody ends (RFC 3261 section 9.1)."""
        self._timers.cancel(transaction.limit)
        transaction.limit = self._timers.after(seconds, now, Input.B, transaction)

    def respond(self, transaction: ServerTransaction, status: int, data: bytes, now: float) -> None:
        """Send a response; one that comes too late for the state is not sent."""
        kind = response_input(status)
        if (transaction.state, kind) in transaction.kind.table:
            transaction.data = data
            self.step(transaction, kind, now)

    def step(self, transaction: Any, heard: Input, now: float, response: Response | None = None) -> bool:
        """Make one transition; False when the state ignores the input."""
        found = transaction.kind.table.get((transaction.state, heard))
        if found is None:
            return False
        transaction.state = found.to
        actions = self._actions
        for do in found.do:
            actions[do](transaction, response, now)
        if transaction.state is State.TERMINATED:
            self.drop(transaction)
        return True

    def drop(self, transaction: Transaction) -> None:
        """Forget a transaction."""
        transaction.state = State.TERMINATED
        self._timers.cancel(transaction.repeat)
        self._timers.cancel(transaction.limit)
        if isinstance(transaction, ServerTransaction):
            self.merging.discard(transaction.merge)
            store: dict[Any, Any] = self.servers
        else:
            store = self.clients
        if store.get(transaction.key) is transaction:
            del store[transaction.key]
        others = self._by_flow.get(transaction.flow)
        if others is not None:
            others.pop(transaction, None)
            if not others:
                del self._by_flow[transaction.flow]

    def _send(self, transaction: Transaction, _response: Response | None, _now: float) -> None:
        if transaction.data:
            self._sends.append(Send(transaction.flow, transaction.data))

    def _tell(self, transaction: ClientTransaction, response: Response | None, now: float) -> None:
        assert response is not None  # noqa: S101 -- TELL stands only where a response is the input
        transaction.tell(transaction, response.status, response, now)

    def _ack(self, transaction: ClientTransaction, response: Response | None, _now: float) -> None:
        to = (response.get("To") if response is not None else None) or transaction.request.to
        self._sends.append(Send(transaction.flow, transaction.request.ack(to)))

    def _timeout(self, transaction: ClientTransaction, _response: Response | None, now: float) -> None:
        transaction.tell(transaction, 408, None, now)

    def _fail(self, transaction: ClientTransaction, _response: Response | None, now: float) -> None:
        transaction.tell(transaction, 503, None, now)

    def _rearm(self, transaction: Transaction, _response: Response | None, now: float) -> None:
        waiting = transaction.state is State.PROCEEDING and transaction.kind is CLIENT_KIND
        most = transaction.kind.most_s
        transaction.interval = most if waiting else min(transaction.interval * 2, most)
        transaction.repeat = self._timers.set(now + transaction.interval, transaction.kind.repeat, transaction)

    def _stop(self, transaction: Transaction, _response: Response | None, _now: float) -> None:
        self._timers.cancel(transaction.repeat)
        self._timers.cancel(transaction.limit)

    def _linger(self, transaction: Transaction, _response: Response | None, now: float) -> None:
        kind, timers = transaction.kind, self._timers
        linger = kind.linger.get(transaction.state)
        if linger is None:  # a failure that the server repeats until its ACK comes: timers G and H
            if not transaction.flow.is_reliable:
                transaction.repeat = timers.after(T1, now, kind.repeat, transaction)
            transaction.limit = timers.after(LIMIT_S, now, kind.limit, transaction)
            return
        seconds = linger.reliable_s if transaction.flow.is_reliable else linger.unreliable_s
        if seconds:
            begins = math.floor(now / COARSE_S) * COARSE_S
            transaction.limit = timers.after(seconds + COARSE_S, begins, linger.timer, transaction)
        else:
            transaction.state = State.TERMINATED
