"""Toll fraud: what may be called, and how often."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from telephony_adapters.trunks.config import parse
from telephony_adapters.trunks.guard import (
    EXPENSIVE,
    VIETNAM,
    MinuteCeiling,
    Numbers,
    Refusal,
    RefusalReason,
    may_call,
)

DEFAULT = Numbers()
R = RefusalReason


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+84900000001", None),
        ("84900000001", None),
        ("+842471000001", None),
        ("+84700000001", None),
        ("0900000001", R.CHARACTERS),
        ("", R.CHARACTERS),
        ("++84900000001", R.CHARACTERS),
        ("84900000001;phone-context=+1", R.CHARACTERS),
        ("84900000001@evil.example", R.CHARACTERS),
        ("84900000001\r\nTo: x", R.CHARACTERS),
        ("84 900000001", R.CHARACTERS),
        ("84900000001\n", R.CHARACTERS),
        ("٨٤٩٠٠٠٠٠٠٠١", R.CHARACTERS),
        ("84900００0001", R.CHARACTERS),
        ("84113", R.LENGTH),
        ("849000000010000000", R.LENGTH),
        ("+6591234567", R.NOT_LISTED),
        ("+12025550100", R.NOT_LISTED),
        ("+8400000001", R.NOT_LISTED),
        ("+8419001234", R.PREMIUM),
        ("+8418001234", R.SHARED_COST),
        ("+979123456789", R.PREMIUM),
        ("+80812345678", R.SHARED_COST),
        ("+870773111632", R.SATELLITE),
        ("+881612345678", R.SATELLITE),
        ("+882161234567", R.SATELLITE),
        ("+883510012345", R.SATELLITE),
        ("+878101234567", R.SATELLITE),
    ],
)
def test_by_default_only_vietnamese_phones_may_be_called(number: str, reason: RefusalReason | None) -> None:
    found = may_call(number, DEFAULT)
    assert (found and found.reason) == reason


def test_the_plan_is_what_a_library_of_numbering_plans_takes_for_mobile_but_for_what_no_network_has() -> None:
    mobile = {
        f"84{first}"
        for first in range(30, 100)
        if any(
            phonenumbers.number_type(phonenumbers.parse(f"+84{first}{after}000001")) is PhoneNumberType.MOBILE
            for after in range(10)
        )
    }
    assert set(VIETNAM) - {"842"} == mobile - {"8430", "8431", "8451", "8495"}


def test_every_area_of_the_country_may_be_called() -> None:
    for area in (203, 210, 225, 236, 251, 262, 270, 290):
        assert may_call(f"+84{area}3123456", DEFAULT) is None
    assert may_call("+842838123456", DEFAULT) is None


def numbers(toml: str) -> Numbers:
    return parse('[trunk.a]\nserver = "a.vn"\nchannels = 1\ncps = 1\n[numbers]\n' + toml).numbers


def test_what_is_listed_may_be_called_and_the_longest_prefix_decides() -> None:
    rules = numbers('allow = ["84", "6591", "8816"]\nrefuse = { "8490123" = "our own lines", "6591" = "no more" }')
    assert may_call("+84900000001", rules) is None
    assert may_call("+8490123456", rules) == Refusal(R.REFUSED, "8490123", "our own lines")
    assert may_call("+6591234567", rules) == Refusal(R.REFUSED, "6591", "no more"), "a tie is refused"
    assert may_call("+88161234567", rules) is None, "a part of the range is listed itself"
    assert may_call("+8819123456", rules) == Refusal(R.SATELLITE, "881")
    assert may_call("+8419001234", rules) == Refusal(R.PREMIUM, "841900"), "84 lists no premium number"
    assert may_call("+8419001234", numbers('allow = ["841900"]')) is None
    assert may_call("+6591234567", numbers('allow = ["659"]\nrefuse = { "65" = "x" }')) is None
    assert numbers('allow = ["vietnam", "8562"]').allow == (*VIETNAM, "8562")


def test_a_refusal_can_be_said_in_both_languages_without_the_number() -> None:
    for reason in RefusalReason:
        refusal = Refusal(reason, "8490", "x")
        assert refusal.words("vi") != refusal.words("en")
        assert refusal.words("en").endswith("(8490: x)")
    assert Refusal(R.LENGTH).words() == "it is shorter or longer than what may be called"


prefixes = st.text("123456789", min_size=1, max_size=4)


@given(st.text(), st.lists(prefixes, max_size=5), st.dictionaries(prefixes, st.just("why"), max_size=5))
def test_total_and_never_more_than_what_is_listed(number: str, allow: list[str], refuse: dict[str, str]) -> None:
    rules = Numbers(allow=tuple(allow), refuse=refuse, min_digits=3)
    for tried in (number, "+" + "".join(c for c in number if c in "0123456789")):
        if may_call(tried, rules) is None:
            digits = tried.removeprefix("+")
            assert digits.isascii()
            assert digits.isdigit()
            assert any(digits.startswith(prefix) for prefix in allow)


@given(st.lists(prefixes, min_size=1, max_size=5), st.dictionaries(prefixes, st.just("why"), max_size=5), prefixes)
def test_a_refused_prefix_is_beaten_only_by_a_longer_one_that_is_allowed(
    allow: list[str], refuse: dict[str, str], begins: str
) -> None:
    number = begins + "50000000"
    rules = Numbers(allow=tuple(allow), refuse=refuse)
    best = max((len(p) for p in allow if number.startswith(p)), default=-1)
    worst = max((len(p) for p in (*refuse, *EXPENSIVE) if number.startswith(p)), default=-2)
    exact = max((len(p) for p in refuse if number.startswith(p)), default=-2)
    assert (may_call(number, rules) is None) == (best >= 0 and best >= worst and best > exact)


def test_no_more_calls_a_minute_than_the_ceiling() -> None:
    ceiling = MinuteCeiling(2)
    for now in (0.0, 10.0):
        assert ceiling.next_at(now) == now
        ceiling.count(now)
    assert ceiling.next_at(11.0) == 60.0
    ceiling.count(60.0)
    assert ceiling.next_at(61.0) == 70.0
    none = MinuteCeiling(0)
    none.count(5.0)
    assert none.next_at(5.0) == 5.0


@given(st.integers(1, 5), st.lists(st.floats(-5.0, 40.0), max_size=40))
def test_in_no_minute_more_than_the_ceiling_whatever_the_clock_does(most: int, steps: list[float]) -> None:
    ceiling, now, left = MinuteCeiling(most), 0.0, list[float]()
    for step in steps:
        now += step
        at = ceiling.next_at(now)
        if at - now < 30.0:
            ceiling.count(at)
            left.append(max([at, *left[-1:]]))
    assert all(later - sooner >= 60.0 - 1e-9 for sooner, later in zip(left, left[most:], strict=False))
