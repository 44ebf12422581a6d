"""The token bucket."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dialer.core.bucket import MICRO, Bucket


def test_a_burst_and_then_one_at_a_time() -> None:
    bucket = Bucket(rate=2.0, burst=3)
    for left in (2, 1, 0):
        bucket.take(0)
        assert bucket.tokens(0) == left
    assert bucket.token_at() == MICRO // 2
    assert (bucket.tokens(MICRO // 2 - 1), bucket.tokens(MICRO // 2)) == (0, 1)
    assert bucket.tokens(10 * MICRO) == 3


@given(st.floats(0.1, 500.0), st.integers(1, 9), st.lists(st.integers(0, MICRO), min_size=1, max_size=60))
def test_moments_that_are_promised_ahead_keep_the_rate(rate: float, burst: int, waits: list[int]) -> None:
    bucket, now, promised = Bucket(rate, burst), 0, list[int]()
    for wait in waits:
        now += wait
        at = max(now, bucket.token_at())
        bucket.take(at)
        promised.append(at)
    assert promised == sorted(promised)
    for first in range(len(promised)):
        for last in range(first, len(promised)):
            assert last - first + 1 <= rate * (promised[last] - promised[first]) / MICRO + burst + 1e-6
