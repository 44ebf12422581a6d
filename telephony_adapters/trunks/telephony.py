"""SIP trunks as the dialer's telephony: a trunk machine, turned over sockets (dialer.ports.Telephony)."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Final, Self

from dialer.core.events import CallConnected
from dialer.core.trunks import TrunkLimit
from dialer.core.types import AgentId, CallId
from dialer.errors import AdapterDown
from dialer.ports import CallStatusAtSwitch, Capabilities, Clock
from dialer.switch import Plain
from statuses.outcomes import CancelReason
from telephony_adapters.tracing.log import MessageLog
from telephony_adapters.trunks.frames import Figures
from telephony_adapters.trunks.health import State
from telephony_adapters.trunks.journal import Journal
from telephony_adapters.trunks.machine import Told
from telephony_adapters.trunks.routes import limit_of
from telephony_adapters.trunks.setup import Plant
from telephony_adapters.wire.loop import SipLoop, Tap

log = logging.getLogger(__name__)

_DISCARD_BUFFER: Final = 4096
"""Bytes of media that the system keeps for nobody before it throws the rest away."""
_TAKES_CALLS: Final = frozenset({State.UP, State.SUSPECT, State.PROBING})
_LET_GO_S: Final = 1.0
"""How long a stop waits for the far ends to answer our last BYEs."""


CAPABILITIES: Final = Capabilities(early_media=True, agent_first=True, media_survives_restart=True)


class SipTelephony(Plain):
    """Implements dialer.ports.Telephony over SIP trunks. Enter it before use; it may be entered once.

    No media passes here: it cannot play or record, and `connect` joins customer and agent directly (ADR 0018).
    """

    name = "sip"

    def __init__(
        self,
        plant: Plant,
        *,
        clock: Clock,
        journal: Journal | None = None,
        trace: MessageLog | None = None,
        tap: Tap | None = None,
    ) -> None:
        self.capabilities = CAPABILITIES
        self.on_connected: Callable[[AgentId, CallId, float], None] | None = None
        """Told (agent, call, now) when a talk begins; simulated desks use it."""
        self.plant = plant
        self._tap = tap or (trace.tap if trace is not None else None)
        self.trace = trace
        """Keeps the messages of a share of the calls."""
        self._clock = clock
        self._journal = journal
        self._loop: SipLoop | None = None
        self._discard: socket.socket | None = None
        self._events: asyncio.Queue[list[Told] | None] = asyncio.Queue()
        self._quiet = asyncio.Event()
        """Set while no leg is up."""
        self._stack = AsyncExitStack()
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Listen, look the trunks' servers up, and end what the process before this one left behind."""
        async with AsyncExitStack() as stack:
            for closed in (self._journal, self.trace):
                if closed is not None:
                    stack.callback(closed.close)
            await self._open(stack)
            self._stack = stack.pop_all()
        return self

    async def _open(self, stack: AsyncExitStack) -> None:
        plant, clock = self.plant, self._clock
        stack.push_async_callback(self._close_plant)
        await plant.prepare(clock)
        self._discard = stack.enter_context(_discard_socket(plant.media_host))
        machine = plant.build(self._discard.getsockname()[1])
        loop = SipLoop(machine, now=clock.now, after_turn=self._drain, client_tls=plant.client_tls, tap=self._tap)
        stack.push_async_callback(loop.close)
        plant.listening(await loop.open(plant.listens, server_tls=plant.server_tls))
        self._loop = loop
        if self._journal is not None:
            machine.on_leg = self._journal.note
            for left in self._journal.left_behind:
                machine.end_left_behind(left, clock.now())
        self._keeper = asyncio.create_task(plant.keep(clock, loop.kick), name="SIP trunks")
        self._keeper.add_done_callback(lambda _task: self._events.put_nowait(None))
        loop.kick()

    async def _close_plant(self) -> None:
        await self.plant.close(self._clock.now())

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up what is up, wait a moment for the answers, close everything."""
        loop = self._loop
        if loop is None:
            return
        self.plant.machine.hang_up_all(self._clock.now())
        self._quiet.clear()
        loop.kick()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), _LET_GO_S)
        self._loop = None
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        await self._stack.aclose()

    @property
    def counters(self) -> Counter[str]:
        """Return how often what happened to sockets, connections and files, by reason."""
        files = Counter({"spend.failed": self.plant.failures})
        if self._journal is not None:
            files["journal.failed"] = self._journal.failures
        return files + (self._loop.counters if self._loop is not None else Counter())

    async def originate(
        self, call_id: CallId, *, phone: str, hotline: str, trunk: str, ring_timeout_s: float, amd: bool = False
    ) -> None:
        """Place one call; raise AdapterDown when the adapter is not running, NotSupported for machine detection."""
        if amd:
            self._cannot("tell machines from people")
        loop = self._running()
        self.plant.machine.originate(
            call_id, phone=phone, hotline=hotline, trunk=trunk, ring_s=ring_timeout_s, now=self._clock.now()
        )
        loop.kick()

    async def hangup(self, call_id: CallId, *, reason: CancelReason) -> None:
        """CANCEL or BYE; unknown ids are ignored."""
        self._command(lambda now: self.plant.machine.hangup(call_id, reason, now))

    async def connect(self, call_id: CallId, *, agent_id: AgentId) -> None:
        """Join an answered call to an agent; CallConnected or ConnectFailed follows within 5 s."""
        self._command(lambda now: self.plant.machine.connect(call_id, agent_id, now))

    async def summon(self, call_id: CallId, *, agent_id: AgentId, trunk: str = "") -> None:  # noqa: ARG002 -- one switch
        """Call an agent's phone for a call that is not placed yet; AgentOnLine or ConnectFailed follows.

        The agent waits in silence: no media passes here, not even the customer's ringing.
        """
        self._running()
        self._command(lambda now: self.plant.machine.summon(call_id, agent_id, now))

    async def station(self, agent_id: AgentId, *, up: bool) -> None:
        """Keep an agent's phone on the line between calls, or let it go."""
        self._command(lambda now: self.plant.machine.station(agent_id, now, up=up))

    async def events(self) -> AsyncIterator[Told]:
        """Yield call events until the adapter closes; raise AdapterDown when it died by itself."""
        async for batch in self.batches():
            for event in batch:
                yield event

    async def batches(self) -> AsyncIterator[list[Told]]:
        """Yield the events of each turn; raise as `events` does."""
        while (batch := await self._events.get()) is not None:
            yield batch
        task = self._keeper
        if task is not None and task.done() and not task.cancelled():
            raise AdapterDown("the SIP trunks stopped; see the cause") from task.exception()

    async def snapshot(self) -> Sequence[CallStatusAtSwitch]:
        """List the live calls."""
        return tuple(self.plant.machine.snapshot())

    @property
    def limits(self) -> tuple[TrunkLimit, ...]:
        """Return what the engine has to know of the trunks."""
        return tuple(limit_of(line.settings) for line in self.plant.lines)

    def figures(self) -> Figures:
        """Return how trunks, phones and traces stand."""
        machine, trace = self.plant.machine, self.trace
        return Figures(
            trunks={line.name: (line.gate.health.state in _TAKES_CALLS, line.gate.calls) for line in self.plant.lines},
            phones=Counter(state.value for state in machine.phones().values()),
            events=machine.ua.counters + machine.counters + self.counters,
            trace=None if trace is None else (trace.kept, trace.kept_bytes, trace.dropped),
        )

    def _running(self) -> SipLoop:
        if self._loop is None or (self._keeper is not None and self._keeper.done()):
            raise AdapterDown("the SIP trunks are not running; enter the adapter before placing calls")
        return self._loop

    def _command(self, do: Callable[[float], None]) -> None:
        if self._loop is not None:
            do(self._clock.now())
            self._loop.kick()

    def _drain(self) -> None:
        if self._journal is not None:
            self._journal.flush()
        if self.plant.machine.ua.legs:
            self._quiet.clear()
        else:
            self._quiet.set()
        events = self.plant.machine.take_events()
        if not events:
            return
        if self.on_connected is not None:
            for event in events:
                if isinstance(event, CallConnected):
                    self.on_connected(event.agent_id, event.call_id, self._clock.now())
        self._events.put_nowait(events)


def _discard_socket(host: str) -> socket.socket:
    """Take a port for media that comes before an agent does: nobody reads it, the system throws it away.

    It takes the port of every address: the one that others know us by may be a router's.
    """
    is_v6 = ":" in host
    sock = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _DISCARD_BUFFER)
        sock.bind(("::" if is_v6 else "0.0.0.0", 0))  # noqa: S104 -- what comes there is thrown away
    except OSError:
        sock.close()
        raise
    return sock
