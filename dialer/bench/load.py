"""Calls at a rate, or so many at a time, through a trunk adapter: what `dialer loadtest` and `dialer bench sip` do.

Open loop: calls begin at their times whatever becomes of the earlier ones, so that a slow carrier cannot slow the
measurement down (no coordinated omission). Closed loop: one begins when another one is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import secrets
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import msgspec

from dialer.core.events import CallAnswered, CallEnded, CallEvent, CallRinging
from dialer.ports import Telephony
from statuses.outcomes import CancelReason, EndedBy

MAX_LIVE: Final = "max-live"
"""Why a call was not placed: the load test's own limit."""
NO_LIMIT: Final = 1_000_000
_BATCH: Final = 50
_BATCH_EVERY_S: Final = 0.01
"""At the end calls are hung up in batches: thousands of BYEs in one moment would only be lost."""
_ENDS_WITHIN_S: Final = 5.0
_NO_RESPONSE: Final = {408: "timeout", 503: "transport"}


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a trunk. Open loop: `rate` calls a second for `duration_s`. Closed: `calls`, `at_once`."""

    trunk: str
    numbers: tuple[str, ...]
    """E.164; they are called in turn."""
    hotline: str
    rate: float = 0.0
    duration_s: float = 0.0
    poisson: bool = False
    """Times drawn as people's would be; otherwise evenly spaced."""
    seed: int = 7
    calls: int = 0
    at_once: int = 0
    hold_s: float = 0.0
    """From the answer to our BYE."""
    ring_s: float = 60.0
    """A call that nobody answers is cancelled after this."""
    max_live: int = NO_LIMIT
    drain_s: float = 0.0
    """At the end, calls that are up may go on for so long; then they are hung up."""


class Seen(msgspec.Struct):
    """What was seen so far; times in seconds."""

    due: int = 0
    """Calls that were to begin."""
    placed: int = 0
    """INVITEs that left, each call's first."""
    answered: int = 0
    refused_here: Counter[str] = msgspec.field(default_factory=Counter)
    """Calls of which nothing left, by reason."""
    codes: Counter[int] = msgspec.field(default_factory=Counter)
    """Final responses to INVITEs."""
    no_response: Counter[str] = msgspec.field(default_factory=Counter)
    """INVITEs without a final response: `timeout`, `transport`, `hung up here`."""
    to_ringing_s: list[float] = msgspec.field(default_factory=list)
    to_answer_s: list[float] = msgspec.field(default_factory=list)
    """From the INVITE to 180, and to 200, as the adapter's owner hears it."""
    late_s: list[float] = msgspec.field(default_factory=list)
    """From the moment at which a call was to begin to the one at which it did."""
    backlog_peak: int = 0
    """The most calls that were due when this process came to look."""
    live_peak: int = 0
    cut_off: int = 0
    """Calls that were hung up because the test was over."""
    cpu_s: float = 0.0
    """Processor time of the thread that turns SIP."""
    elapsed_s: float = 0.0
    interrupted: bool = False


class _Call:
    __slots__ = ("answered", "placed_at", "rang")

    def __init__(self) -> None:
        self.placed_at: float | None = None
        self.rang = False
        self.answered = False


class _Delayed:
    """Do something for each key, the same time after it was added; in order."""

    def __init__(self, delay_s: float, do: Callable[[str], Awaitable[None]]) -> None:
        self._delay_s = delay_s
        self._do = do
        self._waiting: deque[tuple[float, str]] = deque()
        self._some = asyncio.Event()

    def add(self, key: str, now: float) -> None:
        """Add one."""
        self._waiting.append((now + self._delay_s, key))
        self._some.set()

    async def run(self) -> None:
        """Do it until cancelled."""
        waiting = self._waiting
        while True:
            if not waiting:
                self._some.clear()
                await self._some.wait()
            left = waiting[0][0] - time.monotonic()
            if left > 0:
                await asyncio.sleep(left)
            else:
                await self._do(waiting.popleft()[1])


class Loader:
    """Places the calls of one load and hears what becomes of them; `seen` may be looked at any time.

    The adapter is entered and left by whoever made it, who also calls `invited` for each INVITE that leaves, unless
    `ordered`: then calls count from the order, for the adapter's switch does not tell when it sends the INVITE.
    """

    def __init__(self, telephony: Telephony, load: Load, *, ordered: bool = False) -> None:
        self.seen = Seen()
        self._ordered = ordered
        self._telephony = telephony
        self._load = load
        run = secrets.token_hex(4)
        self._ids = (f"load-{run}-{number:07d}" for number in itertools.count())
        self._numbers = itertools.cycle(load.numbers)
        self._calls: dict[str, _Call] = {}
        self._live = 0
        self._stop = asyncio.Event()
        self._idle = asyncio.Event()
        self._is_ending = False
        self._hold = _Delayed(load.hold_s, self._hang_up)
        self._ring = _Delayed(load.ring_s, self._give_up)

    @property
    def live(self) -> int:
        """Count the calls whose INVITE has left and that are not over."""
        return self._live

    def stop(self) -> None:
        """Begin no more calls, and end those that are up."""
        self.seen.interrupted = True
        self._stop.set()

    def invited(self, call_id: str) -> None:
        """Learn that a call's INVITE leaves now."""
        call = self._calls.get(call_id)
        if call is not None and call.placed_at is None:
            call.placed_at = time.monotonic()
            self._live += 1
            seen = self.seen
            seen.placed += 1
            seen.live_peak = max(seen.live_peak, self._live)

    async def run(self) -> None:
        """Place the calls, and return when all are over; raise what the adapter raises when it dies."""
        began, cpu = time.monotonic(), time.thread_time()
        hearing = asyncio.create_task(self._hear())
        helpers = [asyncio.create_task(one.run()) for one in (self._hold, self._ring)]
        placing = asyncio.create_task(self._open() if self._load.rate else self._closed())
        stopping = asyncio.create_task(self._stop.wait())
        tasks = [hearing, *helpers, placing, stopping]
        try:
            await asyncio.wait({hearing, placing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            self._is_ending = True
            placing.cancel()
            await self._end()
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            self.seen.elapsed_s = time.monotonic() - began
            self.seen.cpu_s = time.thread_time() - cpu
        for error in ended:
            if isinstance(error, Exception):
                raise error

    # --- beginnings ---------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        seen, began = self.seen, time.monotonic()
        times = self._times()
        at = next(times, None)
        while at is not None:
            now = time.monotonic() - began
            if at > now:
                await asyncio.sleep(at - now)
                continue
            pending = 0
            while at is not None and at <= now:
                pending += 1
                seen.late_s.append(time.monotonic() - began - at)
                await self._begin()
                at = next(times, None)
            seen.backlog_peak = max(seen.backlog_peak, pending)
            await asyncio.sleep(0)  # whatever is late, what came in is heard first

    def _times(self) -> Iterator[float]:
        """Yield when calls begin, in seconds from the start."""
        load = self._load
        if not load.poisson:
            yield from (number / load.rate for number in range(int(load.rate * load.duration_s)))
            return
        chance = random.Random(load.seed)  # noqa: S311 -- arrivals, not secrets
        at = chance.expovariate(load.rate)
        while at < load.duration_s:
            yield at
            at += chance.expovariate(load.rate)

    async def _closed(self) -> None:
        for _ in range(min(self._load.at_once, self._load.calls)):
            await self._begin()
        if self._calls:
            await self._idle.wait()

    async def _begin(self) -> None:
        load, seen = self._load, self.seen
        seen.due += 1
        if len(self._calls) >= load.max_live:
            seen.refused_here[MAX_LIVE] += 1
            return
        call_id = next(self._ids)
        self._calls[call_id] = _Call()
        self._idle.clear()
        self._ring.add(call_id, time.monotonic())
        if self._ordered:
            self.invited(call_id)
        await self._telephony.originate(
            call_id, phone=next(self._numbers), hotline=load.hotline, trunk=load.trunk, ring_timeout_s=load.ring_s
        )

    # --- what is heard --------------------------------------------------------------------------------------------

    async def _hear(self) -> None:
        async for event in self._telephony.events():
            if isinstance(event, CallEvent) and (call := self._calls.get(event.call_id)) is not None:
                await self._one(call, event)

    async def _one(self, call: _Call, event: CallEvent) -> None:
        placed_at, now = call.placed_at, time.monotonic()
        match event:
            case CallRinging() if placed_at is not None and not call.rang:
                call.rang = True
                self.seen.to_ringing_s.append(now - placed_at)
            case CallAnswered() if placed_at is not None:
                call.answered = True
                self.seen.answered += 1
                self.seen.codes[200] += 1
                self.seen.to_answer_s.append(now - placed_at)
                if self._load.hold_s:
                    self._hold.add(event.call_id, now)
                else:
                    await self._hang_up(event.call_id)
            case CallEnded():
                await self._over(call, event)

    async def _over(self, call: _Call, event: CallEnded) -> None:
        del self._calls[event.call_id]
        if call.placed_at is None:
            self.seen.refused_here[_reason(event)] += 1
        else:
            self._live -= 1
            self._final(call, event)
        if self._load.calls and self.seen.due < self._load.calls and not self._is_ending:
            await self._begin()
        if not self._calls:
            self._idle.set()

    def _final(self, call: _Call, event: CallEnded) -> None:
        status = event.sip_status
        if call.answered:
            return
        if status is None:
            self.seen.no_response["hung up here"] += 1
        elif event.ended_by is EndedBy.DIALER and status in _NO_RESPONSE:
            self.seen.no_response[_NO_RESPONSE[status]] += 1
        else:
            self.seen.codes[status] += 1

    # --- ends -------------------------------------------------------------------------------------------------------

    async def _hang_up(self, call_id: str) -> None:
        await self._telephony.hangup(call_id, reason=CancelReason.AGENT_HANGUP)

    async def _give_up(self, call_id: str) -> None:
        call = self._calls.get(call_id)
        if call is not None and not call.answered:
            await self._telephony.hangup(call_id, reason=CancelReason.RING_TIMEOUT)

    async def _end(self) -> None:
        """Let calls end by themselves for `drain_s`, unless told to stop; hang up the others."""
        if not self._stop.is_set() and self._load.drain_s:
            idle, stop = asyncio.create_task(self._empty()), asyncio.create_task(self._stop.wait())
            await asyncio.wait({idle, stop}, timeout=self._load.drain_s, return_when=asyncio.FIRST_COMPLETED)
            for task in (idle, stop):
                task.cancel()
        self.seen.cut_off = self._live
        for number, call_id in enumerate(tuple(self._calls), 1):
            await self._telephony.hangup(call_id, reason=CancelReason.ADMIN)
            if number % _BATCH == 0:
                await asyncio.sleep(_BATCH_EVERY_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty(), _ENDS_WITHIN_S)

    async def _empty(self) -> None:
        if self._calls:
            await self._idle.wait()


def _reason(event: CallEnded) -> str:
    """Return why nothing left: `not_allowed: premium rate`, `trunk: rate` ..."""
    words = event.reason_text or ("no server of the trunk is up" if event.sip_status else "given up before its turn")
    return f"{event.local_error}: {words}" if event.local_error else words
