"""Snapshots for the tests of pacers."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

from hypothesis import strategies as st

from dialer.core.pacing.base import Snapshot
from dialer.core.pacing.estimates import Estimates
from dialer.core.pacing.estimators import Estimators


def busy_campaign(seed: int = 1, calls: int = 400) -> Estimators:
    """Estimators that have seen calls: 30 % answered, talks exponential with 90 s, wrap-up 15 s."""
    chance, learned = random.Random(seed), Estimators(grace_s=1.0)
    for _ in range(calls):
        answered = chance.random() < 0.3
        learned.call_finished(answered, max(1.0, chance.gauss(10, 4)) if answered else 25.0)
        if answered:
            learned.talk_finished(chance.expovariate(1 / 90))
            learned.wrap_finished(15.0)
    return learned


@cache
def known(p: float = 0.25, calls: int = 1500) -> Estimates:
    """Estimates of a campaign that has dialed for a while."""
    chance, learned = random.Random(11), Estimators()
    for _ in range(calls):
        answered = chance.random() < p
        learned.call_finished(answered, max(1.0, chance.gauss(10, 4)) if answered else 25.0)
        learned.talk_finished(chance.lognormvariate(4.4, 0.7))
        learned.wrap_finished(15.0)
    return learned.estimates()


def moment(
    idle: int = 0,
    *,
    talking: tuple[float, ...] = (),
    wrapping: tuple[float, ...] = (),
    ringing: tuple[float, ...] = (),
    waiting: int = 0,
    theta: float = 0.03,
    ratio: float = 1.0,
    max_ratio: float = 6.0,
    room: int = 0,
    estimates: Estimates | None = None,
    chances: tuple[float, ...] = (),
    upcoming: tuple[float, ...] = (),
    leaving: int = 0,
) -> Snapshot:
    return Snapshot(
        idle=idle,
        talking=talking,
        wrapping=wrapping,
        ringing=ringing,
        waiting=waiting,
        estimates=estimates or known(),
        theta=theta,
        ratio=ratio,
        max_ratio=max_ratio,
        room=room,
        chances=chances,
        upcoming=upcoming,
        leaving=leaving,
    )


ages = st.lists(st.floats(0.0, 400.0), max_size=60).map(tuple)


@st.composite
def _calls(draw: st.DrawFn) -> tuple[tuple[float, ...], tuple[float, ...]]:
    ringing = draw(ages)
    own = draw(st.booleans())
    return ringing, tuple(draw(st.floats(0.0, 1.0)) for _ in ringing) if own else ()


def _moment(calls: tuple[tuple[float, ...], tuple[float, ...]], **rest: Any) -> Snapshot:
    return moment(ringing=calls[0], chances=calls[1], **rest)


moments = st.builds(
    _moment,
    calls=_calls(),
    upcoming=st.lists(st.floats(0.0, 1.0), max_size=20).map(tuple),
    leaving=st.integers(0, 3),
    idle=st.integers(0, 40),
    talking=ages,
    wrapping=ages,
    waiting=st.integers(0, 10),
    theta=st.floats(0.0, 0.5),
    ratio=st.floats(0.0, 10.0),
    max_ratio=st.floats(0.0, 20.0),
)
