"""The adapter: `dialer.switch.Telephony` over several Asterisk servers, each a trunk of the engine's pool."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Final, Self, TypeVar

from dialer.core.events import CallArrived, CallConnected, CallEnded, CallEvent, ConnectFailed, TrunkClosed, TrunkOpened
from dialer.core.trunks import TrunkLimit
from dialer.core.types import AgentId, CallId, Supervision
from dialer.errors import AdapterDown, Unreachable
from dialer.ports import Clock
from dialer.switch import CallStatusAtSwitch, Capabilities
from statuses.outcomes import CancelReason
from telephony_adapters.asterisk.config import AsteriskFile
from telephony_adapters.asterisk.link import Link

log = logging.getLogger(__name__)

CAPABILITIES: Final = Capabilities(
    play=True, dtmf=True, record=True, amd=True, early_media=True, inbound=True, transfer=True, supervise=True,
    agent_first=True, media_survives_restart=True,
)  # fmt: skip
T = TypeVar("T")
Told = CallEvent | TrunkClosed | TrunkOpened


class AsteriskTelephony:
    """Implements dialer.switch.Telephony. Enter it before use, once."""

    name = "asterisk"
    capabilities = CAPABILITIES

    def __init__(self, file: AsteriskFile, *, clock: Clock, home: Path = Path()) -> None:
        """Take the file; `home` is the dialer's home folder, under which prompts are."""
        self.limits: tuple[TrunkLimit, ...] = tuple(server.limit for server in file.servers.values())
        self.links = {name: Link(server, file, clock, self._hear) for name, server in file.servers.items()}
        self.on_connected: Callable[[AgentId, CallId, float], None] | None = None
        """Told (agent, call, now) when a talk begins; simulated desks use it."""
        self._sounds = file.common.sounds
        self._home = home.resolve()
        self._clock = clock
        self._where: dict[CallId, Link] = {}
        self._events: asyncio.Queue[Told | None] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        """Try every server once; those that cannot be reached are closed trunks, and are tried again."""
        await asyncio.gather(*(link.begin() for link in self.links.values()))
        for link in self.links.values():
            self._where |= dict.fromkeys(link.machine.board.calls, link)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up all but talks, which Asterisk goes on with, and close."""
        await asyncio.gather(*(link.end() for link in self.links.values()))
        self._events.put_nowait(None)

    def _hear(self, event: Told) -> None:
        match event:
            case CallArrived():
                self._where[event.call_id] = self.links[event.trunk]
            case CallEnded():
                self._where.pop(event.call_id, None)
            case ConnectFailed() if not self._is_held(event.call_id):  # its agent could not be had: it never was one
                self._where.pop(event.call_id, None)
            case CallConnected() if self.on_connected is not None:
                self.on_connected(event.agent_id, event.call_id, self._clock.now())
        self._events.put_nowait(event)

    def _is_held(self, call_id: CallId) -> bool:
        link = self._where.get(call_id)
        return link is not None and call_id in link.machine.board.calls

    async def events(self) -> AsyncIterator[Told]:
        """Yield what calls and trunks come to until the adapter closes."""
        while (event := await self._events.get()) is not None:
            yield event

    # --- calls -----------------------------------------------------------------------------------------------------

    async def originate(
        self, call_id: CallId, *, phone: str, hotline: str, trunk: str, ring_timeout_s: float, amd: bool = False
    ) -> None:
        """Place one call; raise AdapterDown or Overloaded when its server cannot be asked to."""
        link = self._where.get(call_id) or self._named(trunk)  # a summoned agent waits at one server
        link.check_room()
        self._where[call_id] = link
        link.machine.originate(
            call_id, phone=phone, hotline=hotline, ring_timeout_s=ring_timeout_s, now=self._clock.now(), amd=amd
        )
        await link.placed(call_id)

    def _named(self, trunk: str) -> Link:
        link = self.links.get(trunk)
        if link is None:
            raise AdapterDown(f"there is no Asterisk {trunk!r}; there are: {', '.join(self.links)}")
        return link

    async def answer(self, call_id: CallId) -> None:
        """Take a call that arrived."""
        if (link := self._where.get(call_id)) is not None:
            link.machine.answer(call_id)
            link.turn()

    async def hangup(self, call_id: CallId, *, reason: CancelReason) -> None:
        """End a call; one that we do not know, too, at whichever server has it: a process that is dead placed it."""
        known = self._where.get(call_id)
        for link in self.links.values() if known is None else (known,):
            link.machine.hangup(call_id, self._clock.now(), reason=reason)
            link.turn()

    async def summon(self, call_id: CallId, *, agent_id: AgentId, trunk: str = "") -> None:
        """Bring an agent's leg up for a call that is not placed yet, at the server that will place it (empty: any).

        Raise AdapterDown when it cannot be asked to.
        """
        links = (self._named(trunk),) if trunk else self.links.values()
        link = next((link for link in links if link.is_open), None)
        if link is None:
            raise AdapterDown(f"Asterisk {trunk!r} is not connected" if trunk else "no Asterisk is connected")
        self._where[call_id] = link
        link.machine.summon(call_id, agent_id, self._clock.now())
        link.turn()

    async def connect(self, call_id: CallId, *, agent_id: AgentId) -> None:
        """Join an answered call to an agent; CallConnected or ConnectFailed follows within 5 s."""
        if (link := self._where.get(call_id)) is not None:
            link.machine.connect(call_id, agent_id, self._clock.now())
            link.turn()

    async def station(self, agent_id: AgentId, *, up: bool) -> None:
        """Learn that an agent takes calls, or has left."""
        for link in self.links.values():
            link.machine.station(agent_id, self._clock.now(), up=up)
            link.turn()

    async def transfer(self, call_id: CallId, *, phone: str, hotline: str, trunk: str) -> None:  # noqa: ARG002 -- its own server's
        """Send an answered call on to another number, by the server that has it."""
        if (link := self._where.get(call_id)) is not None:
            link.machine.transfer(call_id, phone=phone, hotline=hotline)
            link.turn()

    async def snapshot(self) -> Sequence[CallStatusAtSwitch]:
        """List the calls that the servers hold for us, as of the last event."""
        return tuple(
            CallStatusAtSwitch(
                call.call_id, call.is_answered, call.desk.agent_id if call.joined and call.desk is not None else None
            )
            for link in self.links.values()
            for call in link.machine.board.calls.values()
        )

    # --- media -----------------------------------------------------------------------------------------------------

    async def hold(self, call_id: CallId, *, on: bool) -> None:
        """Give a customer music, or the agent back."""
        if (link := self._where.get(call_id)) is not None:
            link.machine.hold(call_id, on=on)
            link.turn()

    async def supervise(self, call_id: CallId, *, supervisor: AgentId, mode: Supervision | None) -> None:
        """Bring a supervisor into a talk, change what they may do, or take them out."""
        if (link := self._where.get(call_id)) is not None:
            link.machine.supervise(call_id, supervisor, mode)
            link.turn()

    async def play(self, call_id: CallId, *, prompt: str) -> None:
        """Play a prompt: a WAV file's path, or a name that Asterisk knows."""
        if (link := self._where.get(call_id)) is not None:
            link.machine.play(call_id, self.media(prompt))
            link.turn()

    def media(self, prompt: str) -> str:
        """Return a prompt as Asterisk names it: without its ending, under the folder where it sees our home."""
        if not prompt.endswith(".wav") and not prompt.startswith("/"):
            return f"sound:{prompt}"
        path = Path(prompt).resolve()
        if self._sounds and path.is_relative_to(self._home):
            return f"sound:{PurePosixPath(self._sounds) / path.relative_to(self._home).with_suffix('')}"
        return f"sound:{path.with_suffix('')}"

    async def hush(self, call_id: CallId) -> None:
        """Stop the prompt that plays."""
        if (link := self._where.get(call_id)) is not None:
            link.machine.hush(call_id)
            link.turn()

    async def record(self, call_id: CallId, *, limit_s: float | None = None) -> None:
        """Record what both ends say."""
        if (link := self._where.get(call_id)) is not None:
            link.machine.record(call_id, limit_s)
            link.turn()

    async def stop_recording(self, call_id: CallId) -> None:
        """End the recording of a call that goes on."""
        if (link := self._where.get(call_id)) is not None:
            link.machine.stop_recording(call_id)
            link.turn()

    async def recordings(self) -> Sequence[CallId]:
        """List the calls whose finished recordings the connected servers keep; raise AdapterDown."""
        found: dict[CallId, None] = {}
        for link in self._open():
            names = link.machine.board.names
            for name in await _asked(link.ari.recordings()):
                call_id = names.recorded(name)
                if call_id is not None and not link.machine.recorder.is_recording(call_id):
                    found[call_id] = None
        return tuple(found)

    async def recording(self, call_id: CallId) -> bytes:
        """Return a recording as a WAV file; raise LookupError when no connected server keeps it, AdapterDown."""
        for link in self._open():
            held = await _asked(link.ari.recording(link.machine.board.names.recording(call_id)))
            if held is not None:
                return held
        raise LookupError(f"no Asterisk keeps a recording of call {call_id}")

    async def drop_recording(self, call_id: CallId) -> None:
        """Let the servers forget a recording that is stored elsewhere."""
        for link in self._open():
            await link.ari.drop_recording(link.machine.board.names.recording(call_id))

    def _open(self) -> list[Link]:
        return [link for link in self.links.values() if link.is_open]


async def _asked(asked: Awaitable[T]) -> T:
    try:
        return await asked
    except Unreachable as error:
        raise AdapterDown(str(error)) from error
