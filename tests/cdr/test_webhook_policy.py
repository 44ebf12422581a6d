"""The decisions about deliveries, and a whole life of endpoints played with them: crashes, failures, no loss."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from cdr.webhook_policy import ERROR_LENGTH, Dispatcher, Failure, Health, Known, Policy, back_off_s, failed

POLICY = Policy()
CHANCE = st.floats(0, 1, exclude_max=True)
NO = Failure("the receiver answered 500")


@given(st.integers(0, 10_000), CHANCE)
def test_a_wait_is_jittered_from_nothing_to_a_bound_that_grows_and_is_capped(failures: int, chance: float) -> None:
    waited = back_off_s(failures, chance=chance, policy=POLICY)
    bound = min(POLICY.cap_s, POLICY.base_s * 2.0 ** min(failures, 60))
    assert 0 <= waited <= bound
    assert back_off_s(failures, chance=0.5, policy=POLICY) == bound / 2
    assert back_off_s(failures + 1, chance=chance, policy=POLICY) >= waited


@given(st.lists(st.tuples(st.floats(0, 50_000), CHANCE), max_size=80), st.integers(1, 30), st.floats(0, 100_000))
def test_an_endpoint_is_disabled_at_its_bound_and_not_before(
    tries: list[tuple[float, float]], give_up_failures: int, give_up_s: float
) -> None:
    policy = Policy(give_up_failures=give_up_failures, give_up_s=give_up_s)
    health, now, first = Health(), 1e9, None
    for number, (later, chance) in enumerate(tries, 1):
        now += later
        first = now if first is None else first
        health = failed(health, NO, now=now, chance=chance, policy=policy)
        assert (health.failures, health.failing_since) == (number, first)
        assert health.next_at >= now
        assert (health.disabled_at is not None) == (number >= give_up_failures and now - first >= give_up_s)
        if health.disabled_at is not None:
            assert health.disabled_at == now
            assert f"{number} failures in a row over" in health.disabled_reason
            assert NO.error in health.disabled_reason
            return


@pytest.mark.parametrize(
    ("asked", "waits"), [(None, 1.0), (0.5, 1.0), (30.0, 30.0), (-4.0, 1.0), (1e9, POLICY.retry_after_max_s)]
)
def test_a_receiver_may_ask_for_time_within_reason(asked: float | None, waits: float) -> None:
    health = failed(Health(), Failure("429", retry_after_s=asked), now=100.0, chance=0.5, policy=POLICY)
    assert health.next_at == 100.0 + waits


def test_a_receiver_that_is_gone_is_disabled_at_once() -> None:
    health = failed(Health(), Failure("410 Gone", final=True), now=100.0, chance=0.5, policy=POLICY)
    assert (health.disabled_at, health.disabled_reason) == (100.0, "410 Gone")


def test_what_went_wrong_is_kept_short() -> None:
    assert len(failed(Health(), Failure("x" * 999), now=0, chance=0, policy=POLICY).error) == ERROR_LENGTH


def known(campaign_id: int, *, waiting: bool = True, **health: Any) -> Known:
    return Known(campaign_id, Health(**health), waiting)


def test_the_longest_unserved_goes_first() -> None:
    dispatcher = Dispatcher(Policy(in_flight=2))
    dispatcher.know([known(1), known(2), known(3)])
    assert dispatcher.start(0) == [1, 2]
    dispatcher.end(1)
    assert dispatcher.start(0) == [3]
    dispatcher.end(2)
    dispatcher.end(3)
    assert dispatcher.start(0) == [1, 2]


def test_those_in_trouble_leave_places_for_the_others() -> None:
    dispatcher = Dispatcher(Policy(in_flight=4))
    dispatcher.know([known(number, failures=3) for number in range(1, 9)])
    assert dispatcher.start(0) == [1, 2]
    dispatcher.know([known(number, failures=3) for number in range(1, 9)] + [known(9), known(10)])
    assert dispatcher.start(0) == [9, 10]
    dispatcher.end(9)
    assert dispatcher.start(0) == [9]


def test_the_timer_is_that_of_the_next_who_waits_by_itself() -> None:
    dispatcher = Dispatcher(POLICY)
    assert dispatcher.next_timer(0) is None
    dispatcher.know([
        known(1, failures=1, next_at=50.0), known(2, failures=1, next_at=40.0), known(3, waiting=False, next_at=10.0),
        known(4, failures=9, next_at=20.0, disabled_at=5.0),
    ])  # fmt: skip
    assert dispatcher.next_timer(0) == 40.0
    assert dispatcher.start(39.9) == []
    assert dispatcher.start(40.0) == [2]
    assert dispatcher.next_timer(40.0) == 50.0


IN_FLIGHT = 3
PATIENCE = Policy(base_s=1, cap_s=8, give_up_failures=4, give_up_s=10, in_flight=IN_FLIGHT)


class Deliveries(RuleBasedStateMachine):
    """Queues that outlive the process, a process that forgets: played with the very decisions of the product."""

    endpoints = Bundle("endpoints")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.queues: dict[int, list[int]] = {}
        self.healths: dict[int, Health] = {}
        self.sent: dict[int, list[int]] = defaultdict(list)
        self.accepted: dict[int, list[int]] = defaultdict(list)
        self.last = 0
        self.flying: set[int] = set()
        self.dispatcher = Dispatcher(PATIENCE)

    @rule(target=endpoints, number=st.integers(1, 6))
    def an_endpoint(self, number: int) -> int:
        self.queues.setdefault(number, [])
        self.healths.setdefault(number, Health())
        return number

    @rule(endpoint=endpoints)
    def an_event(self, endpoint: int) -> None:
        self.last += 1
        self.queues[endpoint].append(self.last)
        self.sent[endpoint].append(self.last)

    @rule(seconds=st.floats(0, 12))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def a_turn(self) -> None:
        self.dispatcher.know(Known(key, self.healths[key], bool(queue)) for key, queue in self.queues.items())
        for key in self.dispatcher.start(self.now):
            assert key not in self.flying
            assert self.queues[key]
            assert self.healths[key].disabled_at is None
            assert self.healths[key].next_at <= self.now
            self.flying.add(key)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), accepts=st.booleans(), confirms=st.booleans(), chance=CHANCE)
    def a_try_ends(self, data: st.DataObject, accepts: bool, confirms: bool, chance: float) -> None:
        """Without `confirms` the process dies after the receiver's answer, before the database has heard of it."""
        key = data.draw(st.sampled_from(sorted(self.flying)))
        if accepts:
            self.accepted[key].append(self.queues[key][0])
        if not confirms:
            self.crash()
            return
        if accepts:
            self.queues[key].pop(0)
            self.healths[key] = Health()
        else:
            self.healths[key] = failed(self.healths[key], NO, now=self.now, chance=chance, policy=PATIENCE)
        self.flying.remove(key)
        self.dispatcher.end(key)

    @rule()
    def crash(self) -> None:
        self.flying.clear()
        self.dispatcher = Dispatcher(PATIENCE)

    @rule(endpoint=endpoints)
    def a_person_enables(self, endpoint: int) -> None:
        self.healths[endpoint] = Health()

    @invariant()
    def few_are_in_flight(self) -> None:
        assert len(self.flying) == self.dispatcher.busy <= IN_FLIGHT

    @invariant()
    def nothing_is_lost_and_the_order_is_kept(self) -> None:
        for key, sent in self.sent.items():
            firsts = list(dict.fromkeys(self.accepted[key]))
            assert firsts == sent[: len(firsts)], "first deliveries come in order, without a gap"
            assert set(firsts) | set(self.queues[key]) == set(sent)

    @invariant()
    def who_is_due_waits_only_for_a_place(self) -> None:
        self.a_turn()
        flying = [key for key in self.flying if self.healths[key].failures]
        for key, queue in self.queues.items():
            health = self.healths[key]
            due = queue and health.disabled_at is None and health.next_at <= self.now and key not in self.flying
            if due and len(self.flying) < IN_FLIGHT:
                assert health.failures
                assert len(flying) >= PATIENCE.in_flight_failing

    def teardown(self) -> None:
        """When receivers are well again, everything arrives."""
        for key in self.healths:
            self.healths[key] = Health()
        for _ in range(10 * (self.last + 10)):
            self.a_turn()
            for key in sorted(self.flying):
                self.accepted[key].append(self.queues[key].pop(0))
                self.flying.remove(key)
                self.dispatcher.end(key)
        assert {key: list(dict.fromkeys(got)) for key, got in self.accepted.items() if got} == dict(self.sent)


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_policy_has_room_for_trouble_even_when_it_is_small() -> None:
    assert Policy(in_flight=1).in_flight_failing == 1
    assert msgspec.structs.replace(POLICY, in_flight=16).in_flight_failing == 8
