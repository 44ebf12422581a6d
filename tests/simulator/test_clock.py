from __future__ import annotations

import asyncio

from simulator.clock import VirtualClock


async def test_sleepers_wake_in_order_of_time_at_their_own_moment() -> None:
    clock, woken = VirtualClock(100.0), list[tuple[str, float]]()

    async def sleep(name: str, at: float) -> None:
        await clock.sleep_until(at)
        woken.append((name, clock.now()))

    async with asyncio.TaskGroup() as group:
        for name, at in (("late", 130.0), ("soon", 110.0), ("past", 50.0)):
            group.create_task(sleep(name, at))
        await clock.advance(5.0)
        assert woken == [("past", 100.0)]
        await clock.advance(100.0)
    assert woken[1:] == [("soon", 110.0), ("late", 130.0)]
    assert clock.now() == 205.0


async def test_a_sleeper_that_was_cancelled_is_passed_over() -> None:
    clock = VirtualClock()
    task = asyncio.create_task(clock.sleep_until(10.0))
    await clock.advance(1.0)
    task.cancel()
    await clock.advance(20.0)
    assert task.cancelled()
    assert clock.now() == 21.0


async def test_a_sleep_that_follows_a_sleep_starts_where_that_one_ended() -> None:
    clock, moments = VirtualClock(), list[float]()

    async def tick() -> None:
        for n in range(1, 4):
            await clock.sleep_until(n * 10.0)
            moments.append(clock.now())

    task = asyncio.create_task(tick())
    await clock.advance(35.0)
    await task
    assert moments == [10.0, 20.0, 30.0]


async def test_a_step_goes_to_what_is_due_next_and_no_further_than_told() -> None:
    clock, woken = VirtualClock(100.0), list[float]()

    async def sleep(at: float) -> None:
        await clock.sleep_until(at)
        woken.append(clock.now())

    async with asyncio.TaskGroup() as group:
        for at in (103.0, 101.5):
            group.create_task(sleep(at))
        for expected in (101.5, 102.5, 103.0, 107.0):
            await clock.step(102.5 if expected == 102.5 else 107.0)
            assert clock.now() == expected
    assert woken == [101.5, 103.0]
