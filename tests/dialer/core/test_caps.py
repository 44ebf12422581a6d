"""The cap on calls to one number."""

from __future__ import annotations

import msgspec
import pytest

from dialer.core.caps import caps_in_force
from dialer.core.types import NumberCaps, Purpose
from tests.dialer.core.bench_engine import SETTINGS


@pytest.mark.parametrize(
    ("purpose", "agreed", "asked", "allowed"),
    [
        (Purpose.ADVERTISING, False, 3, 1),
        (Purpose.ADVERTISING, False, 1, 1),
        (Purpose.ADVERTISING, False, 0, 0),
        (Purpose.ADVERTISING, True, 3, 3),
        (Purpose.CARE, False, 3, 3),
        (Purpose.COLLECTION, False, 2, 2),
    ],
)
def test_advertising_gets_one_call_a_day_unless_people_agreed(
    purpose: Purpose, agreed: bool, asked: int, allowed: int
) -> None:
    settings = msgspec.structs.replace(
        SETTINGS, purpose=purpose, agreed_otherwise=agreed, caps=NumberCaps(per_24h=asked, strict=True)
    )
    assert caps_in_force(settings) == NumberCaps(per_24h=allowed, strict=True)
