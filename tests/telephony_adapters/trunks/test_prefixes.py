from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telephony_adapters.trunks.prefixes import longest


def test_the_longest_wins_and_the_empty_one_fits_every_number() -> None:
    assert longest(["84", "", "8490"], "84900000001") == "8490"
    assert longest(["84", "8490"], "84") == "84"
    assert longest([""], "1") == ""
    assert longest(["84"], "8") is None
    assert longest([], "8") is None


@given(st.lists(st.text("12", max_size=4)), st.text("12", max_size=6))
def test_what_is_found_fits_and_nothing_longer_does(prefixes: list[str], digits: str) -> None:
    fitting = [prefix for prefix in prefixes if digits[: len(prefix)] == prefix]
    found = longest(prefixes, digits)
    assert (found is None) == (not fitting)
    assert found is None or (found in fitting and len(found) == max(map(len, fitting)))
