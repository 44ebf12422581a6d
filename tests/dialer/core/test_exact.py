from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.exact import clopper_pearson


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.3085),
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (10, 10, 0.6915, 1.0),
        (3, 100, 0.0062, 0.0852),
    ],
)  # printed tables of the 95 % interval
def test_the_printed_tables(k: int, n: int, low: float, high: float) -> None:
    assert clopper_pearson(k, n) == pytest.approx((low, high), abs=6e-5)


def test_none_of_none_says_nothing() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_at_the_upper_bound_so_few_come_with_the_chance_asked_for(counts: tuple[int, int]) -> None:
    k, n = counts
    low, high = clopper_pearson(k, n)
    assert low <= k / n <= high
    assert sum(math.comb(n, i) * high**i * (1 - high) ** (n - i) for i in range(k + 1)) == pytest.approx(
        0.025, rel=1e-6
    )
    assert clopper_pearson(n - k, n) == pytest.approx((1 - high, 1 - low))


def test_a_million_calls_are_no_trouble() -> None:
    low, high = clopper_pearson(28_500, 1_000_000)
    assert 0.0281 < low < 0.0285 < high < 0.0289


@pytest.mark.parametrize(("k", "n", "confidence"), [(2, 1, 0.95), (-1, 1, 0.95), (0, 1, 1.0), (0, 1, 0.0)])
def test_what_cannot_be_is_refused(k: int, n: int, confidence: float) -> None:
    with pytest.raises(ValueError, match=r"cannot be|confidence"):
        clopper_pearson(k, n, confidence=confidence)
