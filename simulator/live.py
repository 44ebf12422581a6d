"""The simulated trunk for the live service: the same carrier, on the service's own clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Self

from dialer.core.events import CallConnected, CallEvent, Event
from dialer.core.types import AgentId, CallId
from dialer.errors import AdapterDown
from dialer.ports import CallStatusAtSwitch, Capabilities, Clock
from dialer.switch import Plain
from simulator.agenda import Agenda
from simulator.carrier import Carrier
from simulator.exchange import Exchange
from simulator.profile import CarrierProfile, TrunkProfile
from statuses.outcomes import CancelReason


class SimulatorTelephony(Plain):
    """Implements dialer.ports.Telephony. Enter it before use; it may be entered once.

    `on_connected` is told (agent, call, now) when a talk begins; the simulated desks use it.
    """

    name = "simulator"

    def __init__(
        self, profile: CarrierProfile, *, clock: Clock, seed: int, trunks: Sequence[TrunkProfile] = ()
    ) -> None:
        self.capabilities = Capabilities(play=True, amd=profile.amd, early_media=True)
        self.on_connected: Callable[[AgentId, CallId, float], None] | None = None
        self.on_invite: Callable[[CallId, str, float], None] | None = None
        """Told (call, number, now) of every INVITE: the carrier's own record, to compare with ours."""
        self._clock = clock
        self.agenda = Agenda(clock)
        self._carrier = Carrier(profile, seed=seed, started_at=clock.now(), trunks=trunks)
        self._exchange = Exchange(self._carrier, self.agenda.schedule, self._emit)
        self._events: asyncio.Queue[CallEvent | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start the agenda."""
        self._task = asyncio.create_task(self.agenda.run(), name="simulated trunk")
        self._task.add_done_callback(lambda _task: self._events.put_nowait(None))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; calls that are live are dropped without a word, as a pulled plug would."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def originate(
        self, call_id: CallId, *, phone: str, hotline: str, trunk: str,
        ring_timeout_s: float,  # noqa: ARG002 -- our ring timer is the engine's
        amd: bool = False,  # noqa: ARG002 -- the carrier's profile says whether it detects
    ) -> None:  # fmt: skip
        """Place one call; raise AdapterDown when the trunk is not running."""
        self._check()
        if self.on_invite is not None:
            self.on_invite(call_id, phone, self._clock.now())
        self._exchange.originate(call_id, phone=phone, hotline=hotline, trunk=trunk, now=self._clock.now())

    async def hangup(self, call_id: CallId, *, reason: CancelReason) -> None:  # noqa: ARG002 -- the network does not see it
        """CANCEL or BYE; unknown ids are ignored."""
        self._exchange.hangup(call_id, self._clock.now())

    async def connect(self, call_id: CallId, *, agent_id: AgentId) -> None:
        """Join an answered call to an agent; CallConnected or ConnectFailed follows."""
        self._exchange.connect(call_id, agent_id, self._clock.now())

    async def play(self, call_id: CallId, *, prompt: str) -> None:  # noqa: ARG002 -- nobody listens to the words
        """Play a prompt; PromptEnded follows."""
        self._exchange.play(call_id, self._clock.now())

    async def station(self, agent_id: AgentId, *, up: bool) -> None:
        """Leave it: simulated agents wear their headsets all day."""

    def hang_up_by_agent(self, call_id: CallId) -> None:
        """End a talk from the agent's desk; unknown ids are ignored."""
        self._exchange.hang_up_by_agent(call_id, self._clock.now())

    def agent_gone(self, call_id: CallId, now: float) -> None:
        """Let the agent's leg of a talk fall silent."""
        self._exchange.agent_gone(call_id, now)

    def is_live(self, call_id: CallId) -> bool:
        """Tell whether the switch holds the call."""
        return self._exchange.get(call_id) is not None

    async def events(self) -> AsyncIterator[CallEvent]:
        """Yield call events until the adapter closes; raise AdapterDown when it died by itself."""
        while (event := await self._events.get()) is not None:
            yield event
        task = self._task
        if task is not None and task.done() and not task.cancelled():
            raise AdapterDown("the simulated trunk stopped; see the cause") from task.exception()

    async def snapshot(self) -> Sequence[CallStatusAtSwitch]:
        """List the live calls."""
        return tuple(CallStatusAtSwitch(line.call_id, line.answered, line.agent_id) for line in self._exchange.lines())

    def _check(self) -> None:
        if self._task is None or self._task.done():
            raise AdapterDown("the simulated trunk is not running; enter it before placing calls")

    def _emit(self, _owner: None, event: Event, now: float) -> None:
        if isinstance(event, CallConnected) and self.on_connected is not None:
            self.on_connected(event.agent_id, event.call_id, now)
        if isinstance(event, CallEvent):
            self._events.put_nowait(event)
