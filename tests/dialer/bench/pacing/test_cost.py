"""The cost of a decision is measured on a moment that is as busy as it says, beside a right convolution."""

from __future__ import annotations

import numpy as np
import pytest

from dialer.bench.pacing.cost import AGENTS, CALLS, bench_cost, busy_moment, convolution
from dialer.core.pacing.estimators import Estimators
from dialer.core.pacing.registry import pacer_named


def test_the_moment() -> None:
    moment = busy_moment(Estimators().estimates(), own_chances=True)
    assert (moment.agents, len(moment.ringing), len(moment.chances)) == (AGENTS, CALLS, CALLS)
    assert pacer_named("predictive").allowance(moment, now=0.0).dials >= 0


def test_the_convolution_is_the_law_of_a_sum() -> None:
    one, other = np.array([0.5, 0.5]), np.array([0.25, 0.5, 0.25])
    found = convolution(one, other)
    assert found[:4] == pytest.approx([0.125, 0.375, 0.375, 0.125])
    assert found.sum() == pytest.approx(1.0)


def test_it_prints_ratios_with_their_goals() -> None:
    said: list[str] = []
    result = bench_cost(said.append)
    assert said
    assert [figure.goal for figure in result.figures][:2] == [10.0, 10.0]
