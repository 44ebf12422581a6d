from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.wire.impair import Impairment, Weather

weathers = st.builds(
    Weather, loss=st.floats(0, 1), duplicate=st.floats(0, 1), reorder=st.floats(0, 1),
    delay_ms=st.floats(0, 100), jitter_ms=st.floats(0, 100),
)  # fmt: skip


@given(weathers, st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_decisions_and_directions_differ_only_by_chance(
    weather: Weather, seed: int
) -> None:
    one = Impairment(weather, seed=seed, direction="in")
    other = Impairment(weather, seed=seed, direction="in")
    decisions = [one.delays() for _ in range(50)]
    assert decisions == [other.delays() for _ in range(50)]
    longest = (weather.delay_ms + weather.jitter_ms + weather.reorder_ms) / 1000.0
    assert all(0.0 <= delay <= longest for delays in decisions for delay in delays)
    assert all(len(delays) <= 2 for delays in decisions)


@pytest.mark.parametrize("weather", [Weather(), Weather(reorder_ms=50.0)])
def test_fair_weather_changes_nothing(weather: Weather) -> None:
    assert weather.is_fair
    assert list(Impairment(weather, seed=1, direction="in").delays()) == [0.0]


def test_shares_come_out_as_they_were_set_and_are_counted() -> None:
    impairment = Impairment(Weather(loss=0.3, duplicate=0.2, reorder=0.1), seed=7, direction="out")
    decisions = [impairment.delays() for _ in range(20_000)]
    assert impairment.lost == decisions.count(()) == pytest.approx(6000, rel=0.05)
    assert impairment.duplicated == sum(len(d) == 2 for d in decisions) == pytest.approx(2800, rel=0.05)
    passed = [d for d in decisions if d]
    assert sum(d[0] > 0 for d in passed) == pytest.approx(1400, rel=0.1)


def test_two_directions_of_one_seed_are_independent() -> None:
    there, back = (Impairment(Weather(loss=0.5), seed=7, direction=way) for way in ("in", "out"))
    assert [there.delays() for _ in range(64)] != [back.delays() for _ in range(64)]


def test_the_weather_may_change_while_it_runs() -> None:
    impairment = Impairment(Weather(), seed=7, direction="in")
    impairment.set(Weather(loss=1.0))
    assert list(impairment.delays()) == []
    impairment.set(Weather(delay_ms=20.0))
    assert list(impairment.delays()) == [0.02]
