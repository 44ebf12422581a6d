"""Who calls, by policy; and that nothing can be smuggled in."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony_adapters.sip.identity import ANONYMOUS, Caller, CallerPolicy, caller, number_uri

HOTLINE = "+84900000001"
SHOWN = f'"Support \\"A\\"" <sip:{HOTLINE}@trunk.example>'


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (CallerPolicy.ASSERTED, Caller(SHOWN, (("P-Asserted-Identity", SHOWN),))),
        (CallerPolicy.PREFERRED, Caller(SHOWN, (("P-Preferred-Identity", SHOWN),))),
        (CallerPolicy.FROM_ONLY, Caller(SHOWN)),
        (CallerPolicy.ANONYMOUS, Caller(ANONYMOUS, (("P-Asserted-Identity", SHOWN), ("Privacy", "id")))),
    ],
)
def test_each_policy_says_who_calls_in_its_own_way(policy: CallerPolicy, expected: Caller) -> None:
    assert caller(HOTLINE, "trunk.example", display='Support "A"', policy=policy) == expected


def test_an_anonymous_call_gives_the_number_to_the_carrier_only() -> None:
    anonymous = caller(HOTLINE, "trunk.example", policy=CallerPolicy("anonymous"))
    assert HOTLINE not in anonymous.from_
    assert dict(anonymous.headers)["Privacy"] == "id"


def test_a_number_may_be_marked_as_one() -> None:
    assert caller("0900000001", "[2001:db8::1]", user_phone=True).from_ == "<sip:0900000001@[2001:db8::1];user=phone>"
    assert number_uri("0900000001", "192.0.2.1", 5080) == "sip:0900000001@192.0.2.1:5080"
    assert number_uri("*101", "a-b.c_d.example") == "sip:*101@a-b.c_d.example"


@pytest.mark.parametrize(
    "number",
    [
        "",
        "+",
        "09 00",
        "0900@evil.example",
        "0900;phone-context=x",
        "0900>",
        "0900\r\nVia: x",
        "0900\n",
        "0900%0d",
        "++84",
        "٠٩",
        "9" * 33,
    ],
)
def test_a_number_can_add_nothing(number: str) -> None:
    with pytest.raises(ValueError, match="number to be called or shown") as caught:
        caller(number, "trunk.example")
    assert number in {"", "+"} or number not in str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "", "a b", "a@b", "a;x=y", "a>b", "a\r\n", "-a", "a-", "a..b", ".", "[::1", "::1", "a:5060", "[::1]x",
        "a" * 256, "a-" * 120 + "!", "a." * 120 + "!", "é.example",
    ],
)  # fmt: skip
def test_a_host_can_add_nothing(host: str) -> None:
    with pytest.raises(ValueError, match="is no host"):
        number_uri("0900000001", host)


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_port_is_a_port(port: int) -> None:
    with pytest.raises(ValueError, match="is no port"):
        number_uri("0900000001", "a", port)


def test_a_display_name_can_add_no_header() -> None:
    with pytest.raises(ValueError, match="control character"):
        caller(HOTLINE, "trunk.example", display="A\r\nVia: x")


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=12))
def test_whatever_is_accepted_has_the_form_of_one_name_and_address(number: str, host: str, display: str) -> None:
    try:
        found = caller(number, host, display=display)
    except ValueError:
        return
    assert re.fullmatch(
        r'("(?:[^"\\\r\n]|\\["\\])*" )?<sip:\+?[0-9*]+@[\w.:\[\]-]+>', found.from_, re.ASCII if not display else 0
    )
