"""Issabel's predictor, by arithmetic."""

from __future__ import annotations

import math

import pytest

from dialer.core.pacing.baselines.issabel import Issabel, IssabelSettings, about_free
from dialer.core.pacing.estimators import Attempt, Recent
from tests.dialer.core.pacing.baselines.moments import moment

KNOWN = Recent(
    attempts=[Attempt(0.0, n % 4 == 0, 10.0 if n % 4 == 0 else 25.0) for n in range(40)], talks=[100.0] * 20, wraps=[]
)


def test_a_long_call_counts_as_nearly_over_for_ever() -> None:
    assert about_free(90.0, 10.0, 100.0) == pytest.approx(1 - math.exp(-1))
    assert about_free(3600.0, 10.0, 100.0) == pytest.approx(1.0)


def test_free_and_about_free_agents_over_the_answer_rate() -> None:
    """1 free, 2 of 3 calls old enough (needs 1 - e^-x >= .8, x >= 1.61, age >= 151 s), 1 ringing: 2 / .25 = 8 calls."""
    now = moment(idle=1, talking=(20.0, 160.0, 400.0), ringing=(3.0,), recent=KNOWN)
    assert Issabel(IssabelSettings(service_percent=80.0)).allowance(now, now=60.0).dials == 8


def test_progressive_until_ten_calls_have_ended() -> None:
    now = moment(idle=5, talking=(500.0,), ringing=(1.0,))
    assert Issabel(IssabelSettings()).allowance(now, now=0.0).dials == 4


def test_the_answer_rate_has_a_floor() -> None:
    rare = Recent(attempts=[Attempt(0.0, False, 25.0)] * 50, talks=[100.0] * 20, wraps=[])
    assert Issabel(IssabelSettings()).allowance(moment(idle=2, recent=rare), now=60.0).dials == 10


def test_between_two_looks_it_dials_nothing() -> None:
    pacer = Issabel(IssabelSettings(look_s=3.0))
    assert [pacer.allowance(moment(idle=2), now=at).dials for at in (0.0, 1.0, 2.0, 3.0)] == [2, 0, 0, 2]
