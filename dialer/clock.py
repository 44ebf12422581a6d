"""The wall's clock, for every process that speaks to the world."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """UTC epoch seconds: the wall's at the start, monotonic from then on."""

    speed = 1.0

    def __init__(self) -> None:
        self._ahead_s = time.time() - time.monotonic()

    def now(self) -> float:
        """Return the time."""
        return self._ahead_s + time.monotonic()

    async def sleep_until(self, at: float) -> None:
        """Return when the time has come."""
        while (left := at - self.now()) > 0:  # noqa: ASYNC110 -- a sleep may end early; no event stands for a time
            await asyncio.sleep(left)
