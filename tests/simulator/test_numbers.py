from __future__ import annotations

import pytest

from dialer.core.types import HoldReason, NumberCaps
from simulator.numbers import DAY_S, NumberLedger

CAPS = NumberCaps(per_24h=2)


def test_a_number_is_called_at_most_so_often_in_any_24_hours() -> None:
    ledger = NumberLedger()
    for at in (0.0, 100.0):
        assert ledger.obstacle("+84001", CAPS, at) is None
        ledger.begin("+84001", at)
        ledger.end("+84001", at, counts=True)
    assert ledger.obstacle("+84001", CAPS, 200.0) == (HoldReason.NUMBER_CAP, DAY_S)
    assert ledger.obstacle("+84002", CAPS, 200.0) is None
    assert ledger.obstacle("+84001", CAPS, DAY_S) is None


def test_a_number_that_is_being_called_waits() -> None:
    ledger = NumberLedger()
    ledger.begin("+84001", 0.0)
    assert ledger.obstacle("+84001", CAPS, 10.0) == (HoldReason.NUMBER_IN_FLIGHT, 70.0)


@pytest.mark.parametrize(("counts", "reason"), [(True, HoldReason.NUMBER_CAP), (False, None)])
def test_an_attempt_that_rang_nowhere_does_not_weigh(counts: bool, reason: HoldReason | None) -> None:
    ledger = NumberLedger()
    for at in (0.0, 1.0):
        ledger.begin("+84001", at)
        ledger.end("+84001", at, counts=counts)
    obstacle = ledger.obstacle("+84001", CAPS, 2.0)
    assert (None if obstacle is None else obstacle[0]) == reason
