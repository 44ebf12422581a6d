"""A clock that only moves when told to: tests of live parts need no real sleeping."""

from __future__ import annotations

import asyncio
import heapq

_TURNS = 20
"""Turns of the loop after which everything that can run without time passing has run."""


class VirtualClock:
    """Implements dialer.ports.Clock; `advance` moves it, waking sleepers in order of time."""

    speed = 1.0

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> float:
        """Return UTC epoch seconds."""
        return self._now

    async def sleep_until(self, at: float) -> None:
        """Return when the clock has been advanced to `at`."""
        if at <= self._now:
            return
        self._count += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (at, self._count, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move on by `seconds`, letting everything that is due happen at its own time."""
        until = self._now + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            at, _, future = heapq.heappop(self._sleepers)
            if future.done():
                continue
            self._now = max(self._now, at)
            future.set_result(None)
            await self._settle()
        self._now = until

    async def step(self, until: float) -> None:
        """Move on to the next moment at which something is due, at most to `until`."""
        await self._settle()
        due = self._sleepers[0][0] if self._sleepers else until
        await self.advance(max(0.0, min(due, until) - self._now))

    async def _settle(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
