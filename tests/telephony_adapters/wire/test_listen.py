"""Places to listen, as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import BadInput
from telephony_adapters.wire.listen import TRANSPORTS, Listen, default_port


@pytest.mark.parametrize(("text", "place"), [
    ("udp:127.0.0.1:5070", Listen("udp", "127.0.0.1", 5070)),
    ("udp:0.0.0.0", Listen("udp", "0.0.0.0", 5060)),  # noqa: S104 -- nothing is bound
    ("tls:[::1]", Listen("tls", "::1", 5061)),
    (" tcp:[2001:db8::1]:5080 ", Listen("tcp", "2001:db8::1", 5080)),
    ("tcp:localhost:0", Listen("tcp", "localhost", 0)),
])  # fmt: skip
def test_places_are_read(text: str, place: Listen) -> None:
    assert Listen.parse(text) == place


@pytest.mark.parametrize("text", ["", "5060", "127.0.0.1:5060", "sctp:127.0.0.1:5060", "udp:", "udp::5060", "udp:a:b"])
def test_what_is_no_place_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(BadInput, match=r"is no place to listen: write udp:127\.0\.0\.1:5060"):
        Listen.parse(text)


def test_a_port_has_its_bounds() -> None:
    with pytest.raises(BadInput, match="there is no port 65536: the last one is 65535"):
        Listen.parse("udp:127.0.0.1:65536")


@given(st.sampled_from(TRANSPORTS), st.ip_addresses().map(str), st.integers(0, 65_535))
def test_what_is_written_is_read(transport: str, host: str, port: int) -> None:
    place = Listen(transport, host, port)
    assert Listen.parse(str(place)) == place


def test_tls_has_a_port_of_its_own() -> None:
    assert [default_port(transport) for transport in TRANSPORTS] == [5060, 5060, 5061]
