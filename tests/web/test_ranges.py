from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.ranges import Span, Unsatisfiable, span_of


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-", Span(0, 99)),
        ("bytes=0-0", Span(0, 0)),
        ("bytes=10-19", Span(10, 19)),
        ("bytes=90-1000", Span(90, 99)),
        ("bytes=-10", Span(90, 99)),
        ("bytes=-1000", Span(0, 99)),
        (None, None),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=0-1,5-6", None),
        ("seconds=0-1", None),
        ("bytes=a-b", None),
        ("bytes=" + "9" * 30 + "-", None),
    ],
)
def test_one_range_is_understood_and_everything_else_means_the_whole_file(
    header: str | None, span: Span | None
) -> None:
    assert span_of(header, 100) == span


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_without_a_byte_is_told(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        span_of(header, 100)


@given(st.integers(0, 300), st.integers(0, 300) | st.none(), st.integers(0, 200))
def test_no_range_reaches_outside_the_file(first: int, last: int | None, size: int) -> None:
    try:
        span = span_of(f"bytes={first}-{'' if last is None else last}", size)
    except Unsatisfiable:
        assert first >= size
        return
    if span is not None:
        assert 0 <= span.first <= span.last < size
        assert span.first == first
