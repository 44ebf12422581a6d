"""The numbers of calls that arrive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.callers import caller_of, number_of


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("+84900000001", "+84900000001"),
        ("0900000001", "+84900000001"),
        ("84900000001", "+84900000001"),
        ("0084900000001", "+84900000001"),
        ("090 000-00.01", "+84900000001"),
        ("(028) 7300 0001", "+842873000001"),
        ("+6580000001", "+6580000001"),
    ],
)
def test_a_number_in_any_form_is_the_same_number(said: str, number: str) -> None:
    assert number_of(said) == caller_of(said) == number


@pytest.mark.parametrize("said", ["", "anonymous", "restricted", "1001", "19000001", "+123"])
def test_who_cannot_be_called_back_has_no_number(said: str) -> None:
    assert caller_of(said) == ""


def test_a_service_number_is_still_a_hotline() -> None:
    assert number_of("1900 0001") == "19000001"


@given(st.text(max_size=20))
def test_reading_a_number_twice_changes_nothing(said: str) -> None:
    assert number_of(number_of(said)) == number_of(said)
