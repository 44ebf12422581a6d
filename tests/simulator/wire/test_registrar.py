from __future__ import annotations

import pytest

from simulator.wire.profile import Registrar as Bounds
from simulator.wire.registrar import Registrar
from telephony_adapters.sip.message import Request
from telephony_adapters.sip.parse import parse_message

USER = "sip:dialer@carrier.invalid"


def register(*headers: str, to: str = f"<{USER}>") -> Request:
    lines = [
        "REGISTER sip:carrier.invalid SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
        f"From: {to};tag=1", f"To: {to}", "Call-ID: r", "CSeq: 1 REGISTER", "Content-Length: 0", *headers,
    ]  # fmt: skip
    message = parse_message(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert isinstance(message, Request)
    return message


def test_a_contact_is_bound_for_as_long_as_it_asks_within_bounds() -> None:
    registrar = Registrar(Bounds(min_s=60, max_s=600))
    for asked, granted in ((300, 300), (7200, 600)):
        reply = registrar.register(register(f"Contact: <sip:a@192.0.2.1>;expires={asked}"), 100.0)
        assert reply.status == 200
        assert reply.headers == (("Contact", f"<sip:a@192.0.2.1>;expires={granted}"),)
    assert registrar.contacts(USER, 699.0) == {"sip:a@192.0.2.1": 700.0}
    assert registrar.contacts(USER, 700.0) == {}


def test_expires_counts_where_the_contact_does_not_say() -> None:
    registrar = Registrar(Bounds())
    reply = registrar.register(register("Contact: <sip:a@x>, <sip:b@x>;expires=90", "Expires: 120"), 0.0)
    assert [value for _, value in reply.headers] == ["<sip:a@x>;expires=120", "<sip:b@x>;expires=90"]
    reply = registrar.register(register("Contact: <sip:c@x>;expires=soon"), 0.0)
    assert reply.headers[-1][1] == "<sip:c@x>;expires=3600"


def test_too_brief_a_time_is_refused_with_the_least() -> None:
    reply = Registrar(Bounds(min_s=60)).register(register("Contact: <sip:a@x>;expires=30"), 0.0)
    assert reply == (423, (("Min-Expires", "60"),))


def test_contacts_are_unbound_one_by_one_or_all_at_once() -> None:
    registrar = Registrar(Bounds())
    registrar.register(register("Contact: <sip:a@x>, <sip:b@x>, <sip:c@x>"), 0.0)
    registrar.register(register("Contact: <sip:a@x>;expires=0"), 1.0)
    assert set(registrar.contacts(USER, 2.0)) == {"sip:b@x", "sip:c@x"}
    assert registrar.register(register("Contact: *", "Expires: 0"), 3.0) == (200, ())
    assert registrar.contacts(USER, 4.0) == {}


def test_without_a_contact_it_only_tells() -> None:
    registrar = Registrar(Bounds())
    registrar.register(register("Contact: <sip:a@x>;expires=100"), 0.0)
    assert registrar.register(register(), 40.0).headers == (("Contact", "<sip:a@x>;expires=60"),)


@pytest.mark.parametrize("headers", [("Contact: *",), ("Contact: *", "Expires: 10")])
def test_a_star_that_does_not_unbind_is_wrong(headers: tuple[str, ...]) -> None:
    assert Registrar(Bounds()).register(register(*headers), 0.0).status == 400


def test_contacts_are_bounded() -> None:
    registrar = Registrar(Bounds())
    for number in range(10):
        assert registrar.register(register(f"Contact: <sip:a{number}@x>"), 0.0).status == 200
    assert registrar.register(register("Contact: <sip:b@x>"), 0.0).status == 503
    assert registrar.register(register("Contact: <sip:a0@x>"), 0.0).status == 200
