"""The port to a trunk or switch, and what an adapter without a capability answers (architecture.md section 4)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import NoReturn, Protocol, Self

import msgspec

from dialer.core.events import CallEvent, TrunkClosed, TrunkOpened
from dialer.core.types import AgentId, CallId, Supervision
from dialer.errors import NotSupported
from statuses.outcomes import CancelReason


class Capabilities(msgspec.Struct, frozen=True):
    """What an adapter can do; conformance cards are skipped only by what is declared false."""

    play: bool = False
    """Prompts, and silence for a waiting caller (`hold`)."""
    dtmf: bool = False
    """Keys that the far end presses."""
    record: bool = False
    amd: bool = False
    early_media: bool = False
    inbound: bool = False
    """Calls to our hotlines arrive here."""
    transfer: bool = False
    """An answered call can be sent on to another number."""
    supervise: bool = False
    """A supervisor can listen to a talk, whisper to its agent, or join it."""
    agent_first: bool = False
    """An agent's leg can be up before the customer is called (`summon`)."""
    media_survives_restart: bool = False
    """True when calls outlive the dialer's process."""


class CallStatusAtSwitch(msgspec.Struct, frozen=True):
    """One call that the switch knows; `agent_id`: with whom it talks, as far as the switch can tell."""

    call_id: CallId
    answered: bool
    agent_id: AgentId | None = None


class Telephony(Protocol):
    """A trunk or switch. A call that fails is an event; an exception means that the adapter is ill.

    What an adapter does not declare in `capabilities` raises NotSupported; orders for calls that are over are ignored.
    """

    name: str
    capabilities: Capabilities

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    async def originate(
        self, call_id: CallId, *, phone: str, hotline: str, trunk: str, ring_timeout_s: float, amd: bool = False
    ) -> None:
        """Place one call under our id; raise AdapterDown or Overloaded when it cannot be tried.

        With `amd`, MachineDetected follows the answer, or comes with it.
        """
        ...

    async def answer(self, call_id: CallId) -> None:
        """Take a call that arrived (CallArrived); CallAnswered follows."""
        ...

    async def hangup(self, call_id: CallId, *, reason: CancelReason) -> None:
        """End the call; unknown ids are ignored."""
        ...

    async def summon(self, call_id: CallId, *, agent_id: AgentId, trunk: str = "") -> None:
        """Bring an agent's leg up for a call that is not placed yet; AgentOnLine or ConnectFailed follows.

        `trunk`: by which the call will be placed, where a switch has several; empty = whichever.

        It stays up until the call ends, and hears ringing when the call rings; `connect` then joins the two.
        """
        ...

    async def connect(self, call_id: CallId, *, agent_id: AgentId) -> None:
        """Join an answered call to an agent; CallConnected or ConnectFailed follows within 5 s.

        A join that takes longer must be given up by the adapter: after 6 s the engine frees the agent for other calls.
        A call that is joined to another agent is taken from that one first.
        """
        ...

    async def transfer(self, call_id: CallId, *, phone: str, hotline: str, trunk: str) -> None:
        """Send the far end of an answered call on to another number, away from the agent; CallTransferred follows."""
        ...

    async def hold(self, call_id: CallId, *, on: bool) -> None:
        """Give the far end of an answered call music instead of silence or its agent, or the agent back."""
        ...

    async def supervise(self, call_id: CallId, *, supervisor: AgentId, mode: Supervision | None) -> None:
        """Bring a supervisor's leg into a talk, change what it may do, or (None) take it out."""
        ...

    async def play(self, call_id: CallId, *, prompt: str) -> None:
        """Play a prompt (an audio file's path, or a name that the switch knows); PromptEnded follows, once."""
        ...

    async def hush(self, call_id: CallId) -> None:
        """Stop the prompt that plays; its PromptEnded follows."""
        ...

    async def record(self, call_id: CallId, *, limit_s: float | None = None) -> None:
        """Record what both ends say until the call ends, `stop_recording` or `limit_s`; RecordingEnded follows."""
        ...

    async def stop_recording(self, call_id: CallId) -> None:
        """End the recording of a call that goes on."""
        ...

    async def recordings(self) -> Sequence[CallId]:
        """List the calls whose finished recordings the switch still keeps for us."""
        ...

    async def recording(self, call_id: CallId) -> bytes:
        """Return a finished recording as a WAV file; raise LookupError when the switch keeps none."""
        ...

    async def drop_recording(self, call_id: CallId) -> None:
        """Let the switch forget a recording that is stored elsewhere; unknown ids are ignored."""
        ...

    async def station(self, agent_id: AgentId, *, up: bool) -> None:
        """Learn that an agent takes calls, or has left: a trunk may keep the agent's phone on the line meanwhile."""
        ...

    def events(self) -> AsyncIterator[CallEvent | TrunkClosed | TrunkOpened]:
        """Yield what calls and trunks come to until the adapter closes."""
        ...

    async def snapshot(self) -> Sequence[CallStatusAtSwitch]:
        """List the calls that the switch holds for us."""
        ...


class Plain:
    """What an adapter answers to orders that it does not declare: NotSupported. Adapters override what they can do."""

    name: str = ""

    def _cannot(self, what: str) -> NoReturn:
        raise NotSupported(f"the adapter {self.name!r} cannot {what}; `dialer adapters list` shows which one can")

    async def answer(self, call_id: CallId) -> None:  # noqa: ARG002 -- the port's
        """Raise NotSupported."""
        self._cannot("take calls to a hotline")

    async def summon(self, call_id: CallId, *, agent_id: AgentId, trunk: str = "") -> None:  # noqa: ARG002 -- the port's
        """Raise NotSupported."""
        self._cannot("call the agent before the customer")

    async def transfer(self, call_id: CallId, *, phone: str, hotline: str, trunk: str) -> None:  # noqa: ARG002 -- the port's
        """Raise NotSupported."""
        self._cannot("send a call on to another number")

    async def hold(self, call_id: CallId, *, on: bool) -> None:  # noqa: ARG002 -- the port's
        """Raise NotSupported."""
        self._cannot("play music to who waits")

    async def supervise(self, call_id: CallId, *, supervisor: AgentId, mode: Supervision | None) -> None:  # noqa: ARG002 -- the port's
        """Raise NotSupported."""
        self._cannot("let a supervisor into a talk")

    async def play(self, call_id: CallId, *, prompt: str) -> None:  # noqa: ARG002 -- the port's
        """Raise NotSupported."""
        self._cannot("play prompts")

    async def hush(self, call_id: CallId) -> None:  # noqa: ARG002 -- the port's
        """Raise NotSupported."""
        self._cannot("play prompts")

    async def record(self, call_id: CallId, *, limit_s: float | None = None) -> None:  # noqa: ARG002 -- the port's
        """Raise NotSupported."""
        self._cannot("record")

    async def stop_recording(self, call_id: CallId) -> None:  # noqa: ARG002 -- the port's
        """Raise NotSupported."""
        self._cannot("record")

    async def recordings(self) -> Sequence[CallId]:
        """Return none."""
        return ()

    async def recording(self, call_id: CallId) -> bytes:
        """Raise LookupError."""
        raise LookupError(f"the adapter {self.name!r} keeps no recording of call {call_id}")

    async def drop_recording(self, call_id: CallId) -> None:
        """Do nothing."""
