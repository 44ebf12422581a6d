"""Timers as data: [when, number, what, for whom]; setting and cancelling cost next to nothing.

Nearly all wait for one of a few constants (T1, T4, 64*T1): those of one constant come due in the order in which they
were set, so they stand in a queue. The others stand in a heap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Any, Final

Timer = list[Any]
"""[when, number, what, for whom]; a cancelled one has nobody to fire for."""
_WASTE: Final = 10_000


class Timers:
    """Fire in the order of their moments, those of one moment in the order in which they were set."""

    __slots__ = ("_cancelled", "_first", "_heap", "_lanes", "_number")

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._lanes: dict[float, deque[Timer]] = {}
        self._number = 0
        self._cancelled = 0
        self._first: Timer | None = None
        """The next one, while it is not cancelled; None = look for it."""

    def __len__(self) -> int:
        """Count those that will fire."""
        return self.kept - self._cancelled

    @property
    def kept(self) -> int:
        """Count those in memory, cancelled ones too."""
        return len(self._heap) + sum(map(len, self._lanes.values()))

    def set(self, at: float, what: Any, whom: Any) -> Timer:
        """Arm a timer for any moment and return it."""
        self._number += 1
        timer = [at, self._number, what, whom]
        heappush(self._heap, timer)
        if self._first is not None and at < self._first[0]:
            self._first = timer
        return timer

    def after(self, delay_s: float, now: float, what: Any, whom: Any) -> Timer:
        """Arm a timer for one of a few constant delays and return it; `now` does not run backwards."""
        lane = self._lanes.get(delay_s)
        if lane is None:
            lane = self._lanes[delay_s] = deque()
        at = now + delay_s
        if lane and lane[-1][0] > at:
            return self.set(at, what, whom)
        self._number += 1
        timer = [at, self._number, what, whom]
        lane.append(timer)
        if self._first is not None and at < self._first[0]:
            self._first = timer
        return timer

    def cancel(self, timer: Timer | None) -> None:
        """Disarm a timer; one that fired, or was disarmed, or None is left alone."""
        if timer is None or timer[3] is None:
            return
        timer[3] = None
        if timer is self._first:
            self._first = None
        self._cancelled += 1
        if self._cancelled > _WASTE and self._cancelled * 2 > self.kept:
            self._sweep()

    def next(self) -> float | None:
        """Return when the next timer is due."""
        first = self._first or self._look()
        return None if first is None else first[0]

    def due(self, now: float) -> Iterator[tuple[Any, Any]]:
        """Yield (what, for whom) of each timer that is due, also of those that are set meanwhile."""
        while (first := self._first or self._look()) is not None and first[0] <= now:
            whom, first[3], self._first = first[3], None, None
            self._cancelled += 1  # it is dropped when the next one is looked for
            yield first[2], whom

    def _look(self) -> Timer | None:
        """Find the next timer; what was cancelled before it is dropped."""
        heap = self._heap
        while heap and heap[0][3] is None:
            heappop(heap)
            self._cancelled -= 1
        first = heap[0] if heap else None
        for lane in self._lanes.values():
            while lane and lane[0][3] is None:
                lane.popleft()
                self._cancelled -= 1
            if lane and (first is None or lane[0] < first):
                first = lane[0]
        self._first = first
        return first

    def _sweep(self) -> None:
        self._heap = [timer for timer in self._heap if timer[3] is not None]
        heapify(self._heap)
        for delay_s, lane in self._lanes.items():
            self._lanes[delay_s] = deque(timer for timer in lane if timer[3] is not None)
        self._cancelled = 0
