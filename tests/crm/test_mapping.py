from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.mapping import FIELDS, check_mapping, column_letters, parse_mapping
from crm.xlsx_extent import column_number
from dialer.errors import BadInput


@pytest.mark.req("S3-2", "S3-18")
def test_the_seeds_example() -> None:
    assert parse_mapping("name=1,phone=3, email = 5") == {"name": 1, "phone": 3, "email": 5}
    check_mapping({"name": 1, "phone": 3, "email": 5}, width=5, where="file")
    assert {"name", "phone", "email", "birthday", "province", "gender", "address", "source", "customer_type", "company",
            "tax_code", "position", "note", "code", "call_at", "comment"} == set(FIELDS)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [("name", "'name' is not FIELD=COLUMN"), ("name=B", "'name=B' is not"), ("name=1,name=2", "given twice")],
)
def test_a_mapping_that_cannot_be_read(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse_mapping(text)


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"phon": 1}, "no field 'phon'; the fields are: name, phone"),
        ({"phone": 0}, "counted from 1"),
        ({"phone": 4}, "file.xlsx: phone is to be column 4, but the file has only 3 columns"),
        ({"phone": 1, "name": 1}, "column 1 is given to"),
        ({"name": 1}, "which column holds the phone number"),
        ({}, "which column holds the phone number"),
    ],
)
def test_a_mapping_that_cannot_be_meant(mapping: dict[str, int], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        check_mapping(mapping, width=3, where="file.xlsx")


@given(st.integers(1, 16_384))
def test_columns_have_the_names_that_excel_gives_them(column: int) -> None:
    assert column_number(column_letters(column).encode()) == column
