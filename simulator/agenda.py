"""What is to happen when, on a real or scaled clock: one heap and one task."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Any

from dialer.ports import Clock


class Agenda:
    """Call `what(payload, now)` at its time: `run` is the one task that does it; anybody may schedule."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._heap: list[tuple[float, int, Callable[[Any, float], None], Any]] = []
        self._pushed = 0
        self._sooner = asyncio.Event()
        """Something was put before everything else."""

    def schedule(self, at: float, what: Callable[[Any, float], None], payload: object) -> None:
        """Put something on the agenda."""
        self._pushed += 1
        entry = (at, self._pushed, what, payload)
        heapq.heappush(self._heap, entry)
        if self._heap[0] is entry:
            self._sooner.set()

    async def run(self) -> None:
        """Do what is due until cancelled."""
        while True:
            self._sooner.clear()
            self._do_due()
            if self._heap:
                await self._sleep_or_sooner(self._heap[0][0])
            else:
                await self._sooner.wait()

    def _do_due(self) -> None:
        heap = self._heap
        while heap and heap[0][0] <= (now := self.clock.now()):
            _, _, what, payload = heapq.heappop(heap)
            what(payload, now)

    async def _sleep_or_sooner(self, at: float) -> None:
        tasks = {asyncio.create_task(self.clock.sleep_until(at)), asyncio.create_task(self._sooner.wait())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
