"""The bench of the adapter cards: an open adapter, far ends and agents that do as asked, and what the adapter told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from enum import StrEnum
from types import TracebackType
from typing import Final, NamedTuple, Protocol, Self, TypeVar, runtime_checkable

from dialer.core.events import (
    CallAnswered,
    CallArrived,
    CallConnected,
    CallEnded,
    CallEvent,
    RecordingEnded,
    TrunkClosed,
    TrunkOpened,
)
from dialer.core.ids import uuid7
from dialer.core.types import AgentId, CallId
from dialer.ports import CallStatusAtSwitch, Capabilities, Telephony
from statuses.outcomes import CancelReason

E = TypeVar("E", bound=CallEvent)

LIMIT_S: Final = 30.0
"""How long a card waits for what must come, unless the port names a limit."""
JOIN_S: Final = 5.0
"""A join is told of, done or failed, within this (dialer.switch)."""
RING_S: Final = 60.0
_AFTER_THE_END: Final = (RecordingEnded,)
"""What may still be told of a call that is over."""


class CardFailed(AssertionError):
    """An adapter does not do what a card asks; the message says what was awaited, and what was told instead."""


class FarEnd(StrEnum):
    """How a number that a card calls behaves."""

    ANSWERS = "answers"
    """Rings, answers, and stays until we hang up, whether somebody speaks or not."""
    HANGS_UP = "hangs up"
    """Answers, and hangs up soon after."""
    TALKS_BRIEFLY = "talks briefly"
    """Answers, and hangs up soon after an agent is there."""
    BUSY = "busy"
    """486."""
    UNKNOWN = "unknown"
    """404."""
    AWAY = "away"
    """480."""
    CONGESTED = "congested"
    """503."""
    RINGS = "rings"
    """For as long as we let it."""
    ANSWERS_LATE = "answers late"
    """Rings, and answers in the moment in which we give up."""
    ANNOUNCEMENT = "announcement"
    """A recording in early media, then the network's end."""
    PRESSES_KEYS = "presses keys"
    """Answers, and presses 1, 2, # when it hears a prompt."""
    PERSON = "person"
    """Answers as a person does: a short greeting, then listens."""
    MACHINE = "machine"
    """Answers as an answering machine does: a long greeting, a beep."""
    TRANSFER_FAILS = "transfer fails"
    """Answers, but the number that it is sent on to does not."""


@runtime_checkable
class Stage(Protocol):
    """What whoever writes an adapter provides: the adapter, not opened yet, and people around it who do as asked.

    Attributes that a capability needs are used only where the adapter declares it.
    """

    telephony: Telephony
    hotline: str
    trunk: str
    agents: tuple[AgentId, AgentId]
    """Two whose phones answer."""
    absent: AgentId
    """One whose phone never does."""
    prompt: str
    """A prompt that can be played, of 2 to 20 s."""
    no_prompt: str
    """One that cannot."""

    def phone(self, far_end: FarEnd) -> str:
        """Return a number whose owner behaves so; the same one may be called again and again."""
        ...

    def transfer_phone(self, *, answers: bool) -> str:
        """Return a number to send a call on to."""
        ...

    async def agent_hangs_up(self, call_id: CallId, agent_id: AgentId) -> None:
        """Let an agent's phone hang up; `call_id` is what it is on the line for."""
        ...

    async def somebody_calls(self) -> None:
        """Let somebody call `hotline`, and wait for an answer for some 20 s."""
        ...

    async def caller_hangs_up(self, call_id: CallId) -> None:
        """Let a caller hang up, answered or not."""
        ...

    async def wait(self, news: asyncio.Event, seconds: float) -> None:
        """Return when `news` is set, or `seconds` of the adapter's clock have passed."""
        ...

    def now(self) -> float:
        """Return the adapter's clock."""
        ...


class Bench:
    """An opened adapter and all it told. Use it as an async context manager, once."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.telephony = stage.telephony
        self.agent, self.other_agent = stage.agents
        self._told: dict[CallId, list[CallEvent]] = {}
        self._taken: set[tuple[CallId, int]] = set()
        self._arrivals: asyncio.Queue[CallArrived] = asyncio.Queue()
        self._news = asyncio.Event()
        self._stack = AsyncExitStack()
        self._listener: asyncio.Task[None] | None = None
        self._calls = 0
        self._began = stage.now()

    @property
    def capabilities(self) -> Capabilities:
        """Return what the adapter declares."""
        return self.telephony.capabilities

    async def __aenter__(self) -> Self:
        """Open the adapter, and listen."""
        await self._stack.enter_async_context(self.telephony)
        self._listener = asyncio.create_task(self._listen(), name="card")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what is left and close; raise CardFailed for a call that ended twice, or was heard of after its end."""
        try:
            if kind is None:
                await self.clear()
                self._check_laws()
        finally:
            await self.close()

    async def _listen(self) -> None:
        async for event in self.telephony.events():
            if isinstance(event, TrunkClosed | TrunkOpened):
                continue
            self._told.setdefault(event.call_id, []).append(event)
            if isinstance(event, CallArrived):
                self._arrivals.put_nowait(event)
            self._news.set()

    async def close(self) -> None:
        """Close the adapter; raise CardFailed when `events()` does not end by that."""
        listener, self._listener = self._listener, None
        await self._stack.aclose()
        if listener is not None:
            _, waiting = await asyncio.wait({listener}, timeout=LIMIT_S)
            if waiting:
                listener.cancel()
                raise CardFailed("the adapter is closed, and events() goes on")
            listener.result()

    async def clear(self) -> None:
        """Hang up whatever is up, and wait for its end."""
        if self._listener is None:
            return
        for one in await self.telephony.snapshot():
            if not self.is_over(one.call_id):
                await self.hang_up(one.call_id)

    def _check_laws(self) -> None:
        for call_id, told in self._told.items():
            ends = [place for place, event in enumerate(told) if isinstance(event, CallEnded)]
            require(len(ends) <= 1, f"call {call_id} ended {len(ends)} times: {told}")
            after = [one for one in told[ends[0] + 1 :] if not isinstance(one, _AFTER_THE_END)] if ends else []
            require(not after, f"call {call_id} was heard of after its end: {after}")

    # --- what cards say -------------------------------------------------------------------------------------------

    def new_id(self) -> CallId:
        """Return an id for a call."""
        self._calls += 1
        return uuid7(self.stage.now(), purpose=f"card/{self._began!r}/{self._calls}")

    async def place(self, far_end: FarEnd, *, call_id: CallId | None = None, amd: bool = False) -> CallId:
        """Call somebody who behaves so; return the call's id."""
        call_id = call_id or self.new_id()
        await self.telephony.originate(
            call_id, phone=self.stage.phone(far_end), hotline=self.stage.hotline, trunk=self.stage.trunk,
            ring_timeout_s=RING_S, amd=amd,
        )  # fmt: skip
        return call_id

    async def answered(self, far_end: FarEnd = FarEnd.ANSWERS) -> CallId:
        """Call somebody, and wait for the answer."""
        call_id = await self.place(far_end)
        await self.hear(call_id, CallAnswered)
        return call_id

    async def talk(self, far_end: FarEnd = FarEnd.ANSWERS, agent: AgentId | None = None) -> CallId:
        """Call somebody, and join them to an agent."""
        call_id = await self.answered(far_end)
        await self.join(call_id, agent or self.agent)
        return call_id

    async def join(self, call_id: CallId, agent: AgentId) -> None:
        """Join a call to an agent within the port's limit."""
        await self.telephony.connect(call_id, agent_id=agent)
        event = await self.hear(call_id, CallConnected, within_s=JOIN_S)
        require(event.agent_id == agent, f"joined to {event.agent_id}, not to {agent}")

    async def arrival(self) -> CallId:
        """Let somebody call the hotline; return the id that the adapter gave the call."""
        await self.stage.somebody_calls()
        await self._until(lambda: not self._arrivals.empty(), LIMIT_S)
        require(not self._arrivals.empty(), "somebody called the hotline, and CallArrived was not told")
        event = self._arrivals.get_nowait()
        require(event.hotline == self.stage.hotline, f"the call came to {event.hotline}, not to {self.stage.hotline}")
        require(bool(event.phone), "the caller's number is not told")
        return event.call_id

    async def hang_up(self, call_id: CallId, reason: CancelReason = CancelReason.ADMIN) -> CallEnded:
        """Hang up, and wait for the end."""
        await self.telephony.hangup(call_id, reason=reason)
        return await self.end(call_id)

    async def end(self, call_id: CallId) -> CallEnded:
        """Wait for the end of a call."""
        return await self.hear(call_id, CallEnded)

    async def hear(self, call_id: CallId, kind: type[E], *, within_s: float = LIMIT_S) -> E:
        """Wait for an event of a call that no card has taken yet; raise CardFailed when it does not come."""
        await self._until(lambda: self._next(call_id, kind) is not None or self._is_hopeless(call_id, kind), within_s)
        found = self._next(call_id, kind)
        if found is None:
            raise CardFailed(f"no {kind.__name__} within {within_s:g} s; told were: {self.told(call_id)}")
        place, event = found
        self._taken.add((call_id, place))
        return event

    def _next(self, call_id: CallId, kind: type[E]) -> tuple[int, E] | None:
        for place, event in enumerate(self._told.get(call_id, ())):
            if isinstance(event, kind) and (call_id, place) not in self._taken:
                return place, event
        return None

    def _is_hopeless(self, call_id: CallId, kind: type[CallEvent]) -> bool:
        return self.is_over(call_id) and kind not in _AFTER_THE_END

    async def _until(self, true: Callable[[], bool], within_s: float) -> None:
        until = self.stage.now() + within_s
        while not true() and (left := until - self.stage.now()) > 0:
            self._news.clear()
            await self.stage.wait(self._news, left)

    async def pause(self, seconds: float) -> None:
        """Let so much time pass."""
        await self._until(lambda: False, seconds)

    def told(self, call_id: CallId) -> list[CallEvent]:
        """Return all that was told of a call."""
        return list(self._told.get(call_id, ()))

    def count(self, call_id: CallId, kind: type[CallEvent]) -> int:
        """Return how often something was told of a call."""
        return sum(isinstance(event, kind) for event in self.told(call_id))

    def is_over(self, call_id: CallId) -> bool:
        """Tell whether the end of a call was told."""
        return self.count(call_id, CallEnded) > 0

    async def live(self) -> dict[CallId, CallStatusAtSwitch]:
        """Return what the adapter says is live."""
        listed = await self.telephony.snapshot()
        calls = {one.call_id: one for one in listed}
        require(len(calls) == len(listed), f"a call is listed twice: {listed}")
        return calls


class Card(NamedTuple):
    """One numbered card."""

    number: int
    title: str
    needs: str | None
    """The capability without which it is skipped; None: every adapter passes it."""
    body: Callable[[Bench], Awaitable[None]]


def require(true: bool, message: str) -> None:  # noqa: FBT001 -- as `assert`
    """Raise CardFailed unless it is so."""
    if not true:
        raise CardFailed(message)
