"""What disqualifies a request before anybody looks at what it wants (RFC 3261 section 8.2)."""

from __future__ import annotations

from typing import Any

import pytest

from telephony_adapters.sip.message import Request
from telephony_adapters.sip.parse import parse_message
from telephony_adapters.sip.screen import screened
from tests.telephony_adapters.sip.pair import SDP, Caller, Solo

SUPPORTS = frozenset({"100rel", "timer"})


def request(method: str = "INVITE", **more: Any) -> Request:
    message = parse_message(Caller(Solo()).write(method, **more))
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("INVITE", {}),
        ("INVITE", {"body": SDP}),
        ("INVITE", {"uri": "sips:dialer@192.0.2.1"}),
        ("INVITE", {"headers": [("Require", "TIMER, 100rel")]}),
        ("INVITE", {"headers": [("Accept", "text/plain, application/sdp;level=1")]}),
        ("INVITE", {"headers": [("Accept", "*/*")]}),
        ("INVITE", {"body": b"x", "headers": [("Content-Type", "multipart/mixed;boundary=b")]}),
        (
            "INVITE",
            {"body": b"x", "headers": [("Content-Type", "x/y"), ("Content-Disposition", "a; handling=optional")]},
        ),
        ("OPTIONS", {"body": b"x", "headers": [("Content-Type", "x/y")]}),
        ("CANCEL", {"headers": [("Require", "nonsense")]}),
        ("ACK", {"headers": [("Require", "nonsense")]}),
        ("BYE", {"headers": [("Proxy-Require", "nonsense")]}),
    ],
)
def test_what_can_be_understood_passes(method: str, more: dict[str, Any]) -> None:
    assert screened(request(method, **more), SUPPORTS, method) is None


@pytest.mark.parametrize(
    ("method", "more", "expected"),
    [
        ("INVITE", {"uri": "tel:+84900000001"}, (416, [])),
        ("BYE", {"headers": [("Require", "a, timer, b")]}, (420, [("Unsupported", "a, b")])),
        ("UPDATE", {"body": b"x", "headers": [("Content-Type", "x/y")]}, (415, [("Accept", "application/sdp")])),
        ("INVITE", {"body": SDP, "headers": [("Content-Encoding", "gzip")]}, (415, [("Accept-Encoding", "identity")])),
        ("INVITE", {"headers": [("Accept", "text/plain")]}, (406, [])),
    ],
)
def test_what_cannot_be_understood_is_refused_with_what_would_be(
    method: str, more: dict[str, Any], expected: tuple[int, list[tuple[str, str]]]
) -> None:
    assert screened(request(method, **more), SUPPORTS, method) == expected
