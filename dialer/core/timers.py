"""Named timers on one heap; setting a name again moves it."""

from __future__ import annotations

import heapq
from collections.abc import Hashable


class Timers:
    """Hold at most one due time a key; cancelled entries leave the heap lazily."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Hashable]] = []
        self._due: dict[Hashable, tuple[float, int]] = {}
        self._count = 0

    def set(self, key: Hashable, at: float) -> None:
        """Arm or move the timer `key` to fire at `at`."""
        self._count += 1
        self._due[key] = (at, self._count)
        heapq.heappush(self._heap, (at, self._count, key))

    def set_earlier(self, key: Hashable, at: float) -> None:
        """Arm the timer unless it already fires sooner."""
        due = self._due.get(key)
        if due is None or at < due[0]:
            self.set(key, at)

    def cancel(self, key: Hashable) -> None:
        """Disarm; an unknown key is fine."""
        self._due.pop(key, None)

    def next(self) -> float | None:
        """Return when the first timer fires, None when none is armed."""
        heap = self._heap
        while heap:
            at, count, key = heap[0]
            if self._due.get(key) == (at, count):
                return at
            heapq.heappop(heap)
        return None

    def pop(self, now: float) -> Hashable | None:
        """Disarm and return one timer that is due, earliest first."""
        at = self.next()
        if at is None or at > now:
            return None
        key = heapq.heappop(self._heap)[2]
        del self._due[key]
        return key
