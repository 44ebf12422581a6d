from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.pacing.curves import Array
from dialer.core.pacing.odds import normal_tail, one_more, poisson_binomial, tail

chances = st.lists(st.floats(0.0, 1.0), max_size=24)


def slowly(values: list[float]) -> list[float]:
    """One coin after the other: the definition."""
    law = [1.0]
    for p in values:
        law = [a * (1 - p) + b * p for a, b in zip([*law, 0.0], [0.0, *law], strict=True)]
    return law


def column(values: list[float]) -> Array:
    return np.array(values, dtype=np.float64).reshape(len(values), 1)


@given(chances, st.floats(0.0, 1.0), st.integers(0, 8))
def test_the_law_is_the_convolution_of_its_coins(values: list[float], more: float, count: int) -> None:
    law = poisson_binomial(column(values), np.array([more]), count)
    assert law[0].tolist() == pytest.approx(slowly([*values, *[more] * count]), abs=1e-12)


@given(chances, st.floats(0.0, 1.0))
def test_one_more_is_one_more(values: list[float], p: float) -> None:
    law = poisson_binomial(column(values), np.array([p]), 0)
    assert one_more(law, np.array([p]))[0].tolist() == pytest.approx(slowly([*values, p]), abs=1e-12)


def test_horizons_are_kept_apart_and_the_tail_is_their_mean() -> None:
    law = poisson_binomial(np.array([[0.0, 1.0], [0.0, 1.0]]), np.array([0.0, 0.0]), 0)
    assert law.tolist() == [pytest.approx([1, 0, 0]), pytest.approx([0, 0, 1])]
    assert tail(law, 2) == pytest.approx(0.5)
    assert tail(law, 3) == 0.0
    assert tail(law, 0) == tail(law, -4) == 1.0


def test_the_normal_law_is_near_for_many_coins() -> None:
    values = np.linspace(0.05, 0.6, 120)
    law = poisson_binomial(values.reshape(-1, 1), np.zeros(1), 0)
    mean, variance = float(values.sum()), float((values * (1 - values)).sum())
    for at_least in range(30, 60):
        assert normal_tail(mean, variance, at_least) == pytest.approx(tail(law, at_least), abs=0.004)


def test_without_variance_the_normal_tail_is_a_step() -> None:
    assert (normal_tail(3.0, 0.0, 3), normal_tail(3.0, 0.0, 4)) == (1.0, 0.0)
