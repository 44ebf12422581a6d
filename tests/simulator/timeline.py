"""A bare timeline: what the world's heap and the live agenda do, in ten lines."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any


class Timeline:
    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self._heap: list[tuple[float, int, Callable[[Any, float], None], Any]] = []
        self._count = 0

    def schedule(self, at: float, what: Callable[[Any, float], None], payload: object) -> None:
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, what, payload))

    def run_until(self, at: float) -> None:
        while self._heap and self._heap[0][0] <= at:
            self.now, _, what, payload = heapq.heappop(self._heap)
            what(payload, self.now)
        self.now = at
