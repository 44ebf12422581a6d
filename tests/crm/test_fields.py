from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.fields import CUSTOMER_FIELDS, WrongValue, parse_moment, plain

SAIGON = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.mark.req("S3-2")
def test_the_default_attributes_are_the_seeds() -> None:
    assert list(CUSTOMER_FIELDS)[:12] == [
        "name", "email", "birthday", "province", "gender", "address", "source", "customer_type", "company", "tax_code",
        "position", "note",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "cell", "expected"),
    [
        ("name", "  Nguye\u0302\u0303n  ", "Nguyễn"),
        ("name", 12.0, "12"),
        ("email", "a.b@example.com.vn", "a.b@example.com.vn"),
        ("email", "", None),
        ("birthday", "28/02/1990", "1990-02-28"),
        ("birthday", "1990-02-28", "1990-02-28"),
        ("birthday", date(1990, 2, 28), "1990-02-28"),
        ("birthday", datetime(1990, 2, 28, 7), "1990-02-28"),  # noqa: DTZ001 - as a sheet has it
        ("gender", "NỮ", "female"),
        ("gender", "Nam", "male"),
        ("code", "kh-00123", "KH-00123"),
        ("code", 123.0, "123"),
    ],
)
@pytest.mark.req("S0-8")
def test_values_are_taken_as_people_write_them(field: str, cell: Any, expected: str | None) -> None:
    assert CUSTOMER_FIELDS[field](cell) == expected


@pytest.mark.parametrize(
    ("field", "cell"),
    [
        ("email", "không có"),
        ("email", "a@b"),
        ("email", "a@example.com, b@example.com"),
        ("birthday", "31/02/1990"),
        ("birthday", "02/28/1990"),
        ("birthday", 32964.0),
        ("birthday", "28/02/90"),
        ("gender", "x"),
        ("code", "KH 1"),
        ("code", "K" * 65),
        ("name", "x" * 256),
        ("note", "a\0b"),
    ],
)
def test_wrong_values_say_why_in_both_languages(field: str, cell: Any) -> None:
    with pytest.raises(WrongValue) as caught:
        CUSTOMER_FIELDS[field](cell)
    assert caught.value.vi
    assert caught.value.en


def test_times_are_local_unless_they_say_otherwise() -> None:
    expected = datetime(2026, 2, 28, 2, 30, tzinfo=UTC).timestamp()
    assert parse_moment("28/02/2026 09:30", SAIGON) == expected
    assert parse_moment("2026-02-28 09:30", SAIGON) == expected
    assert parse_moment("2026-02-28T02:30:00+00:00", SAIGON) == expected
    assert parse_moment(datetime(2026, 2, 28, 9, 30), SAIGON) == expected  # noqa: DTZ001 - as a sheet has it
    assert parse_moment("", SAIGON) is None
    with pytest.raises(WrongValue):
        parse_moment("sáng mai", SAIGON)


@given(st.sampled_from(sorted(CUSTOMER_FIELDS)), st.one_of(st.text(), st.floats(), st.booleans(), st.dates()))
def test_every_cell_is_either_taken_or_refused(field: str, cell: Any) -> None:
    try:
        value = CUSTOMER_FIELDS[field](cell)
    except WrongValue:
        return
    assert value is None or (value and CUSTOMER_FIELDS[field](value) == value)


@given(st.integers(-(10**15), 10**15))
def test_whole_numbers_are_shown_without_a_point(number: int) -> None:
    assert plain(float(number)) == str(number)
