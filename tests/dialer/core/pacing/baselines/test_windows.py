"""Counts over the last minutes and since midnight."""

from __future__ import annotations

from dialer.core.pacing.base import Tally
from dialer.core.pacing.baselines.windows import DAY_S, Log, difference, percent


def tally(n: int) -> Tally:
    return Tally(placed=10 * n, finished=8 * n, answered=2 * n, abandoned=n)


def test_the_last_minutes() -> None:
    log = Log(300)
    for minute in range(6):
        log.note(tally(minute), 60.0 * minute)
    assert log.last(60) == tally(1)
    assert log.last(180) == tally(3)
    assert log.last(9999) == tally(5)  # as far as it remembers


def test_what_is_older_than_its_memory_is_gone() -> None:
    log = Log(120)
    for minute in range(100):
        log.note(tally(minute), 60.0 * minute)
    assert log.last(120) == tally(2)
    assert log.last(9999) == tally(2)


def test_midnight_starts_a_new_day() -> None:
    log = Log(300)
    log.note(tally(0), DAY_S - 120)
    log.note(tally(3), DAY_S - 60)
    assert log.today() == tally(3)
    log.note(tally(5), DAY_S)
    assert log.today() == difference(tally(5), tally(3))


def test_percent_of_nothing_is_nothing() -> None:
    assert (percent(1, 4), percent(0, 0)) == (25.0, 0.0)
