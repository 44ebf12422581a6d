"""A call centre in miniature that closes the loop around a pacer: agents, calls, the budget, and nothing else."""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from dataclasses import dataclass, field

from dialer.core.pacing.base import Pacer, Snapshot
from dialer.core.pacing.estimators import Estimators
from dialer.core.pacing.guard import LegalBudget, guarded

GRACE_S = 2.0


@dataclass
class Centre:
    """`agents` people, answer probability `p`; answered after N(10, 4) s, else failed after 25 s (70 %) or early."""

    pacer: Pacer
    agents: int
    p: float
    seed: int
    budget: LegalBudget
    talk_s: float = 105.0
    wrap_s: float = 15.0
    estimators: Estimators = field(default_factory=Estimators)
    placed: int = 0
    answers: int = 0
    abandons: int = 0
    worst: float = 0.0
    """The highest share that the legal counter showed after an abandoned call."""

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._now = 0.0
        self._ids = iter(range(10**9))
        self._heap: list[tuple[float, int, str, int]] = []
        self._ringing: dict[int, tuple[float, bool]] = {}
        self._waiting: deque[int] = deque()
        self._idle = self.agents
        self._talks: dict[int, float] = {}
        self._wraps: dict[int, float] = {}
        self._busy_s = 0.0

    def run(self, hours: float) -> float:
        """Return the occupancy."""
        end = hours * 3600
        self._after(1.0, "tick", 0)
        while self._heap and self._heap[0][0] <= end:
            at, _, what, number = heapq.heappop(self._heap)
            self._busy_s += (at - self._now) * (self.agents - self._idle)
            self._now = at
            getattr(self, f"_{what}")(number)
            self._dial()
        return self._busy_s / (self._now * self.agents)

    def _after(self, seconds: float, what: str, number: int) -> None:
        heapq.heappush(self._heap, (self._now + seconds, next(self._ids), what, number))

    def _tick(self, _: int) -> None:
        self._after(1.0, "tick", 0)

    def _dial(self) -> None:
        now = self._now
        moment = Snapshot(
            idle=self._idle,
            talking=tuple(now - since for since in self._talks.values()),
            wrapping=tuple(now - since for since in self._wraps.values()),
            ringing=tuple(now - since for since, _ in self._ringing.values()),
            waiting=len(self._waiting),
            estimates=self.estimators.estimates(),
            theta=self.estimators.theta,
        )
        for _ in range(guarded(self.pacer.allowance(moment, now=now), moment, self.budget, now).dials):
            self._place()

    def _place(self) -> None:
        number = next(self._ids)
        answers = self._chance.random() < self.p
        if answers:
            after = max(2.0, self._chance.gauss(10, 4))
        else:
            after = 25.0 if self._chance.random() < 0.7 else self._chance.uniform(1, 5)
        self._ringing[number] = (self._now, answers)
        self.placed += 1
        self._after(after, "outcome", number)

    def _outcome(self, number: int) -> None:
        since, answers = self._ringing.pop(number)
        self.estimators.call_finished(answers, self._now - since)
        if answers:
            self.answers += 1
            self.budget.answered(self._now)
            self._waiting.append(number)
            self._after(GRACE_S, "late", number)
            self._join()

    def _late(self, number: int) -> None:
        if number in self._waiting:
            self._waiting.remove(number)
            self.abandons += 1
            self.budget.abandoned(self._now)
            self.estimators.abandon_observed(abandoned=True, at=self._now)
            answers, abandons = self.budget.counts(self._now)
            self.worst = max(self.worst, abandons / answers)

    def _join(self) -> None:
        while self._idle and self._waiting:
            number = self._waiting.popleft()
            self._idle -= 1
            self._talks[number] = self._now
            self.estimators.abandon_observed(abandoned=False, at=self._now)
            variance = math.log(1 + 0.8**2)
            mu = math.log(self.talk_s) - variance / 2
            self._after(self._chance.lognormvariate(mu, math.sqrt(variance)), "hangup", number)

    def _hangup(self, number: int) -> None:
        self.estimators.talk_finished(self._now - self._talks.pop(number))
        self._wraps[number] = self._now
        self._after(self.wrap_s, "done", number)

    def _done(self, number: int) -> None:
        self.estimators.wrap_finished(self._now - self._wraps.pop(number))
        self._idle += 1
        self._join()
