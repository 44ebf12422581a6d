"""Passwords of addresses are never shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.redact import hide_secrets

WORDS = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=8)


@given(WORDS, st.sampled_from(("postgresql", "http", "https", "postgresql+asyncpg", "mqtt")))
def test_no_password_of_an_address_passes(password: str, scheme: str) -> None:
    said = hide_secrets(f"cannot reach {scheme}://dialer:{password}@db.example/calls: refused")
    assert said == f"cannot reach {scheme}://dialer:***@db.example/calls: refused"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://db/x?user=u&password=hunter22&x=1", "postgresql://db/x?user=u&password=***&x=1"),
        ("https://ch:8443/?access_token=abc", "https://ch:8443/?access_token=***"),
        ("http://:only@h/", "http://:***@h/"),
        ("postgresql//u:pw@h/d is no URL", "postgresql//u:***@h/d is no URL"),
        ("mqtt:/u:pw@h", "mqtt:/u:***@h"),
        ("http://127.0.0.1:8080 serves it", "http://127.0.0.1:8080 serves it"),
        ("postgresql://user@host/name", "postgresql://user@host/name"),
        ("write to a@b.example", "write to a@b.example"),
    ],
)
def test_only_secrets_are_hidden(text: str, shown: str) -> None:
    assert hide_secrets(text) == shown
