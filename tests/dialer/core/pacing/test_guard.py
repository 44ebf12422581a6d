from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core.pacing.base import Allowance
from dialer.core.pacing.guard import LegalBudget, guarded
from dialer.core.types import HoldReason, LegalProfile
from tests.dialer.core.pacing.snapshots import moment

DAY_S = 86_400.0
NOW = 20_000 * DAY_S + 1


def budget(answers: int = 0, abandons: int = 0, **profile: float) -> LegalBudget:
    return LegalBudget(msgspec.structs.replace(LegalProfile(), **profile), answers, abandons)


@pytest.mark.parametrize(
    ("answers", "abandons", "expected"),
    [(0, 0, 2), (33, 0, 2), (34, 0, 3), (1000, 0, 32), (1000, 29, 3), (1000, 30, 2), (1000, 60, 2)],
)
def test_over_dialing_goes_as_far_as_the_worst_case_allows(answers: int, abandons: int, expected: int) -> None:
    counted = budget(answers, abandons)
    assert counted.allow(idle=5, ringing=2, waiting=1, wanted=100, now=NOW) == (expected, True)


def test_calls_already_out_use_the_budget_up() -> None:
    assert budget(1000).allow(idle=0, ringing=25, waiting=3, wanted=10, now=NOW) == (2, True)
    assert budget(1000).allow(idle=0, ringing=60, waiting=3, wanted=10, now=NOW) == (0, True)


def test_what_is_within_the_budget_passes_untouched() -> None:
    assert budget(1000).allow(idle=1, ringing=0, waiting=0, wanted=9, now=NOW) == (9, False)
    assert budget(0).allow(idle=9, ringing=0, waiting=0, wanted=9, now=NOW) == (9, False)


def test_counts_are_exact_and_leave_with_their_day() -> None:
    counted = budget(100, 2)
    for day in range(3):
        counted.answered(NOW + day * DAY_S)
    counted.abandoned(NOW + 2 * DAY_S)
    assert counted.counts(NOW + 2 * DAY_S) == (103, 3)
    assert counted.counts(NOW + 30 * DAY_S) == (103, 3)
    assert counted.counts(NOW + 31 * DAY_S) == (2, 1)
    assert counted.counts(NOW + 90 * DAY_S) == (0, 0)


def test_a_short_window_has_finer_buckets() -> None:
    counted = budget(0, 0, window_s=DAY_S)
    counted.answered(NOW)
    assert counted.counts(NOW + 23 * 3600) == (1, 0)
    assert counted.counts(NOW + 26 * 3600) == (0, 0)


def test_answers_that_leave_tomorrow_do_not_carry_calls_that_may_end_tomorrow() -> None:
    counted = budget(10_000, 0)
    counted.answered(NOW)
    assert counted.allow(idle=0, ringing=0, waiting=0, wanted=50, now=NOW + 29 * DAY_S) == (50, False)
    assert counted.allow(idle=0, ringing=0, waiting=0, wanted=50, now=NOW + 30 * DAY_S) == (0, True)


def test_a_clock_that_steps_back_loses_nothing() -> None:
    counted = budget()
    counted.answered(NOW + DAY_S)
    counted.answered(NOW)
    assert counted.counts(NOW) == (2, 0)


@pytest.mark.parametrize(
    ("answers", "abandons", "profile", "field"),
    [
        (1, 2, {}, "history"),
        (-1, -1, {}, "history"),
        (0, 0, {"abandon_limit": 1.5}, "abandon_limit"),
        (0, 0, {"window_s": 0.0}, "window_s"),
        (0, 0, {"window_s": float("nan")}, "window_s"),
    ],
)
def test_impossible_rules_and_histories_are_named(
    answers: int, abandons: int, profile: dict[str, float], field: str
) -> None:
    with pytest.raises(ValueError, match=field):
        budget(answers, abandons, **profile)


def test_a_cut_allowance_says_why_with_numbers() -> None:
    snapshot = moment(idle=2, ringing=(1.0,) * 4, waiting=1, talking=(3.0,))
    cut = guarded(Allowance(7, HoldReason.PACING, "seven"), snapshot, budget(200, 1), NOW)
    assert (cut.dials, cut.reason) == (2, HoldReason.LEGAL_BUDGET)
    assert cut.detail == (
        "7 wanted, 2 allowed: 1 of 200 answered calls were abandoned, the limit is 3 %, "
        "and 5 calls are in flight for 2 idle"
    )


def test_an_allowance_within_the_budget_stays_the_pacers_own() -> None:
    for allowance in (Allowance(3, HoldReason.PACING, "three"), Allowance(0, HoldReason.NO_AGENT, "nobody")):
        assert guarded(allowance, moment(idle=3), budget(), NOW) is allowance


class Adversary:
    """A dialer that always wants more, in a world that picks the worst at random: only the guard stands between."""

    def __init__(self, chance: random.Random, counted: LegalBudget, agents: int) -> None:
        self.chance, self.counted = chance, counted
        self.now = NOW
        self.idle, self.busy, self.ringing, self.waiting = agents, 0, 0, 0

    def turn(self) -> None:
        if self.chance.random() < 0.02:
            self.rest()
        self.now += self.chance.choice((0.0, 0.5, 2.0))
        moves = [self.dial, self.dial, self.answer, self.answer, self.machine, self.fail, self.abandon, self.finish]
        self.chance.choice(moves)()

    def rest(self) -> None:
        """Let all calls end and time go by: no call lives as long as a bucket."""
        while self.ringing:
            self.fail()
        while self.waiting:
            self.abandon()
        self.now += self.chance.choice((2_000.0, 20_000.0, 200_000.0))

    def dial(self) -> None:
        wanted = Allowance(self.chance.choice((1, 5, 200)))
        snapshot = moment(self.idle, talking=(9.0,) * self.busy, ringing=(9.0,) * self.ringing, waiting=self.waiting)
        self.ringing += guarded(wanted, snapshot, self.counted, self.now).dials

    def answer(self) -> None:
        if self.ringing:
            self.ringing -= 1
            self.counted.answered(self.now)
            self.join()

    def machine(self) -> None:
        """Cost an idle agent without counting as an answer."""
        if self.ringing:
            self.ringing -= 1
            if self.idle:
                self.idle, self.busy = self.idle - 1, self.busy + 1

    def join(self) -> None:
        if self.idle:
            self.idle, self.busy = self.idle - 1, self.busy + 1
        else:
            self.waiting += 1

    def fail(self) -> None:
        self.ringing = max(0, self.ringing - 1)

    def abandon(self) -> None:
        if self.waiting:
            self.waiting -= 1
            self.counted.abandoned(self.now)
            answers, abandons = self.counted.counts(self.now)
            assert abandons <= self.counted.limit * answers + 1e-9

    def finish(self) -> None:
        if self.busy:
            self.busy -= 1
            if self.waiting:
                self.waiting, self.busy = self.waiting - 1, self.busy + 1
            else:
                self.idle += 1


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(1, 12),
    st.sampled_from((0, 20, 150, 4000)),
    st.sampled_from((0.0, 0.01, 0.03, 0.1)),
    st.sampled_from((DAY_S, 30 * DAY_S)),
)
def test_no_abandoned_call_ever_takes_the_share_above_the_limit(
    seed: int, agents: int, history: int, limit: float, window_s: float
) -> None:
    counted = budget(history, int(history * limit / 2), abandon_limit=limit, window_s=window_s)
    world = Adversary(random.Random(seed), counted, agents)
    for _ in range(400):
        world.turn()


def test_the_adversary_does_use_the_budget_up() -> None:
    counted = budget(4000, 0)
    world = Adversary(random.Random(1), counted, 5)
    for _ in range(3000):
        world.turn()
    answers, abandons = counted.counts(world.now)
    assert abandons / answers > 0.02
