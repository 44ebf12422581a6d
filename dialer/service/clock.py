"""A clock that runs ahead of the wall, for demos."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable

TURNS = 5
"""Turns of the event loop after which whatever could run at one instant has begun to."""
BUSY_POLL_S = 0.0005


class PacedClock:
    """UTC epoch seconds that go from one awaited moment to the next, at most `speed` times as fast as the wall.

    Time stands still while `is_busy()`: what the program takes to think is not multiplied by the speed, so a fast demo
    keeps its two-second promises on a slow machine. `run` must be running.
    """

    def __init__(self, *, speed: float, start: float = 0.0) -> None:
        self.speed = speed
        self.is_busy: Callable[[], bool] = bool
        self._now = max(start, time.time())
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()

    def now(self) -> float:
        """Return the time of the last moment that somebody waited for."""
        return self._now

    async def sleep_until(self, at: float) -> None:
        """Return when the time has come."""
        if at <= self._now:
            await asyncio.sleep(0)
            return
        sleeper = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (at, next(self._order), sleeper))
        self._changed.set()
        await sleeper

    async def run(self) -> None:
        """Move the time until cancelled."""
        while True:
            self._changed.clear()
            at = self._next()
            if at is None:
                await self._changed.wait()
            elif not await self._interrupted((at - self._now) / self.speed):
                await self._settled()
                self._wake(self._next())

    def _next(self) -> float | None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    async def _interrupted(self, seconds: float) -> bool:
        """Wait for the next moment; tell whether somebody asked for another one meanwhile."""
        if seconds <= 0:
            return False
        began = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        # Time that has passed must not be waited for again.
        self._now = min(self._now + (time.monotonic() - began) * self.speed, self._next() or self._now)
        return True

    async def _settled(self) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        while self.is_busy():  # noqa: ASYNC110 -- what keeps it busy is many small things, not one event
            await asyncio.sleep(BUSY_POLL_S)

    def _wake(self, at: float | None) -> None:
        if at is None:
            return
        self._now = max(self._now, at)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            sleeper = heapq.heappop(self._sleepers)[2]
            if not sleeper.done():
                sleeper.set_result(None)
