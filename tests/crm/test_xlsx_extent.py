from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.xlsx_extent import OddSheet, Suspicion, column_number, extent, plain_tags


def letters(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def sheet(cells: list[tuple[int, int]]) -> bytes:
    rows = "".join(f'<row r="{r}"><c r="{letters(c)}{r}"><v>1</v></c></row>' for r, c in cells)
    return f"<worksheet><cols><col min='1'/></cols><sheetData>{rows}</sheetData></worksheet>".encode()


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


places = st.lists(st.tuples(st.integers(1, 1_048_576), st.integers(1, 16_384)), min_size=1, max_size=12)


@given(st.integers(1, 16_384))
def test_columns_are_numbered_as_excel_does(number: int) -> None:
    assert column_number(letters(number).encode()) == number


@given(places, st.integers(7, 90))
def test_the_extent_does_not_depend_on_where_the_stream_is_cut(cells: list[tuple[int, int]], size: int) -> None:
    assert extent(pieces(sheet(cells), size)) == (max(r for r, _ in cells), max(c for _, c in cells))


@given(places, st.integers(7, 90), st.integers(1, 50_000_000))
def test_the_quick_look_never_misses_what_the_slow_one_finds(
    cells: list[tuple[int, int]], size: int, limit: int
) -> None:
    suspicion = Suspicion()
    for tags in plain_tags(pieces(sheet(cells), size)):
        suspicion.look(tags)
    rows, columns = extent([sheet(cells)])
    assert suspicion.exceeds(limit) or rows * columns <= limit


def test_cells_without_a_place_are_counted() -> None:
    data = b"<sheetData><row><c/><c/><c><v>1</v></c></row><row><c><v>1</v></c><c s='1'/></row></sheetData>"
    suspicion = Suspicion()
    for tags in plain_tags([data]):
        suspicion.look(tags)
    assert suspicion.exceeds(10**12)
    assert extent([data]) == (2, 3)


def test_prefixed_tags_are_cells_too() -> None:
    data = b'<x:sheetData><x:row r="7"><x:c r="XFD7"><x:v>1</x:v></x:c></x:row></x:sheetData>'
    assert extent([data]) == (7, 16_384)


@pytest.mark.parametrize("place", [b"<c r = 'A1'>", b"<c r= 'A1'>"])
def test_odd_places_are_refused(place: bytes) -> None:
    suspicion = Suspicion()
    (tags, _) = plain_tags([b"<row r='1'>" + place + b"<v>1</v></c></row>"])
    with pytest.raises(OddSheet):
        suspicion.look(tags)


def test_text_without_end_is_refused_in_constant_memory() -> None:
    with pytest.raises(OddSheet):
        list(plain_tags(b"x" * 100_000 for _ in range(10**9)))
