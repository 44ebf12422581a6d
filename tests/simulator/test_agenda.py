from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from simulator.agenda import Agenda
from simulator.clock import VirtualClock


def _fail(_payload: None, _now: float) -> None:
    raise ZeroDivisionError


class Day:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.agenda = Agenda(self.clock)
        self.done: list[tuple[str, float]] = []

    def note(self, name: str, now: float) -> None:
        self.done.append((name, now))


@pytest.fixture
async def day() -> AsyncIterator[Day]:
    made = Day()
    task = asyncio.create_task(made.agenda.run())
    yield made
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


async def test_things_happen_in_order_of_time_and_then_of_asking(day: Day) -> None:
    for name, at in (("c", 20.0), ("a", 10.0), ("b", 10.0)):
        day.agenda.schedule(at, day.note, name)
    await day.clock.advance(15.0)
    assert day.done == [("a", 10.0), ("b", 10.0)]
    await day.clock.advance(15.0)
    assert day.done[2:] == [("c", 20.0)]


async def test_something_sooner_overtakes_what_is_waited_for(day: Day) -> None:
    day.agenda.schedule(100.0, day.note, "later")
    await day.clock.advance(1.0)
    day.agenda.schedule(5.0, day.note, "sooner")
    await day.clock.advance(9.0)
    assert day.done == [("sooner", 5.0)]


async def test_what_happens_may_ask_for_more_even_at_once(day: Day) -> None:
    def again(left: int, now: float) -> None:
        day.note(str(left), now)
        if left:
            day.agenda.schedule(now + (left % 2), again, left - 1)

    day.agenda.schedule(1.0, again, 3)
    await day.clock.advance(10.0)
    assert day.done == [("3", 1.0), ("2", 2.0), ("1", 2.0), ("0", 3.0)]


async def test_what_is_overdue_happens_at_once_and_a_failure_is_not_swallowed(day: Day) -> None:
    agenda = Agenda(VirtualClock(50.0))
    agenda.schedule(10.0, _fail, None)
    with pytest.raises(ZeroDivisionError):
        await agenda.run()
