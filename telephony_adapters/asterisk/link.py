"""One Asterisk, for as long as the adapter runs: its WebSocket, its requests in order, its health, its machine."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final

from dialer.core.events import CallEvent, TrunkClosed, TrunkOpened
from dialer.errors import AdapterDown, Overloaded, Unreachable
from dialer.ports import Clock
from telephony_adapters.asterisk.ari import Ari, Reply
from telephony_adapters.asterisk.config import AsteriskFile, Server
from telephony_adapters.asterisk.machine import Machine
from telephony_adapters.asterisk.messages import NO_REPLY, REPLACED, AriEvent, Ask, Request
from telephony_adapters.asterisk.resync import Held, compare

log = logging.getLogger(__name__)

FIRST_WAIT_S: Final = 0.2
LONGEST_WAIT_S: Final = 5.0
"""A server that is gone is tried again after these, and everything doubled between them."""
REPLACED_WAIT_S: Final = 30.0
"""Two dialers with one application would take it from each other all the time: who lost it waits for so long."""
LEAVE_S: Final = 3.0
"""How long a stop waits for what was hung up."""
CROWD: Final = 20
"""More requests waiting than so many times what may be under way: the server cannot keep up."""


class Link:
    """One server. `tell` takes what calls and the trunk come to."""

    def __init__(
        self,
        server: Server,
        file: AsteriskFile,
        clock: Clock,
        tell: Callable[[CallEvent | TrunkClosed | TrunkOpened], None],
    ) -> None:
        self.server = server
        self.machine = Machine(server, file.agents, file.common, now=clock.now())
        self.ari = Ari(server, file.common)
        self.is_open = False
        self.requests = 0
        """Sent so far."""
        self._common = file.common
        self._clock = clock
        self._tell = tell
        self._lanes: dict[str, deque[Request]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._placing: dict[str, asyncio.Future[None]] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._armed: float | None = None
        self._tried = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._is_first = True
        self._down_since = clock.now()
        self._why = ""
        self._is_replaced = False
        self._has_ended = False

    # --- life ------------------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Start to keep the server; return when it was tried once."""
        await self.ari.__aenter__()
        self._keeper = asyncio.create_task(self._keep(), name=f"Asterisk {self.server.name}")
        await self._tried.wait()

    async def end(self) -> None:
        """Hang up what nobody will look after, and let the server be."""
        self.is_open, self._why = False, "the adapter is closed"
        self.machine.leave(self._clock.now())
        self.turn()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LEAVE_S)
        self._has_ended = True
        for task in (self._keeper, *self._tasks):
            if task is not None:
                task.cancel()
        await asyncio.gather(*filter(None, (self._keeper, *self._tasks)), return_exceptions=True)
        if self._alarm is not None:
            self._alarm.cancel()
        await self.ari.__aexit__()

    async def _keep(self) -> None:
        wait = FIRST_WAIT_S
        while True:
            try:
                async with self.ari.events() as events:
                    await self.ari.filter()
                    await self._resync()
                    wait = FIRST_WAIT_S
                    self._opened()
                    await self._listen(events)
                self._closed("its WebSocket closed")
            except Unreachable as error:
                self._closed(str(error))
            except Exception:
                log.exception("the link to Asterisk failed", extra={"action": "asterisk.failed"})
                self._closed("a defect of ours; see the log")
            self._tried.set()
            self._is_first = False
            if self._clock.now() - self._down_since >= self._common.lost_after_s:
                self._give_up()
            await asyncio.sleep(REPLACED_WAIT_S if self._is_replaced else wait)
            wait = min(wait * 2, LONGEST_WAIT_S)

    async def _listen(self, events: AsyncIterator[AriEvent]) -> None:
        """Take events in until the WebSocket closes, or the server no longer says how it is."""
        reading = asyncio.create_task(self._read(events))
        asking = asyncio.create_task(self._ask_how_it_is())
        try:
            done, _ = await asyncio.wait({reading, asking}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (reading, asking):
                task.cancel()
            await asyncio.gather(reading, asking, return_exceptions=True)

    async def _read(self, events: AsyncIterator[AriEvent]) -> None:
        async for event in events:
            if event.type == REPLACED:
                self._is_replaced = True
                raise Unreachable(f"another dialer uses the application {self._common.app!r}: give each its own `app`")
            self.heard(event)

    async def _ask_how_it_is(self) -> None:
        while True:
            await asyncio.sleep(self._common.ask_every_s)
            try:
                await self.ari.info()
            except Unreachable:
                await self.ari.info()  # once may be chance

    async def _resync(self) -> None:
        """Compare what Asterisk holds with what we know; twice is not needed: from now on it tells us."""
        known = list(self.machine.board.channels)
        held = Held(await self.ari.channels(), await self.ari.bridges(), await self.ari.told_of())
        compare(self.machine, held, known, self._clock.now(), adopt=self._is_first)
        self._is_first = False
        self.turn()

    def _opened(self) -> None:
        self.is_open = True
        if self._why:
            log.warning("Asterisk is back", extra={"action": "asterisk.up", "trunk": self.server.name})
        self._why, self._is_replaced = "", False
        self._tell(TrunkOpened(self.server.name))
        self._tried.set()

    def _closed(self, why: str) -> None:
        if self.is_open or not self._why:
            self._down_since = self._clock.now()
            self._tell(TrunkClosed(self.server.name, why))
        if why != self._why:
            log.warning(
                "Asterisk cannot be used", extra={"action": "asterisk.down", "trunk": self.server.name, "why": why}
            )
        self.is_open, self._why = False, why

    def _give_up(self) -> None:
        """Give up the calls of a server that does not come back."""
        for call in tuple(self.machine.board.calls.values()):
            self.machine.endings.vanished(call)
        self.turn()

    # --- turns -----------------------------------------------------------------------------------------------------

    def heard(self, event: AriEvent) -> None:
        """Take in an event."""
        self.machine.heard(event, self._clock.now())
        self.turn()

    def turn(self) -> None:
        """Tell and send what the machine wants told and sent, and arm its timer."""
        requests, told = self.machine.take()
        for event in told:
            self._tell(event)
        for request in requests:
            self._queue(request)
        self._arm()

    def _arm(self) -> None:
        due = self.machine.next_timer()
        if due == self._armed:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._armed = due
        wait = None if due is None else max(0.0, due - self._clock.now())
        self._alarm = None if wait is None else asyncio.get_running_loop().call_later(wait, self._ring)

    def _ring(self) -> None:
        self._armed = None
        self.machine.handle_timers(self._clock.now())
        self.turn()

    # --- requests --------------------------------------------------------------------------------------------------

    def _queue(self, request: Request) -> None:
        if self._has_ended:
            return
        lane = self._lanes.get(request.lane)
        if lane is not None:
            lane.append(request)
            return
        self._lanes[request.lane] = deque((request,))
        task = asyncio.create_task(self._send_all(request.lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_all(self, name: str) -> None:
        lane = self._lanes[name]
        while lane:
            request = lane.popleft()
            reply = Reply(NO_REPLY)
            try:
                reply = await self.ari.send(request)
            finally:
                self._answered(request, reply)
        del self._lanes[name]

    def _answered(self, request: Request, reply: Reply) -> None:
        self.requests += 1
        self.machine.answered(request, reply.status, self._clock.now())
        if request.ask is Ask.PLACE:
            placing = self._placing.pop(request.whom, None)
            if placing is not None and not placing.done():
                placing.set_result(None)
        self.turn()

    async def placed(self, call_id: str) -> None:
        """Return when the request to place a call was answered."""
        future = self._placing[call_id] = asyncio.get_running_loop().create_future()
        self.turn()
        await future

    def check_room(self) -> None:
        """Raise AdapterDown or Overloaded when no call can be placed here now."""
        if not self.is_open:
            raise AdapterDown(f"Asterisk {self.server.name!r}: {self._why or 'it is not connected yet'}")
        if len(self._lanes) > CROWD * self._common.requests:
            raise Overloaded(f"Asterisk {self.server.name!r} does not keep up: {len(self._lanes)} requests wait")
