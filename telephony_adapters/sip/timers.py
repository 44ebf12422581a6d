"""Timers as data: a heap of (when, what, for whom); setting and cancelling cost next to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Any, Final

Timer = list[Any]
"""[when, number, what, for whom]; a cancelled one has nobody to fire for."""
_WASTE: Final = 10_000


class Timers:
    """Fire in the order of their moments, those of one moment in the order in which they were set."""

    __slots__ = ("_cancelled", "_heap", "_number")

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._number = 0
        self._cancelled = 0

    def __len__(self) -> int:
        """Count those that will fire."""
        return len(self._heap) - self._cancelled

    def set(self, at: float, what: Any, whom: Any) -> Timer:
        """Arm a timer and return it."""
        self._number += 1
        timer = [at, self._number, what, whom]
        heappush(self._heap, timer)
        return timer

    def cancel(self, timer: Timer | None) -> None:
        """Disarm a timer; one that fired, or was disarmed, or None is left alone."""
        if timer is None or timer[3] is None:
            return
        timer[3] = None
        self._cancelled += 1
        if self._cancelled > _WASTE and self._cancelled * 2 > len(self._heap):
            self._sweep()

    def next(self) -> float | None:
        """Return when the next timer is due."""
        heap = self._heap
        while heap and heap[0][3] is None:
            heappop(heap)
            self._cancelled -= 1
        return heap[0][0] if heap else None

    def due(self, now: float) -> Iterator[tuple[Any, Any]]:
        """Yield (what, for whom) of each timer that is due, also of those that are set meanwhile."""
        while (at := self.next()) is not None and at <= now:
            timer = heappop(self._heap)
            whom, timer[3] = timer[3], None
            yield timer[2], whom

    def _sweep(self) -> None:
        self._heap = [timer for timer in self._heap if timer[3] is not None]
        heapify(self._heap)
        self._cancelled = 0
