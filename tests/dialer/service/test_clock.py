"""The shell's clocks."""

from __future__ import annotations

import asyncio
import time

import pytest

from dialer.service.clock import PacedClock


@pytest.fixture
async def paced() -> object:
    clock = PacedClock(speed=1_000.0)
    running = asyncio.create_task(clock.run())
    yield clock
    running.cancel()
    await asyncio.wait({running})


async def test_sleepers_wake_in_order_each_at_its_own_moment(paced: PacedClock) -> None:
    begin, seen = paced.now(), list[tuple[str, float]]()

    async def sleeper(name: str, seconds: float) -> None:
        await paced.sleep_until(begin + seconds)
        seen.append((name, paced.now() - begin))

    await asyncio.gather(sleeper("c", 30.0), sleeper("a", 10.0), sleeper("b", 20.0))
    assert [name for name, _ in seen] == ["a", "b", "c"]
    assert [at for _, at in seen] == pytest.approx([10.0, 20.0, 30.0], abs=1e-3)


async def test_time_stands_still_while_the_program_works(paced: PacedClock) -> None:
    begin, work = paced.now(), True
    paced.is_busy = lambda: work
    waiter = asyncio.create_task(paced.sleep_until(begin + 5.0))
    await asyncio.sleep(0.1)
    assert not waiter.done()
    assert paced.now() == begin
    work = False
    await asyncio.wait_for(waiter, 5)
    assert paced.now() == pytest.approx(begin + 5.0)


async def test_it_is_never_faster_than_its_speed(paced: PacedClock) -> None:
    began, begin = time.monotonic(), paced.now()
    for step in range(1, 21):
        await paced.sleep_until(begin + step * 10.0)
    assert (paced.now() - begin) / (time.monotonic() - began) <= paced.speed * 1.01


async def test_a_sleeper_that_was_cancelled_holds_nobody_up(paced: PacedClock) -> None:
    begin = paced.now()
    gone = asyncio.create_task(paced.sleep_until(begin + 1.0))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait_for(paced.sleep_until(begin + 2.0), 5)
    assert paced.now() == pytest.approx(begin + 2.0)


def test_it_goes_on_from_a_later_start_and_never_before_the_wall() -> None:
    assert PacedClock(speed=5.0, start=time.time() + 9_999).now() > time.time() + 9_000
    assert PacedClock(speed=5.0, start=0.0).now() > time.time() - 1.0
