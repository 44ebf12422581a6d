"""The EIS horizon, by arithmetic."""

from __future__ import annotations

import math

import pytest

from dialer.core.pacing.base import Tally
from dialer.core.pacing.baselines.eis import Eis, EisSettings
from tests.dialer.core.pacing.baselines.moments import moment


def test_calls_for_those_who_will_be_free_within_t() -> None:
    pacer = Eis(EisSettings(first_t_s=10.0, step=0.0))
    now = moment(idle=2, talking=(60.0,) * 8, wrapping=(5.0,) * 3, ringing=(1.0,) * 4, waiting=1)
    known = now.estimates
    free = 2 + 8 * known.talk.within(60.0, 10.0) + 3 * known.wrap.within(5.0, 10.0)
    expected = max(0, math.floor((free - 1) / known.p_answer) - 4)
    assert pacer.allowance(now, now=0.0).dials == expected


def test_t_grows_within_the_limit_and_shrinks_beyond() -> None:
    pacer = Eis(EisSettings(step=0.1, first_t_s=10.0))
    pacer.allowance(moment(idle=1), now=0.0)
    assert pacer.horizon_s == pytest.approx(11.0)
    pacer.allowance(moment(idle=1, tally=Tally(500, 500, 100, 3)), now=60.0)
    assert pacer.horizon_s == pytest.approx(9.9)


def test_t_has_an_end() -> None:
    pacer = Eis(EisSettings(step=0.5))
    for minute in range(60):
        pacer.allowance(moment(idle=1), now=60.0 * minute)
    assert pacer.horizon_s == 120.0
