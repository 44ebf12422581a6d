"""The Asterisk adapter as the dialer runs it, over a real Asterisk; what it told, and what went over ARI."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from dialer.clock import SystemClock
from dialer.core.events import (
    CallAnswered,
    CallConnected,
    CallEnded,
    CallEvent,
    CallProgressed,
    CallRinging,
    EarlyMediaHeard,
    TrunkClosed,
    TrunkOpened,
)
from dialer.core.ids import uuid7
from statuses.classify import AttemptFacts, Verdict, classify
from statuses.outcomes import CancelReason
from telephony_adapters.asterisk.adapter import AsteriskTelephony
from telephony_adapters.asterisk.config import parse
from telephony_adapters.asterisk.link import Link
from tests.plugins.processes import HOST

AnEvent = CallEvent | TrunkClosed | TrunkOpened
E = TypeVar("E", bound=CallEvent | TrunkClosed | TrunkOpened)
HOTLINE: Final = "+842471000001"
WAIT_S: Final = 30.0
_NUMBERS = itertools.count(1)


class Switching:
    """A running adapter, and what it told."""

    def __init__(self, telephony: AsteriskTelephony, clock: SystemClock) -> None:
        self.telephony = telephony
        self.events: list[AnEvent] = []
        self._clock = clock
        self._come = asyncio.Condition()
        self._reasons: dict[str, CancelReason] = {}

    @property
    def link(self) -> Link:
        """Return the link of its first server."""
        return next(iter(self.telephony.links.values()))

    async def listen(self) -> None:
        """Collect what it tells, until it closes."""
        async for event in self.telephony.events():
            async with self._come:
                self.events.append(event)
                self._come.notify_all()

    async def call(self, user: str, *, ring_s: float = 30.0, amd: bool = False, call_id: str = "") -> str:
        """Call a user of the trunk's and return the call's id."""
        call_id = call_id or self.new_id()
        await self.telephony.originate(
            call_id, phone=user, hotline=HOTLINE, trunk=self.link.server.name, ring_timeout_s=ring_s, amd=amd
        )
        return call_id

    def new_id(self) -> str:
        """Return the id of a call that nobody has placed."""
        return uuid7(self._clock.now(), purpose=str(next(_NUMBERS)))

    async def answered(self, user: str) -> str:
        """Call a user, wait for the answer, return the call's id."""
        call = await self.call(user)
        await self.until(CallAnswered, call)
        return call

    async def joined(self, user: str, agent: str = "a1") -> str:
        """Call a user, join an agent, return the call's id."""
        call = await self.answered(user)
        await self.telephony.connect(call, agent_id=agent)
        await self.until(CallConnected, call)
        return call

    async def hang_up(self, call_id: str, reason: CancelReason = CancelReason.ADMIN) -> None:
        """Give a call up, or hang it up."""
        self._reasons[call_id] = reason
        await self.telephony.hangup(call_id, reason=reason)

    async def over(self, call_id: str) -> CallEnded:
        """Wait for the end of a call."""
        return await self.until(CallEnded, call_id)

    async def until(self, kind: type[E], call_id: str = "", *, nth: int = 1, timeout_s: float = WAIT_S) -> E:
        """Wait for the `nth` event of a kind, of a call if one is named; the test fails if it does not come."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self._come:
                await self._come.wait_for(lambda: len(self.of(kind, call_id)) >= nth)
        found = self.of(kind, call_id)
        if len(found) < nth:
            pytest.fail(f"waited {timeout_s:g} s in vain for {kind.__name__}; it had {self.events}", pytrace=False)
        return found[nth - 1]

    def of(self, kind: type[E], call_id: str = "") -> list[E]:
        """Return the events of a kind so far, of a call if one is named."""
        return [
            event for event in self.events if isinstance(event, kind) and call_id in ("", getattr(event, "call_id", ""))
        ]

    def kinds(self, call_id: str) -> list[type[CallEvent]]:
        """Return the kinds of the events of a call, in order."""
        return [type(event) for event in self.of(CallEvent, call_id)]

    def verdict(self, call_id: str) -> Verdict:
        """Return what a call that is over came to, without an agent."""
        (end,) = self.of(CallEnded, call_id)
        return classify(
            AttemptFacts(
                local_error=end.local_error, sip_status=end.sip_status, q850=end.q850, ended_by=end.ended_by,
                progressed=bool(self.of(CallProgressed, call_id) or self.of(EarlyMediaHeard, call_id)),
                rang=bool(self.of(CallRinging, call_id)), answered=bool(self.of(CallAnswered, call_id)),
                cancel_reason=self._reasons.get(call_id),
            )
        )  # fmt: skip


@asynccontextmanager
async def switching(text: str, *, home: Path = Path()) -> AsyncIterator[Switching]:
    """Run the adapter by this Asterisk file."""
    clock = SystemClock()
    side = Switching(AsteriskTelephony(parse(text), clock=clock, home=home), clock)
    async with contextlib.AsyncExitStack() as ending:
        await ending.enter_async_context(side.telephony)
        listening = asyncio.create_task(side.listen())
        try:
            yield side
        finally:
            await ending.aclose()  # what it tells until then is heard, too
            await listening


class Pipe:
    """A way to a server that can be cut and mended: who is connected is cut off, nobody new gets through."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.is_cut = False
        self.port = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self.is_cut:
                return
            there, back = await asyncio.open_connection(HOST, self._port)
            self._writers.add(back)
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        except OSError:
            pass
        finally:
            for one in [one for one in self._writers if one.is_closing() or one is writer]:
                self._writers.discard(one)
                one.close()

    def cut(self) -> None:
        """Cut everybody off."""
        self.is_cut = True
        for writer in self._writers:
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
    writer.close()


@asynccontextmanager
async def pipe(port: int) -> AsyncIterator[Pipe]:
    """Give a pipe to a port of this machine."""
    one = Pipe(port)
    server = await asyncio.start_server(one._serve, HOST, 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        one.cut()
        server.close()
        await server.wait_closed()
