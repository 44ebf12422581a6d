"""Turn a machine over sockets: what came in goes to it, its owner acts, what it sends goes out, its one timer is armed.

Only this turns the machine, and never from inside itself. Nothing that arrives can stop it: what raises is dropped,
counted, and logged once for each kind.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from dialer.errors import BadInput, DialerError, ResourceBusy
from telephony_adapters.sip.flow import Flow, Machine
from telephony_adapters.wire.connection import Limits
from telephony_adapters.wire.explain import explain
from telephony_adapters.wire.listen import Listen
from telephony_adapters.wire.stream import ClientTls, Streams
from telephony_adapters.wire.udp import Batch, UdpEndpoint, bind_udp

log = logging.getLogger(__name__)

SENT: Final = True
RECEIVED: Final = False
Tap: TypeAlias = Callable[[bool, Flow, tuple[str, int], bytes, float], None]
"""Told (sent, flow, local address and port, message, now) of each message of the machine's."""
Impair: TypeAlias = Callable[[bool], Sequence[float]]
"""Asked (sent) for each datagram: after how many seconds each copy of it goes on; none: it is lost."""

_LATE_S: Final = 0.001
"""A timer fires so much late, never early: uvloop's clock ticks in milliseconds, and a timer that is not due spins."""
_AFTER_FAILURE_S: Final = 0.1
"""A timer that fails is not tried again sooner."""
_PEERS_MAX: Final = 10_000


class SipLoop:
    """Owns the sockets. `after_turn` runs once in each turn, before the sends are taken: it may command the machine.

    `now` gives the machine's time, in seconds, never backwards. `client_tls` gives the context for a TLS flow.
    """

    def __init__(
        self,
        machine: Machine,
        *,
        now: Callable[[], float],
        after_turn: Callable[[], None] | None = None,
        client_tls: ClientTls | None = None,
        limits: Limits | None = None,
        tap: Tap | None = None,
        impair: Impair | None = None,
    ) -> None:
        self.counters: Counter[str] = Counter()
        """How often what happened, by reason."""
        self.listening: list[Listen] = []
        """Where we listen, with real ports."""
        self._machine = machine
        self._now = now
        self._after_turn = after_turn
        self._tap = tap
        self._impair = impair
        self._loop = asyncio.get_running_loop()
        self._streams = Streams(
            self, counters=self.counters, limits=limits or Limits(), client_tls=client_tls or _no_tls
        )
        self._endpoints: list[UdpEndpoint] = []
        self._came_to: dict[Flow, UdpEndpoint] = {}
        self._lost: list[tuple[Flow, str]] = []
        self._known_failures: set[str] = set()
        self._kicked = self._turning = self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._rest_until = 0.0

    async def open(self, listens: Sequence[Listen], *, server_tls: ssl.SSLContext | None = None) -> list[Listen]:
        """Listen there, and turn from now on; return the places with real ports. All or nothing.

        Raises ResourceBusy where another process listens, BadInput where it is no place of this machine.
        """
        try:
            for listen in listens:
                self.listening.append(await self._listen(listen, server_tls))
        except DialerError:
            await self.close()
            raise
        self.kick()
        return self.listening

    async def close(self) -> None:
        """Send what the machine has to say, then close everything; the machine is not turned any more."""
        if self._closed:
            return
        self._turn()
        self._closed = True
        self._disarm()
        for endpoint in self._endpoints:
            endpoint.close()
        await self._streams.close()

    def kick(self) -> None:
        """Turn soon, after a command from outside; many kicks of one moment are one turn, and inside a turn none."""
        if not self._kicked and not self._turning and not self._closed:
            self._kicked = True
            self._loop.call_soon(self._turn)

    def reaches(self, flow: Flow) -> bool:
        """Tell whether there is a socket for the flow: a UDP flow needs one of its family."""
        return flow.transport != "udp" or any(one.is_v6 == (":" in flow.host) for one in self._endpoints)

    def kernel_drops(self) -> int:
        """Return how many datagrams the kernel threw away because we did not read them in time."""
        return sum(endpoint.kernel_drops() for endpoint in self._endpoints)

    # --- what the sockets tell ----------------------------------------------------------------------------------------

    def datagrams(self, endpoint: UdpEndpoint, batch: Batch) -> None:
        """Take what one wake-up of a UDP socket read."""
        now = self._now()
        flows = endpoint.flows
        is_plain = self._tap is None and self._impair is None and len(self._endpoints) == 1
        take = self._machine.receive if is_plain else self._watched(endpoint)
        self.counters["udp.received"] += len(batch)
        for data, address in batch:
            try:
                take(data, flows[address], now)
            except Exception as error:  # noqa: BLE001 -- whatever a stranger's datagram provokes, it costs itself only
                self._failed("receive", error)
        self._turn()

    def messages(self, flow: Flow, local: tuple[str, int], messages: list[bytes]) -> None:
        """Take whole messages of one connection."""
        now = self._now()
        self.counters["stream.received"] += len(messages)
        for data in messages:
            self._hear(data, flow, now, local)
        self._turn()

    def lost(self, flow: Flow, why: str) -> None:
        """Note that a flow broke; the machine learns of it in the next turn."""
        self._lost.append((flow, why))
        self.kick()

    # --- the turn -----------------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        """Tell the machine what broke, let the owner act, send, arm the timer."""
        self._kicked = False
        if self._closed or self._turning:
            return
        self._turning = True
        try:
            self._tell_losses()
            if self._after_turn is not None:
                self._guard("after_turn", self._after_turn)
            self._guard("send", self._send_all)
            self._streams.flush()
        finally:
            self._turning = False
        self._arm()
        if self._lost:
            self.kick()

    def _tell_losses(self) -> None:
        if not self._lost:
            return
        now = self._now()
        lost, self._lost = self._lost, []
        self.counters["flow.lost"] += len(lost)
        for flow, why in lost:
            self._guard("flow_lost", self._machine.flow_lost, flow, why, now)

    def _send_all(self) -> None:
        take = self._machine.take_sends
        while sends := take():
            self.counters["sent"] += len(sends)
            if self._tap is not None:
                now = self._now()
                for flow, data in sends:
                    self._guard("tap", self._tap, SENT, flow, self._local(flow), data, now)
            for flow, data in sends:
                if flow.transport != "udp":
                    self._streams.send(flow, data)
                elif self._impair is None:
                    self._send_datagram(flow, data)
                else:
                    self._delay(self._impair(SENT), self._send_datagram, flow, data)

    def _send_datagram(self, flow: Flow, data: bytes) -> None:
        endpoint = self._endpoint(flow)
        if endpoint is not None:
            endpoint.send(flow, data)
        else:
            family = "IPv6" if ":" in flow.host else "IPv4"
            self.lost(flow, f"no UDP socket of {family} is open here: listen on an {family} address, too")

    def _endpoint(self, flow: Flow) -> UdpEndpoint | None:
        """Return the socket that the peer last sent to (RFC 3581 section 4), else the first of its family."""
        is_v6 = ":" in flow.host
        endpoints = self._endpoints
        if len(endpoints) == 1:
            return endpoints[0] if endpoints[0].is_v6 is is_v6 else None
        return self._came_to.get(flow) or next((one for one in endpoints if one.is_v6 is is_v6), None)

    def _local(self, flow: Flow) -> tuple[str, int]:
        if flow.transport != "udp":
            return self._streams.local(flow)
        endpoint = self._endpoint(flow)
        return endpoint.local if endpoint is not None else ("", 0)

    # --- what is heard, watched or impaired ---------------------------------------------------------------------------

    def _hear(self, data: bytes, flow: Flow, now: float, local: tuple[str, int]) -> None:
        if self._tap is not None:
            self._guard("tap", self._tap, RECEIVED, flow, local, data, now)
        self._guard("receive", self._machine.receive, data, flow, now)

    def _watched(self, endpoint: UdpEndpoint) -> Callable[[bytes, Flow, float], None]:
        """Return the longer way to the machine's `receive`: by the impairment and the tap."""

        def take(data: bytes, flow: Flow, now: float) -> None:
            if len(self._came_to) >= _PEERS_MAX:
                self._came_to.clear()
            self._came_to[flow] = endpoint
            if self._impair is None:
                self._hear(data, flow, now, endpoint.local)
            else:
                self._delay(self._impair(RECEIVED), self._hear_now, data, flow, endpoint.local)

        return take

    def _hear_now(self, data: bytes, flow: Flow, local: tuple[str, int]) -> None:
        self._hear(data, flow, self._now(), local)
        self.kick()

    def _delay(self, delays: Sequence[float], do: Callable[..., None], *what: object) -> None:
        for delay in delays:
            if delay <= 0:
                do(*what)
            else:
                self._loop.call_later(delay, self._unless_closed, do, what)

    def _unless_closed(self, do: Callable[..., None], what: tuple[object, ...]) -> None:
        if not self._closed:
            do(*what)

    # --- the timer ----------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """Wake for the machine's next timer; one that is armed for sooner stays, and arms again when it has fired."""
        due = self._machine.next_timer()
        if due is None or (self._timer is not None and self._due <= due):
            return
        self._disarm()
        self._due = due
        wait = max(0.0, due - self._now(), self._rest_until - self._loop.time())
        self._timer = self._loop.call_at(self._loop.time() + wait + _LATE_S, self._fire)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        now = self._now()
        due = self._machine.next_timer()
        if due is None or due > now:
            self._arm()
            return
        if not self._guard("handle_timer", self._machine.handle_timer, now):
            self._rest_until = self._loop.time() + _AFTER_FAILURE_S
        self._turn()

    # --- failures -----------------------------------------------------------------------------------------------------

    def _guard(self, where: str, do: Callable[..., None], *what: object) -> bool:
        try:
            do(*what)
        except Exception as error:  # noqa: BLE001 -- the other calls go on
            self._failed(where, error)
            return False
        return True

    def _failed(self, where: str, error: Exception) -> None:
        """Count; log the first of each kind with where it came from, without its words: they may quote a message."""
        self.counters[f"failed.{where}"] += 1
        frames = traceback.extract_tb(error.__traceback__)
        kind = f"{where} {type(error).__name__} {frames[-1].filename}:{frames[-1].lineno}"
        if kind in self._known_failures:
            return
        self._known_failures.add(kind)
        log.error(
            "%s failed with %s; further failures of this kind are only counted", where, type(error).__name__,
            extra={"action": "sip.failed", "where": where, "trace": "".join(traceback.format_list(frames))},
        )  # fmt: skip

    # --- listening ----------------------------------------------------------------------------------------------------

    async def _listen(self, listen: Listen, server_tls: ssl.SSLContext | None) -> Listen:
        try:
            kind = socket.SOCK_DGRAM if listen.transport == "udp" else socket.SOCK_STREAM
            found = await self._loop.getaddrinfo(listen.host, listen.port, type=kind)
            place = listen._replace(host=str(found[0][4][0]))
            if place.transport == "udp":
                endpoint = UdpEndpoint(bind_udp(place.host, place.port), self, self.counters)
                self._endpoints.append(endpoint)
                return place._replace(port=endpoint.local[1])
            if place.transport == "tls" and server_tls is None:
                raise BadInput(f"{listen} needs a certificate and its key")
            return await self._streams.listen(place, server_tls if place.transport == "tls" else None)
        except OSError as error:
            raise _refusal(listen, error) from error


def _refusal(listen: Listen, error: OSError) -> DialerError:
    match error.errno:
        case errno.EADDRINUSE:
            return ResourceBusy(f"{listen} belongs to another process: stop that, or listen on another port")
        case errno.EADDRNOTAVAIL:
            return BadInput(f"{listen}: this machine does not have that address")
        case errno.EACCES | errno.EPERM:
            return BadInput(f"{listen}: ports below 1024 need privileges; listen on another port")
        case _:
            return BadInput(f"{listen} cannot be listened on: {explain(error)}")


def _no_tls(flow: Flow) -> ssl.SSLContext:
    raise BadInput(f"{flow} needs TLS, and no TLS settings were given")
