"""Calls at a steady rate, each joined to a free agent as soon as it is answered: how long people wait for that."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import time
from collections import deque
from collections.abc import Coroutine
from typing import Any, Final

import msgspec

from dialer.core.events import CallAnswered, CallConnected, CallEnded, CallEvent, ConnectFailed
from dialer.core.types import AgentId, CallId
from dialer.ports import Telephony
from statuses.outcomes import CancelReason

_ENDS_WITHIN_S: Final = 10.0


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: `rate` calls a second for `duration_s`; each answered one is joined for `talk_s` seconds."""

    trunk: str
    numbers: tuple[str, ...]
    """E.164; they are called in turn."""
    hotline: str
    agents: tuple[AgentId, ...]
    rate: float
    duration_s: float
    talk_s: float
    ring_s: float = 30.0


class Offered(msgspec.Struct):
    """What came of it; times in seconds, as the adapter's owner hears the events."""

    calls: int = 0
    answered: int = 0
    joined: int = 0
    not_joined: int = 0
    """The adapter said that the agent could not be joined."""
    without_agent: int = 0
    """All agents were in talks: the measurement has too few."""
    to_agent_s: list[float] = msgspec.field(default_factory=list)
    """From the customer's answer to the join with an agent."""
    late_s: list[float] = msgspec.field(default_factory=list)
    """How late this process began calls."""


class Offerer:
    """Places the calls of one measurement. The adapter is entered and left by whoever made it."""

    def __init__(self, telephony: Telephony, offers: Offers) -> None:
        self.seen = Offered()
        self._telephony = telephony
        self._offers = offers
        self._free = deque(offers.agents)
        self._run = secrets.token_hex(4)
        self._numbers = itertools.cycle(offers.numbers)
        self._answered: dict[CallId, float] = {}
        self._agents: dict[CallId, AgentId] = {}
        self._up: set[CallId] = set()
        self._idle = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Place the calls, and return when all are over; raise what the adapter raises."""
        hearing = asyncio.create_task(self._hear())
        try:
            await self._place()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended(), self._offers.talk_s + self._offers.ring_s + _ENDS_WITHIN_S)
        finally:
            hearing.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(hearing, *self._tasks, return_exceptions=True)

    async def _place(self) -> None:
        offers, began = self._offers, time.monotonic()
        for number in range(int(offers.rate * offers.duration_s)):
            due = began + number / offers.rate
            while (wait := due - time.monotonic()) > 0:  # noqa: ASYNC110 -- a moment, no event
                await asyncio.sleep(wait)
            self.seen.late_s.append(time.monotonic() - due)
            self._begin(f"offer-{self._run}-{number:06d}")

    def _begin(self, call_id: CallId) -> None:
        offers = self._offers
        self.seen.calls += 1
        self._up.add(call_id)
        placing = self._telephony.originate(
            call_id, phone=next(self._numbers), hotline=offers.hotline, trunk=offers.trunk,
            ring_timeout_s=offers.ring_s,
        )  # fmt: skip
        self._spawn(placing)

    async def _hear(self) -> None:
        async for event in self._telephony.events():
            if isinstance(event, CallEvent) and event.call_id in self._up:
                self._one(event, time.monotonic())

    def _one(self, event: CallEvent, now: float) -> None:
        match event:
            case CallAnswered():
                self.seen.answered += 1
                self._answered[event.call_id] = now
                self._offer(event.call_id)
            case CallConnected():
                self.seen.joined += 1
                self.seen.to_agent_s.append(now - self._answered[event.call_id])
                self._spawn(self._talk(event.call_id))
            case ConnectFailed():
                self.seen.not_joined += 1
                self._spawn(self._telephony.hangup(event.call_id, reason=CancelReason.ADMIN))
            case CallEnded():
                self._over(event.call_id)

    def _offer(self, call_id: CallId) -> None:
        if not self._free:
            self.seen.without_agent += 1
            self._spawn(self._telephony.hangup(call_id, reason=CancelReason.ADMIN))
            return
        agent = self._agents[call_id] = self._free.popleft()
        self._spawn(self._telephony.connect(call_id, agent_id=agent))

    async def _talk(self, call_id: CallId) -> None:
        await asyncio.sleep(self._offers.talk_s)
        await self._telephony.hangup(call_id, reason=CancelReason.AGENT_HANGUP)

    def _over(self, call_id: CallId) -> None:
        self._up.discard(call_id)
        if (agent := self._agents.pop(call_id, None)) is not None:
            self._free.append(agent)
        if not self._up:
            self._idle.set()

    async def _ended(self) -> None:
        while self._up:
            self._idle.clear()
            await self._idle.wait()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
