from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.chance import UNIFORMS, Duration, Shape, quantile, stream, uniforms

GRID = [(i + 0.5) / 4000 for i in range(4000)]


@given(st.text())
def test_the_same_purpose_draws_the_same_numbers_inside_the_open_unit_interval(purpose: str) -> None:
    drawn = uniforms(purpose)
    assert drawn == uniforms(purpose)
    assert len(drawn) == UNIFORMS
    assert all(0.0 < u < 1.0 for u in drawn)


def test_numbers_of_different_purposes_are_uniform_and_unrelated() -> None:
    rows = [uniforms(f"7/{n}") for n in range(4000)]
    for column in zip(*rows, strict=True):
        assert statistics.mean(column) == pytest.approx(0.5, abs=0.02)
    first, second = ([row[i] for row in rows] for i in (0, 1))
    assert abs(statistics.correlation(first, second)) < 0.05
    assert abs(statistics.correlation(first[1:], first[:-1])) < 0.05


def test_streams_of_one_seed_differ_by_purpose_and_repeat() -> None:
    assert stream(7, "agent-01").random() == stream(7, "agent-01").random()
    assert stream(7, "agent-01").random() != stream(7, "agent-02").random()
    assert stream(7, "agent-01").random() != stream(8, "agent-01").random()


@pytest.mark.parametrize("shape", list(Shape))
def test_a_duration_has_the_mean_and_spread_that_it_names(shape: Shape) -> None:
    cv = 0.3
    values = [quantile(Duration(100.0, cv, shape))(u) for u in GRID]
    assert statistics.mean(values) == pytest.approx(100.0, rel=0.01)
    expected = {Shape.CONSTANT: 0.0, Shape.EXPONENTIAL: 1.0}.get(shape, cv)
    assert statistics.pstdev(values) / 100.0 == pytest.approx(expected, abs=0.02)


@given(
    st.sampled_from(list(Shape)),
    st.floats(0.001, 1e4),
    st.floats(0, 3),
    st.floats(1e-9, 1 - 1e-9),
    st.floats(1e-9, 1 - 1e-9),
)
def test_a_quantile_grows_with_the_number_and_stays_within_its_bounds(
    shape: Shape, mean_s: float, cv: float, u: float, v: float
) -> None:
    draw = quantile(Duration(mean_s, cv, shape, min_s=0.5, max_s=5000.0))
    low, high = sorted((u, v))
    assert 0.5 <= draw(low) <= draw(high) * (1 + 1e-9) <= 5000.0 * (1 + 1e-8)
    assert math.isfinite(draw(u))
