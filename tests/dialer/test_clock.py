"""The wall's clock."""

from __future__ import annotations

import time

from dialer.clock import SystemClock


async def test_the_real_clock_is_the_walls() -> None:
    clock = SystemClock()
    assert abs(clock.now() - time.time()) < 1.0
    before = clock.now()
    await clock.sleep_until(before + 0.05)
    assert clock.now() >= before + 0.05
