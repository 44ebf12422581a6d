"""Header names: any case and the compact form mean the canonical name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony_adapters.sip.names import KNOWN, LISTS, ONCE, canonical, is_token


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("v", "Via"), ("V", "Via"), ("via", "Via"), ("VIA", "Via"), ("i", "Call-ID"), ("call-id", "Call-ID"),
        ("CALL-ID", "Call-ID"), ("cseq", "CSeq"), ("x", "Session-Expires"), ("k", "Supported"), ("l", "Content-Length"),
        ("rseq", "RSeq"), ("rack", "RAck"), ("min-se", "Min-SE"), ("www-authenticate", "WWW-Authenticate"),
        ("X-Unknown", "X-Unknown"), ("x-unknown", "x-unknown"), ("mime-version", "MIME-Version"),
    ],
)  # fmt: skip
def test_a_name_is_known_by_every_spelling(written: str, name: str) -> None:
    assert canonical(written) == name


@given(st.sampled_from(sorted(KNOWN)), st.randoms(use_true_random=False))
def test_case_does_not_matter(name: str, random: object) -> None:
    mixed = "".join(char.upper() if random.random() < 0.5 else char.lower() for char in name)  # type: ignore[attr-defined]
    assert canonical(mixed) == canonical(name)


def test_no_header_is_both_a_list_and_single() -> None:
    assert LISTS.isdisjoint(ONCE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("INVITE", True),
        ("a-.!%*_+`'~1", True),
        ("", False),
        ("a b", False),
        ("é", False),
        ("Q.850", True),
        ("a;b", False),
        ("a\n", False),
    ],
)
def test_a_token_has_only_the_characters_of_section_25_1(text: str, expected: bool) -> None:
    assert is_token(text) is expected
