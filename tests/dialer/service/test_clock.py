"""The shell's clock."""

from __future__ import annotations

import time

from dialer.service.clock import SystemClock


async def test_it_starts_at_the_wall_and_runs_at_its_speed() -> None:
    clock = SystemClock(speed=100.0)
    assert abs(clock.now() - time.time()) < 1.0
    before = clock.now()
    await clock.sleep_until(before + 5.0)
    passed = clock.now() - before
    assert passed >= 5.0


def test_it_goes_on_from_a_later_start_and_never_before_the_wall() -> None:
    assert SystemClock(start=time.time() + 9_999).now() > time.time() + 9_000
    assert SystemClock(start=0.0).now() > time.time() - 1.0
