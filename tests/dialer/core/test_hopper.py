"""The hopper."""

from __future__ import annotations

import msgspec

from dialer.core.hopper import Hopper
from dialer.core.types import Lead
from statuses.lead import LeadState
from tests.dialer.core.bench_engine import lead


def test_leads_leave_in_the_stores_order_and_a_repeated_lease_doubles_nobody() -> None:
    hopper = Hopper()
    hopper.fill([lead(3), lead(1)], None)
    hopper.fill([lead(1), lead(2)], 50.0)
    assert [one.lead_id for one in hopper.in_turn()] == [3, 1, 2]
    assert hopper.next_due_at == 50.0


def test_a_lease_that_brings_nothing_makes_it_dry() -> None:
    hopper = Hopper()
    hopper.fill([lead(1)], None)
    assert not hopper.dry
    hopper.fill([], 9.0)
    assert hopper.dry


def test_withdrawn_leads_are_gone_and_strangers_do_not_matter() -> None:
    hopper = Hopper()
    hopper.fill([lead(1), lead(2)], None)
    assert hopper.withdraw((2, 99)) == [2]
    assert hopper.ids() == (1,)
    assert hopper.empty() == (1,)
    assert len(hopper) == 0


def test_leads_are_weighed_once_an_hour_and_the_best_leaves_first() -> None:
    hopper, asked = Hopper(), list[int]()

    def lift(one: Lead) -> float:
        asked.append(one.lead_id)
        return float(one.lead_id)

    hopper.fill([lead(2), lead(3), lead(1)], None)
    hopper.weigh(9, lift)
    hopper.weigh(9, lift)
    assert asked == [2, 3, 1]
    assert hopper.lifts(2) == [2.0, 3.0]
    assert [one.lead_id for one in hopper.in_turn(best_first=True)] == [3, 2, 1]
    hopper.withdraw((3, 2))
    hopper.fill([lead(5)], None)
    hopper.weigh(10, lift)
    assert asked == [2, 3, 1, 1, 5]


def test_the_best_lead_goes_first_but_who_asked_to_be_called_goes_before() -> None:
    hopper = Hopper()
    asked = msgspec.structs.replace(lead(4), from_state=LeadState.CALLBACK)
    hopper.fill([lead(1), lead(2), lead(3), asked], None)
    weights = {1: 0.8, 2: 1.5, 3: 1.5, 4: 0.1}
    hopper.weigh(9, lambda one: weights[one.lead_id])
    assert [one.lead_id for one in hopper.in_turn(best_first=True)] == [4, 2, 3, 1]
    assert len(hopper) == 4, "nobody leaves by being looked at"
