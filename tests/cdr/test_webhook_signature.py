"""Signatures, checked by the very code that docs/webhook.md gives to receivers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.webhook_signature import endpoint_secret, fingerprint, signature
from tests.cdr.test_webhook_payload import DOC

AT = 1_790_000_000
SECRET = endpoint_secret("installation-key", 3, 1)


def documented() -> Callable[..., bool]:
    """Return `is_genuine` as a reader would copy it from the page."""
    (snippet,) = re.findall(r"```python\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
    copied: dict[str, Any] = {}
    exec(compile(snippet, str(DOC), "exec"), copied)  # noqa: S102 -- the page's code is what is tested
    found: Callable[..., bool] = copied["is_genuine"]
    return found


is_genuine = documented()


@given(st.binary(max_size=200), st.integers(0, 4_000_000_000))
def test_the_documented_check_takes_what_was_signed(body: bytes, at: int) -> None:
    assert is_genuine(SECRET, signature([SECRET], body, at=at), body, at + 299.0)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_the_documented_check_refuses_another_body(body: bytes, other: bytes) -> None:
    assert is_genuine(SECRET, signature([SECRET], body, at=AT), other, AT) == (body == other)


@pytest.mark.parametrize(
    ("header", "now"),
    [
        (signature([SECRET], b"{}", at=AT), AT + 301),
        (signature([SECRET], b"{}", at=AT), AT - 301),
        (signature(["another"], b"{}", at=AT), AT),
        (signature([SECRET], b"{}", at=AT).replace(f"t={AT}", f"t={AT + 1}"), AT),
        (signature([SECRET], b"{}", at=AT) + f",t={AT + 1}", AT),
        (f"t={AT}", AT),
        (f"t={AT},v1=", AT),
        ("v1=0", AT),
        ("t=soon,v1=0", AT),
        ("", AT),
    ],
)
def test_the_documented_check_refuses_what_is_old_or_forged(header: str, now: float) -> None:
    assert not is_genuine(SECRET, header, b"{}", now)


def test_during_a_rotation_both_secrets_check() -> None:
    new = endpoint_secret("installation-key", 3, 2)
    header = signature([new, SECRET], b"{}", at=AT)
    assert [is_genuine(secret, header, b"{}", AT) for secret in (new, SECRET, "other")] == [True, True, False]


def test_secrets_differ_by_installation_campaign_and_generation() -> None:
    secrets = {
        endpoint_secret(key, campaign_id, generation)
        for key in ("a", "b") for campaign_id in (1, 2, 11) for generation in (1, 2, 11)
    }  # fmt: skip
    assert len(secrets) == 18
    assert all(re.fullmatch(r"whsec_[\w-]{43}", secret) for secret in secrets)
    assert len({fingerprint(secret) for secret in secrets}) == 18
    assert endpoint_secret("a", 1, 1) in secrets


def test_a_known_signature_stays_the_same() -> None:
    """By OpenSSL: printf %s 1700000000.{"a":1} | openssl dgst -sha256 -hmac whsec_test."""
    assert signature(["whsec_test"], b'{"a":1}', at=1_700_000_000) == (
        "t=1700000000,v1=38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789"
    )
