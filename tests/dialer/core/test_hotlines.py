from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.hotlines import STRATEGIES, HotlinePicker
from dialer.core.types import Lead

LINES = ("+84000000001", "+84000000002", "+84000000003")
ONE, TWO, THREE = LINES


def lead(last: str | None = None, status: str | None = None) -> Lead:
    return Lead(lead_id=1, customer_id=1, list_id=1, phone="+84000000099", last_hotline=last, last_status=status)


def picks(picker: HotlinePicker, *leads: Lead, now: float = 0.0) -> list[str | None]:
    return [picker.pick(one, now) for one in leads]


def test_rotate_takes_each_in_turn() -> None:
    assert picks(HotlinePicker(LINES, "rotate"), *[lead()] * 5) == [ONE, TWO, THREE, ONE, TWO]


def test_sticky_keeps_the_number_that_the_customer_has_seen() -> None:
    picker = HotlinePicker(LINES, "sticky")
    assert picks(picker, lead(), lead(THREE), lead(THREE), lead()) == [ONE, THREE, THREE, TWO]


def test_sticky_takes_another_while_the_known_one_is_benched_or_gone() -> None:
    picker = HotlinePicker(LINES, "sticky")
    picker.bench(THREE, until=100.0)
    assert picker.pick(lead(THREE), 99.0) == ONE
    assert picker.pick(lead(THREE), 100.0) == THREE
    assert picker.pick(lead("+84000000077"), 100.0) == TWO


def test_least_used_evens_out_what_a_bench_has_skewed() -> None:
    picker = HotlinePicker(LINES, "least_used")
    picker.bench(ONE, until=10.0)
    assert picks(picker, *[lead()] * 4) == [TWO, THREE, TWO, THREE]
    assert picks(picker, *[lead()] * 3, now=10.0) == [ONE, ONE, TWO]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_after_congestion_another_hotline_is_tried(strategy: str) -> None:
    assert HotlinePicker(LINES, strategy).pick(lead(ONE, "congestion"), 0.0) != ONE


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_after_congestion_the_only_hotline_is_better_than_none(strategy: str) -> None:
    assert HotlinePicker((ONE,), strategy).pick(lead(ONE, "congestion"), 0.0) == ONE


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_without_a_healthy_hotline_there_is_none(strategy: str) -> None:
    assert HotlinePicker((), strategy).pick(lead(), 0.0) is None
    picker = HotlinePicker((ONE,), strategy)
    picker.bench(ONE, until=60.0)
    assert picker.pick(lead(ONE), 59.0) is None
    assert picker.pick(lead(ONE), 60.0) == ONE


def test_a_shorter_bench_does_not_shorten_a_longer_one() -> None:
    picker = HotlinePicker((ONE,), "rotate")
    picker.bench(ONE, until=60.0)
    picker.bench(ONE, until=30.0)
    assert picker.healthy(45.0) == ()


def test_an_unknown_strategy_is_answered_with_the_strategies() -> None:
    with pytest.raises(ValueError, match=r"no 'lucky'; choose one of rotate, sticky, least_used"):
        HotlinePicker(LINES, "lucky")


@given(st.lists(st.tuples(st.sampled_from(LINES), st.floats(0, 50)), max_size=20), st.sampled_from(STRATEGIES))
def test_a_benched_hotline_is_never_shown(benches: list[tuple[str, float]], strategy: str) -> None:
    picker = HotlinePicker(LINES, strategy)
    longest: dict[str, float] = {}
    for now, (hotline, length) in enumerate(benches):
        picker.bench(hotline, now + length)
        longest[hotline] = max(longest.get(hotline, 0.0), now + length)
        picked = picker.pick(lead(hotline), float(now))
        assert picked is None or longest.get(picked, 0.0) <= now
        assert (picked is None) == all(longest.get(line, 0.0) > now for line in LINES)


@given(st.integers(0, 60), st.sampled_from(("rotate", "least_used")))
def test_uses_are_even(count: int, strategy: str) -> None:
    uses = Counter(picks(HotlinePicker(LINES, strategy), *[lead()] * count))
    assert max(uses.values(), default=0) - min((uses[line] for line in LINES), default=0) <= 1
