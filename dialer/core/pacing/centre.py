"""A call centre in miniature that closes the loop around a pacer: agents, calls, the legal budget, and nothing else.

No store, no trunk, no statuses: what a pacing policy does in a day is played in a few seconds. `dialer bench pacing`
compares policies in it, and a forecast plays a campaign's own estimates in it. Chance comes in from outside
(`Customers`), so that every policy meets the same people.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import msgspec

from dialer.core.pacing.base import Pacer, Snapshot, Tally
from dialer.core.pacing.estimators import Estimators
from dialer.core.pacing.guard import LegalBudget

DECISION_GAP_S = 0.25
"""As in the engine: two decisions are at least this far apart."""
BUCKET_S = 60.0
"""The trace has one row a minute."""


class Customers(Protocol):
    """The people on the list, by the number of the attempt: the same number is the same person for every policy."""

    def attempt(self, number: int, now: float) -> tuple[bool, float]:
        """Return whether a person answers, and the seconds until the answer or the failure."""
        ...

    def talk_s(self, number: int) -> float:
        """Return the seconds of the talk, if this person is joined to an agent."""
        ...

    def wrap_s(self, number: int) -> float:
        """Return the seconds of the wrap-up after this person's talk."""
        ...


class StaffChange(msgspec.Struct, frozen=True):
    """So many agents come (or, below zero, go as soon as they are free) at a time in seconds from the start."""

    at: float
    agents: int


class Rules(msgspec.Struct, frozen=True):
    """What the centre is; seconds. `max_ratio` and `max_calls` as in a campaign's settings."""

    agents: int
    grace_s: float = 2.0
    """How long a person who answered waits for an agent before the call counts as abandoned."""
    max_ratio: float = 20.0
    ratio: float = 1.0
    max_calls: int = 100_000
    staff: tuple[StaffChange, ...] = ()


class Minute:
    """What happened in one minute; agent-seconds and counts."""

    __slots__ = ("abandoned", "answered", "busy_s", "placed", "ringing", "staffed_s")

    def __init__(self) -> None:
        self.busy_s = self.staffed_s = 0.0
        self.placed = self.answered = self.abandoned = self.ringing = 0


class Centre:
    """Play a pacer against people; `run` may be called again to play on."""

    def __init__(
        self,
        pacer: Pacer,
        rules: Rules,
        customers: Customers,
        *,
        estimators: Estimators,
        budget: LegalBudget | None,
        starts_at: float = 0.0,
    ) -> None:
        """Seat the agents; `starts_at` is the epoch second of the start, for policies that know midnight."""
        self.pacer, self.rules, self.customers = pacer, rules, customers
        self.estimators, self.budget = estimators, budget
        self.now = 0.0
        self.minutes: list[Minute] = []
        self.waits: list[float] = []
        """Seconds that each free agent waited for the next call."""
        self.decisions = 0
        self.peak_ringing = 0
        self.worst_share = 0.0
        """The highest abandoned / answered that the legal budget has shown right after an abandoned call."""
        self._starts_at = starts_at
        self._heap: list[tuple[float, int, int, int]] = []
        self._pushed = 0
        self._placed = self._finished = self._answered = self._abandoned = 0
        self._ringing: dict[int, float] = {}
        self._will_answer: dict[int, bool] = {}
        self._waiting: deque[int] = deque()
        self._free: deque[float] = deque([0.0] * rules.agents)
        self._talks: dict[int, float] = {}
        self._wraps: dict[int, float] = {}
        self._agents = rules.agents
        self._going = 0
        self._decided_at = -math.inf
        self._decide_due = False
        self._events = (self._outcome, self._hangup, self._done, self._late, self._decide, self._staff)
        for number, change in enumerate(rules.staff):
            self._push(change.at, _STAFF, number)
        self._push(0.0, _TICK, 0)

    @property
    def tally(self) -> Tally:
        """Return the counts so far."""
        return Tally(self._placed, self._finished, self._answered, self._abandoned)

    def run(self, until_s: float) -> None:
        """Play up to so many seconds from the start."""
        heap, pop, events = self._heap, heapq.heappop, self._events
        while heap[0][0] <= until_s:
            at, _, what, number = pop(heap)
            if at > self.now:
                self._pass_time(at)
            events[what](number)
        self._pass_time(until_s)

    def _push(self, at: float, what: int, number: int) -> None:
        self._pushed += 1
        heapq.heappush(self._heap, (at, self._pushed, what, number))

    def _pass_time(self, at: float) -> None:
        minutes, now = self.minutes, self.now
        busy = len(self._talks) + len(self._wraps)
        while now < at:
            index = int(now / BUCKET_S)
            while len(minutes) <= index:
                minutes.append(Minute())
                minutes[-1].ringing = len(self._ringing)
            until = min(at, (index + 1) * BUCKET_S)
            minute = minutes[index]
            minute.busy_s += (until - now) * busy
            minute.staffed_s += (until - now) * self._agents
            now = until
        self.now = at

    def _minute(self) -> Minute:
        index = int(self.now / BUCKET_S)
        while len(self.minutes) <= index:
            self.minutes.append(Minute())
        return self.minutes[index]

    def _soon(self) -> None:
        """Decide after this event, but not too often."""
        if self._decide_due or not self.pacer.eager:
            return
        if self.now >= self._decided_at + DECISION_GAP_S:
            self._dial()
        else:
            self._decide_due = True
            self._push(self._decided_at + DECISION_GAP_S, _TICK, 1)

    def _decide(self, due: int) -> None:
        if due:
            self._decide_due = False
            if self.now >= self._decided_at + DECISION_GAP_S:
                self._dial()
            return
        self._dial()
        self._push(self.now + self.pacer.period_s, _TICK, 0)

    def snapshot(self) -> Snapshot:
        """Describe the moment to a pacer."""
        now = self.now
        return Snapshot(
            idle=len(self._free),
            talking=tuple([now - since for since in self._talks.values()]),
            wrapping=tuple([now - since for since in self._wraps.values()]),
            ringing=tuple([now - since for since in self._ringing.values()]),
            waiting=len(self._waiting),
            estimates=self.estimators.estimates(),
            theta=self.estimators.theta,
            ratio=self.rules.ratio,
            max_ratio=self.rules.max_ratio,
            room=self.rules.max_calls - len(self._ringing) - len(self._waiting) - len(self._talks),
            tally=self.tally,
            recent=self.estimators.recent,
        )

    def _dial(self) -> None:
        self._decided_at = self.now
        self.decisions += 1
        moment, at = self.snapshot(), self._starts_at + self.now
        wanted = self.pacer.allowance(moment, now=at).dials
        if wanted <= 0:
            return
        dials = min(wanted, moment.room)
        if self.budget is not None:
            dials = min(dials, self.budget.allow(
                idle=moment.idle, ringing=len(moment.ringing), waiting=moment.waiting, wanted=wanted, now=at
            )[0])  # fmt: skip
        self.estimators.risk.limited = dials < wanted
        for _ in range(dials):
            self._place()

    def _place(self) -> None:
        number = self._placed
        self._placed += 1
        answers, after_s = self.customers.attempt(number, self.now)
        self._ringing[number] = self.now
        self._will_answer[number] = answers
        self._minute().placed += 1
        self.peak_ringing = max(self.peak_ringing, len(self._ringing))
        self._push(self.now + after_s, _OUTCOME, number)

    def _outcome(self, number: int) -> None:
        since, answers = self._ringing.pop(number), self._will_answer.pop(number)
        self._finished += 1
        self.estimators.call_finished(answers, self.now - since, at=self._starts_at + self.now)
        if answers:
            self._answered += 1
            self._minute().answered += 1
            if self.budget is not None:
                self.budget.answered(self._starts_at + self.now)
            self._waiting.append(number)
            self._join()
            if self._waiting and self._waiting[-1] == number:
                if self.rules.grace_s > 0:
                    self._push(self.now + self.rules.grace_s, _LATE, number)
                else:
                    self._late(number)
        self._soon()

    def _late(self, number: int) -> None:
        if number not in self._waiting:
            return
        self._waiting.remove(number)
        self._abandoned += 1
        self._minute().abandoned += 1
        self.estimators.abandon_observed(abandoned=True, at=self.now)
        if self.budget is not None:
            self.budget.abandoned(self._starts_at + self.now)
            answers, abandons = self.budget.counts(self._starts_at + self.now)
            self.worst_share = max(self.worst_share, abandons / answers)
        self._soon()

    def _join(self) -> None:
        while self._free and self._waiting:
            number = self._waiting.popleft()
            self.waits.append(self.now - self._free.popleft())
            self._talks[number] = self.now
            self.estimators.abandon_observed(abandoned=False, at=self.now)
            self._push(self.now + self.customers.talk_s(number), _HANGUP, number)

    def _hangup(self, number: int) -> None:
        self.estimators.talk_finished(self.now - self._talks.pop(number))
        self._wraps[number] = self.now
        wrap_s = self.customers.wrap_s(number)
        if wrap_s > 0:
            self._push(self.now + wrap_s, _DONE, number)
            self._soon()
        else:
            self._done(number)

    def _done(self, number: int) -> None:
        self.estimators.wrap_finished(self.now - self._wraps.pop(number))
        if self._going:
            self._going -= 1
            self._agents -= 1
        else:
            self._free.append(self.now)
        self._join()
        self._soon()

    def _staff(self, number: int) -> None:
        change = self.rules.staff[number].agents
        for _ in range(change):
            self._agents += 1
            self._free.append(self.now)
        for _ in range(-change):
            if self._free:
                self._free.popleft()
                self._agents -= 1
            else:
                self._going += 1
        self._join()
        self._soon()


_OUTCOME, _HANGUP, _DONE, _LATE, _TICK, _STAFF = range(6)


def occupancy(minutes: Sequence[Minute]) -> float:
    """Return (talk + wrap-up) / staffed time of some minutes; 0 without staff."""
    staffed = sum(minute.staffed_s for minute in minutes)
    return sum(minute.busy_s for minute in minutes) / staffed if staffed else 0.0


def abandonment(minutes: Sequence[Minute]) -> float:
    """Return abandoned / answered of some minutes; 0 without answers."""
    answered = sum(minute.answered for minute in minutes)
    return sum(minute.abandoned for minute in minutes) / answered if answered else 0.0
