"""The simulated trunk for the live service: the same carrier, on the service's own clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from dialer.core.events import CallArrived, CallConnected, CallEvent, Event
from dialer.core.types import AgentId, CallId, Supervision
from dialer.errors import AdapterDown
from dialer.ports import CallStatusAtSwitch, Capabilities, Clock
from simulator.agenda import Agenda
from simulator.callers import Inflow
from simulator.carrier import Carrier
from simulator.exchange import Exchange
from simulator.line import Line
from simulator.profile import CarrierProfile, TrunkProfile
from simulator.script import Script
from statuses.outcomes import CancelReason

CAPABILITIES: Final = Capabilities(
    play=True, dtmf=True, record=True, amd=True, early_media=True, inbound=True, transfer=True, supervise=True,
    agent_first=True,
)  # fmt: skip
"""Everything but calls that outlive the process: it is the switch."""


class SimulatorTelephony:
    """Implements dialer.ports.Telephony. Enter it before use; it may be entered once.

    `on_connected` is told (agent, call, now) when a talk begins; the simulated desks use it.
    """

    name = "simulator"

    def __init__(
        self, profile: CarrierProfile, *, clock: Clock, seed: int, trunks: Sequence[TrunkProfile] = ()
    ) -> None:
        self.capabilities = CAPABILITIES
        self.on_connected: Callable[[AgentId, CallId, float], None] | None = None
        self.on_invite: Callable[[CallId, str, float], None] | None = None
        """Told (call, number, now) of every INVITE: the carrier's own record, to compare with ours."""
        self._clock = clock
        self.agenda = Agenda(clock)
        self._carrier = Carrier(profile, seed=seed, started_at=clock.now(), trunks=trunks)
        self._exchange = Exchange(self._carrier, self.agenda.schedule, self._emit)
        self._inflow = Inflow(
            self._carrier, self.agenda.schedule, hotlines=profile.callers.hotlines, called=self._exchange.called,
            arrive=self._arrive,
        )  # fmt: skip
        self._events: asyncio.Queue[CallEvent | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._arrivals = 0

    async def __aenter__(self) -> Self:
        """Start the agenda; callers begin to come."""
        self._inflow.open(self._clock.now())
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
        amd: bool = False,
    ) -> None:  # fmt: skip
        """Place one call; raise AdapterDown when the trunk is not running."""
        self._check()
        if self.on_invite is not None:
            self.on_invite(call_id, phone, self._clock.now())
        now = self._clock.now()
        self._exchange.originate(call_id, phone=phone, hotline=hotline, trunk=trunk, now=now, amd=amd)

    def arrive(self, event: CallArrived) -> None:
        """Let somebody call us now, beside those whom the profile sends."""
        self._arrivals += 1
        _, script = self._carrier.caller(-self._arrivals)
        self._arrive(event, script, self._clock.now(), -self._arrivals)

    def _arrive(self, event: CallArrived, script: Script, now: float, number: int) -> None:
        self._exchange.arrive(event, script, now, number=number)

    async def answer(self, call_id: CallId) -> None:
        """Take a call that arrived; unknown ids are ignored."""
        self._exchange.answer(call_id, self._clock.now())

    async def hangup(self, call_id: CallId, *, reason: CancelReason) -> None:  # noqa: ARG002 -- the network does not see it
        """CANCEL or BYE; unknown ids are ignored."""
        self._exchange.hangup(call_id, self._clock.now())

    async def connect(self, call_id: CallId, *, agent_id: AgentId) -> None:
        """Join an answered call to an agent; CallConnected or ConnectFailed follows."""
        self._exchange.connect(call_id, agent_id, self._clock.now())

    async def play(self, call_id: CallId, *, prompt: str) -> None:
        """Play a prompt; PromptEnded follows. The words are heard by nobody; a file that is not there is not played."""
        self._exchange.media.play(self._exchange.get(call_id), self._clock.now(), can_be=_can_be_played(prompt))

    async def hush(self, call_id: CallId) -> None:
        """Stop the prompt that plays."""
        self._exchange.media.hush(self._exchange.get(call_id), self._clock.now())

    async def hold(self, call_id: CallId, *, on: bool) -> None:
        """Give the far end music, or end that."""
        self._exchange.media.hold(self._exchange.get(call_id), self._clock.now(), on=on)

    async def summon(self, call_id: CallId, *, agent_id: AgentId, trunk: str = "") -> None:  # noqa: ARG002 -- one switch
        """Bring an agent's leg up; AgentOnLine or ConnectFailed follows."""
        self._check()
        self._exchange.summon(call_id, agent_id, self._clock.now())

    async def transfer(
        self, call_id: CallId, *, phone: str, hotline: str, trunk: str  # noqa: ARG002 -- chance says what comes of it
    ) -> None:  # fmt: skip
        """Send the far end on to another number; CallTransferred follows."""
        self._exchange.transfer(call_id, phone, self._clock.now())

    async def supervise(self, call_id: CallId, *, supervisor: AgentId, mode: Supervision | None) -> None:
        """Let a supervisor into a talk, change what they may do, or take them out."""
        self._exchange.media.supervise(self._exchange.get(call_id), supervisor, mode)

    def supervisors(self, call_id: CallId) -> dict[AgentId, Supervision]:
        """Return who listens to a talk, and how."""
        line = self._exchange.get(call_id)
        return {} if line is None or line.supervisors is None else dict(line.supervisors)

    async def record(self, call_id: CallId, *, limit_s: float | None = None) -> None:
        """Record an answered call from now on; RecordingEnded follows."""
        self._exchange.media.record(self._exchange.get(call_id), self._clock.now(), limit_s=limit_s)

    async def stop_recording(self, call_id: CallId) -> None:
        """End the recording of a call that goes on."""
        self._exchange.media.stop_tape(self._exchange.get(call_id), self._clock.now())

    async def recordings(self) -> Sequence[CallId]:
        """List the calls whose recordings are kept."""
        return self._exchange.media.tapes.calls()

    async def recording(self, call_id: CallId) -> bytes:
        """Return a recording, a tone of its length, as a WAV file; raise LookupError when there is none."""
        return self._exchange.media.tapes.wav(call_id)

    async def drop_recording(self, call_id: CallId) -> None:
        """Forget a recording; unknown ids are ignored."""
        self._exchange.media.tapes.drop(call_id)

    async def station(self, agent_id: AgentId, *, up: bool) -> None:
        """Leave it: simulated agents wear their headsets all day."""

    def hang_up_by_agent(self, call_id: CallId) -> None:
        """End a talk, or a call the agent was summoned for, from the agent's desk; unknown ids are ignored."""
        self._exchange.hang_up_by_agent(call_id, self._clock.now())

    def hang_up_by_customer(self, call_id: CallId) -> None:
        """End a call from its far end; unknown ids are ignored."""
        self._exchange.hang_up_by_customer(call_id, self._clock.now())

    @property
    def absent(self) -> set[AgentId]:
        """Return, to be changed, the agents whose phones nobody picks up."""
        return self._exchange.absent

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
        """List the live calls, and those for which an agent waits on the line."""
        return (
            *(CallStatusAtSwitch(one.call_id, one.answered, _partner(one)) for one in self._exchange.lines()),
            *(CallStatusAtSwitch(leg.call_id, answered=False) for leg in self._exchange.summoned()),
        )

    def _check(self) -> None:
        if self._task is None or self._task.done():
            raise AdapterDown("the simulated trunk is not running; enter it before placing calls")

    def _emit(self, _owner: None, event: Event, now: float) -> None:
        if isinstance(event, CallConnected) and self.on_connected is not None:
            self.on_connected(event.agent_id, event.call_id, now)
        if isinstance(event, CallEvent):
            self._events.put_nowait(event)


def _partner(line: Line) -> AgentId | None:
    return line.agent_id if line.is_joined else None


def _can_be_played(prompt: str) -> bool:
    """Tell whether there is such a prompt: names are all known here, a path must lead to a file."""
    return not prompt.startswith("/") or Path(prompt).is_file()
