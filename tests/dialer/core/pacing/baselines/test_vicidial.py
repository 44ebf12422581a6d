"""VICIdial's level, limiter and loop, by arithmetic."""

from __future__ import annotations

from typing import Any

import pytest

from dialer.core.pacing.base import Tally
from dialer.core.pacing.baselines.vicidial import Vicidial, VicidialSettings, taper
from tests.dialer.core.pacing.baselines.moments import moment

NINE = 9 * 3600.0


def play(pacer: Vicidial, seconds: float, *, start: float = NINE, **what: Any) -> list[float]:
    """Return the times at which calls were placed, the moment staying as it is."""
    at, placed = start, []
    while at < start + seconds:
        if pacer.allowance(moment(**what), now=at).dials:
            placed.append(round(at - start, 3))
        at = round(at + pacer.period_s, 6)
    return placed


def test_the_level_multiplies_itself() -> None:
    """4 of 10 ready: x = .4, so 1 -> 1.4 -> 1.96 -> 2.744 -> 3 (its maximum), one step each 15 s."""
    pacer, levels = Vicidial(VicidialSettings()), []
    for step in range(4):
        play(pacer, 15, start=NINE + 15 * step, idle=4, talking=(50.0,) * 6, room=0)
        levels.append(pacer.level)
    assert levels == [1.4, 1.96, 2.744, 3.0]


def test_waiting_calls_and_a_target_pull_it_down_but_not_below_one() -> None:
    pacer = Vicidial(VicidialSettings(dl_diff_target=-0.2))
    pacer.level = 2.0
    play(pacer, 1, idle=1, waiting=2, talking=(50.0,) * 9, room=0)  # x = (1 - 2) / 10 - .2 = -.3
    assert pacer.level == 1.4
    for step in range(1, 4):
        play(pacer, 15, start=NINE + 15 * step, idle=1, waiting=2, talking=(50.0,) * 9, room=0)
    assert pacer.level == 1.0


def test_intensity() -> None:
    up = Vicidial(VicidialSettings(intensity=50.0))
    play(up, 1, idle=4, talking=(50.0,) * 6, room=0)
    assert up.level == 1.6  # .4 x 1.5


@pytest.mark.parametrize(("tally", "expected"), [(False, 2), (True, 5)])
def test_tally_counts_all_agents_or_those_who_are_ready(tally: bool, expected: int) -> None:
    """Level 2, 3 ready, 4 talking, 5 ringing, 1 waiting.

    N: 2 x 7 - (5 + 1 + 4) = 4 and, with 2 more ringing, 2. Y: 2 x 6 - (5 + 1) + ... see the two cases.
    """
    pacer = Vicidial(VicidialSettings(available_only_tally=tally))
    pacer.level = 2.0
    ready, ringing = (3, 7) if not tally else (6, 6)
    now = moment(idle=ready, talking=(9.0,) * 4, ringing=(1.0,) * ringing, waiting=1)
    assert pacer.missing(now) == expected  # N: 14 - 12 = 2; Y: (12 + 4) - (6 + 1 + 4) = 5


def test_calls_leave_one_by_one_and_the_loop_comes_back_after_the_last_sleep() -> None:
    """Three missing at 5 a second: at 0, .2 and .4 s; then 2.5 s after the sleep that ends at .6 s."""
    assert play(Vicidial(VicidialSettings(cps=5.0, maximum_level=1.0)), 3.5, idle=3)[:4] == [0.0, 0.2, 0.4, 3.2]


def day(pacer: Vicidial, tally: Tally, *, start: float = NINE) -> None:
    play(pacer, 0.2, start=start, idle=5, talking=(9.0,) * 5, room=0)
    play(pacer, 0.2, start=start + 60, idle=5, talking=(9.0,) * 5, room=0, tally=tally)


OVER = Tally(placed=500, finished=480, answered=100, abandoned=4)


@pytest.mark.parametrize(("method", "expected"), [("hard", 1.0), ("average", 1.5), ("tapered", 2.0 * 1.5)])
def test_over_the_days_limit(method: str, expected: float) -> None:
    """4 of 100 answered dropped. x = .5: level 2 -> 3; then 1 / half of it / x min(1, (2100 - 901) / 1000)."""
    pacer = Vicidial(VicidialSettings(method=method))  # type: ignore[arg-type]
    day(pacer, Tally())
    pacer.level = 2.0
    play(pacer, 0.2, start=NINE + 120, idle=5, talking=(9.0,) * 5, room=0, tally=OVER)
    assert pacer.level == pytest.approx(expected)


def test_half_the_calls_of_a_minute_dropped_halves_the_level() -> None:
    pacer = Vicidial(VicidialSettings())
    day(pacer, Tally())
    pacer.level = 2.0
    wild = Tally(placed=21, finished=21, answered=20, abandoned=11)
    play(pacer, 0.2, start=NINE + 120, idle=5, talking=(9.0,) * 5, room=0, tally=wild)
    assert pacer.level == 1.5


@pytest.mark.parametrize(
    ("hour", "minute", "factor"), [(9, 0, 1.0), (14, 30, 0.67), (19, 59, 0.141), (21, 0, 0.0), (22, 0, 0.0)]
)
def test_the_taper_subtracts_clock_figures_not_minutes(hour: int, minute: int, factor: float) -> None:
    assert taper(2100, 3600.0 * hour + 60 * minute) == pytest.approx(factor)
