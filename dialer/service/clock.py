"""The shell's clock: wall time at its start, monotonic from then on."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """UTC epoch seconds that never run backwards; `speed` > 1 runs ahead of the wall (demo), from `start` on."""

    def __init__(self, *, speed: float = 1.0, start: float | None = None) -> None:
        self.speed = speed
        self._anchor = time.time() if start is None else max(start, time.time())
        self._zero = time.monotonic()

    def now(self) -> float:
        """Return the time."""
        return self._anchor + (time.monotonic() - self._zero) * self.speed

    async def sleep_until(self, at: float) -> None:
        """Return when the time has come."""
        while (left := at - self.now()) > 0:  # noqa: ASYNC110 -- a sleep may end early; no event stands for a time
            await asyncio.sleep(left / self.speed)
