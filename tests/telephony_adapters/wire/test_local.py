"""The address on the way to a peer."""

from __future__ import annotations

import pytest

from dialer.errors import Unreachable
from telephony_adapters.wire.local import address_toward, sent_by


def test_loopback_is_reached_from_loopback() -> None:
    assert address_toward("127.0.0.1") == "127.0.0.1"
    assert address_toward("::1") == "::1"


def test_what_is_bound_to_every_address_bears_the_one_toward_the_peer() -> None:
    assert sent_by(("0.0.0.0", 5070), "127.0.0.1") == ("127.0.0.1", 5070)  # noqa: S104 -- nothing is bound
    assert sent_by(("::", 5070), "::1") == ("::1", 5070)


def test_what_is_bound_to_an_address_bears_it() -> None:
    assert sent_by(("192.0.2.7", 5070), "127.0.0.1") == ("192.0.2.7", 5070)


def test_no_way_is_said() -> None:
    with pytest.raises(Unreachable, match=r"there is no way from here to 255\.255\.255\.255: .*broadcast"):
        address_toward("255.255.255.255")
