"""OSDial's limiter moves in small steps."""

from __future__ import annotations

import pytest

from dialer.core.pacing.base import Tally
from dialer.core.pacing.baselines.osdial import Osdial, OsdialSettings
from tests.dialer.core.pacing.baselines.moments import moment

BEFORE = Tally(placed=900, finished=900, answered=100, abandoned=4)


def after(last_minute: Tally) -> float:
    """Return the level after a minute like this, on a day over its limit, from level 2."""
    pacer = Osdial(OsdialSettings(step=0.01, maximum_level=5.0))
    now = 9 * 3600.0
    for minute in range(6):
        pacer.allowance(moment(idle=5, talking=(9.0,) * 5, room=0, tally=BEFORE), now=now + 60 * minute)
    pacer.level = 2.0
    total = Tally(
        placed=BEFORE.placed + last_minute.placed,
        finished=BEFORE.finished + last_minute.finished,
        answered=BEFORE.answered + last_minute.answered,
        abandoned=BEFORE.abandoned + last_minute.abandoned,
    )
    pacer.allowance(moment(idle=5, talking=(9.0,) * 5, room=0, tally=total), now=now + 360)
    return pacer.level


def test_within_the_limit_lately_it_creeps_up() -> None:
    assert after(Tally(placed=30, finished=30, answered=8, abandoned=0)) == pytest.approx(2.02)


def test_over_it_in_the_last_minute_it_creeps_down() -> None:
    assert after(Tally(placed=30, finished=30, answered=8, abandoned=1)) == pytest.approx(1.98)


def test_half_the_calls_dropped_takes_a_quarter_off() -> None:
    assert after(Tally(placed=30, finished=30, answered=28, abandoned=16)) == pytest.approx(2 * 0.75 * 0.99)
