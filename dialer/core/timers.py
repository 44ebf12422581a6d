"""Named timers on one heap; setting a name again moves it."""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import TypeAlias

_Entry: TypeAlias = tuple[float, int, Hashable]
"""When, which setting it was, what."""


class Timers:
    """Hold at most one due time a key; cancelled entries leave the heap lazily."""

    def __init__(self) -> None:
        self._heap: list[_Entry] = []
        self._due: dict[Hashable, _Entry] = {}
        self._count = 0

    def set(self, key: Hashable, at: float) -> None:
        """Arm or move the timer `key` to fire at `at`."""
        self._count += 1
        entry = self._due[key] = (at, self._count, key)
        heapq.heappush(self._heap, entry)

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
        heap, due = self._heap, self._due
        while heap:
            entry = heap[0]
            if due.get(entry[2]) is entry:
                return entry[0]
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
