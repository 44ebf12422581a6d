"""The hopper."""

from __future__ import annotations

from dialer.core.hopper import Hopper
from tests.dialer.core.bench_engine import lead


def test_leads_leave_in_the_stores_order_and_a_repeated_lease_doubles_nobody() -> None:
    hopper = Hopper()
    hopper.fill([lead(3), lead(1)], None)
    hopper.fill([lead(1), lead(2)], 50.0)
    assert [hopper.take().lead_id for _ in range(len(hopper))] == [3, 1, 2]
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
