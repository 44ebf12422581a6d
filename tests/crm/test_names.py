from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.names import fold, near


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("  Đỗ   Thị Ước ", "do thi uoc"),
        ("NGUYỄN VĂN A", "nguyen van a"),
        ("Thuỷ", "thuy"),
        ("O'Neil-Ñandú", "o'neil-nandu"),
        ("", ""),
    ],
)
def test_accents_and_case_do_not_matter(name: str, folded: str) -> None:
    assert fold(name) == folded
    assert fold(unicodedata.normalize("NFD", name)) == folded


@given(st.text(max_size=400))
def test_folding_again_changes_nothing_and_fits_the_column(name: str) -> None:
    once = fold(name)
    assert len(once) <= 255
    assert fold(once).strip() == once.strip()


def test_a_mistyped_name_gets_the_nearest_ones() -> None:
    assert near("cham soc", ["Chăm sóc", "Thu nợ"]) == "Did you mean 'Chăm sóc'?"
    assert near("xyz", ["Chăm sóc"]) == "There is: 'Chăm sóc'."
    assert near("xyz", []) == "There is none yet."
