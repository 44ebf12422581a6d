"""Lists, parameters and quoted strings of SIP headers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony_adapters.sip.lexical import has_control, parameters, quote, split, unquote, whole_number

PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)


@given(st.lists(PLAIN, min_size=1, max_size=6), st.sampled_from(",;"))
def test_quoted_strings_come_back_out_of_any_list(texts: list[str], separator: str) -> None:
    parts = split(f" {separator}\t".join(map(quote, texts)), separator)
    assert [unquote(part) for part in parts] == texts


def by_characters(text: str, separator: str) -> list[str]:
    """Split as RFC 3261 section 25.1 says it, one character at a time."""
    parts, is_quoted, is_escaped = [""], False, False
    for character in text:
        if character == separator and not is_quoted:
            parts.append("")
            continue
        parts[-1] += character
        if character == '"' and not is_escaped:
            is_quoted = not is_quoted
        is_escaped = is_quoted and character == "\\" and not is_escaped
    return [part.strip() for part in parts if part.strip()]


@given(st.text('\\",;ab ', max_size=40), st.sampled_from(",;"))
def test_splitting_is_what_reading_one_character_at_a_time_gives(text: str, separator: str) -> None:
    assert split(text, separator) == by_characters(text, separator)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        (" , ,", []),
        ("a, b ,c", ["a", "b", "c"]),
        ('a="x,y", b', ['a="x,y"', "b"]),
        (r'a="x\",y", b', [r'a="x\",y"', "b"]),
        ('a="never, closed', ['a="never, closed']),
        ('a="ends in \\', ['a="ends in \\']),
    ],
)
def test_separators_in_quotes_do_not_separate(text: str, parts: list[str]) -> None:
    assert split(text, ",") == parts


def test_parameters_are_by_small_name_and_the_first_counts() -> None:
    assert parameters(["Cause = 16", 'text="a;\\"b"', "lr", "cause=17"]) == {"cause": "16", "text": 'a;"b', "lr": ""}


@pytest.mark.parametrize("text", ["a\r\nVia: x", "a\nb", "a\x00", "\x7f"])
def test_nothing_that_ends_a_header_can_be_quoted(text: str) -> None:
    assert has_control(text)
    with pytest.raises(ValueError, match="control character"):
        quote(text)


def test_numbers() -> None:
    assert [whole_number(text) for text in ("0", "0042", "4294967296")] == [0, 42, 4294967296]
    assert [whole_number(text) for text in ("", "-1", "+1", "1.0", "1" * 11, "٣", "²", " 1")] == [None] * 8


@pytest.mark.parametrize(
    "text", ['"' * 200_000, '"\\' * 100_000, ",;" * 100_000, 'a="' + "\\" * 200_000, '"a",' * 50_000]
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    """Quadratic time would be minutes here, and the test's time limit is two."""
    parameters(split(text, ","))
    parameters(split(text, ";"))
    unquote(text)
