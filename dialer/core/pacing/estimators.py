"""What a campaign learns about its calls and agents; impossible data are refused and counted, never learned."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import msgspec

from dialer.core.pacing.answering import AnswerModel, AnswerState, Features
from dialer.core.pacing.curves import Durations, DurationsState, checked_seconds
from dialer.core.pacing.estimates import Estimates, Stay, build
from dialer.core.pacing.risk import Risk

RECENT_ATTEMPTS = 500
"""So many attempts, talks and wrap-ups are kept as they were."""
FORGOTTEN_AFTER_S = 30 * 86_400.0
"""Knowledge older than this is not used."""
_HALVED_AFTER_S = 7 * 86_400.0
AT_ONCE_S = 0.5
"""A call that fails sooner never reached a phone (a trunk that refuses): it says nothing of people."""
_REFRESH_SHARE = 0.05
_REFRESH_MIN = 5
_REFRESH_MAX = 100
_DOUBT_KEEP = 0.99
_DOUBT_ABOVE = 3.0
"""So many impossible data among about the last hundred, and the estimates must not steer."""
_STAY_PRIOR_S = 3600.0
_STAY_PRIOR_CALLS = 20.0
_STAY_KEEP = 1 - 1 / 1000


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """One attempt that was answered, or failed, `after_s` seconds after it was placed; `at` in epoch seconds."""

    at: float
    answered: bool
    after_s: float


class Recent(msgspec.Struct, frozen=True):
    """The last attempts and handle times, oldest first, for pacers that resample; to read only."""

    attempts: Sequence[Attempt] = ()
    talks: Sequence[float] = ()
    """Seconds."""
    wraps: Sequence[float] = ()
    """Seconds."""


class StayState(msgspec.Struct, frozen=True):
    """Decayed counts: idle seconds, leaves out of idle, wrap-ups that ended, those after which the agent left."""

    idle_s: float = 0.0
    idle_leaves: float = 0.0
    wraps: float = 0.0
    wrap_leaves: float = 0.0


class MachineState(msgspec.Struct, frozen=True):
    """Decayed counts: answered calls that have ended, those that a machine answered."""

    answered: float = 0.0
    machines: float = 0.0


class Learned(msgspec.Struct, frozen=True):
    """Everything that is learned, to be stored."""

    answers: AnswerState
    theta: float
    durations: dict[str, DurationsState]
    stay: StayState = StayState()
    machines: MachineState = MachineState()


def _prior_durations() -> dict[str, Durations]:
    return {
        "to_answer": Durations(mean_s=10.0, cv=0.5),
        "to_fail": Durations(mean_s=20.0, cv=0.6),
        "talk": Durations(mean_s=120.0, cv=0.8),
        "wrap": Durations(mean_s=30.0, cv=0.5),
    }


class Estimators:
    """Learn from what happens; `risk.theta` is the accepted chance that the next answered call finds no agent."""

    def __init__(self, *, target: float = 0.0285, grace_s: float = 1.0) -> None:
        """Start from careful priors; `target` is the share of answered calls that may be abandoned."""
        self.risk = Risk(target)
        self.grace_s = checked_seconds("grace_s", grace_s)
        self.ignored = 0
        """Impossible data that were not learned."""
        self._ignored_last = ""
        self._odd = 0.0
        self._answers = AnswerModel()
        self._durations = _prior_durations()
        self._stay = StayState()
        self._machines = MachineState()
        self._fresh = 0
        self._cached: Estimates | None = None
        self._attempts: deque[Attempt] = deque(maxlen=RECENT_ATTEMPTS)
        self._talks: deque[float] = deque(maxlen=RECENT_ATTEMPTS)
        self._wraps: deque[float] = deque(maxlen=RECENT_ATTEMPTS)
        self.recent = Recent(self._attempts, self._talks, self._wraps)

    @property
    def theta(self) -> float:
        """Return the accepted risk."""
        return self.risk.theta

    @property
    def answers(self) -> AnswerModel:
        """Return the answer probabilities per lead."""
        return self._answers

    def call_finished(
        self,
        answered: bool,  # noqa: FBT001 -- a datum
        after_s: float,
        *,
        at: float = 0.0,
        features: Features | None = None,
    ) -> None:
        """Take an attempt that was answered by a person, or failed, `after_s` seconds after it was placed."""
        if not self._can_be("seconds from dial to outcome", after_s):
            return
        self._attempts.append(Attempt(at, answered, after_s))
        if after_s < AT_ONCE_S and not answered:
            return
        if self._answers.add(features, answered):
            self._cached = None
        self._learn("to_answer" if answered else "to_fail", after_s)

    def talk_finished(self, talk_s: float) -> None:
        """Take the seconds of a finished talk."""
        if self._can_be("seconds of a talk", talk_s):
            self._learn("talk", talk_s)
            self._talks.append(talk_s)

    def wrap_finished(self, wrap_s: float, *, stayed: bool = True) -> None:
        """Take the seconds of a finished wrap-up, and whether the agent takes another call."""
        if not self._can_be("seconds of a wrap-up", wrap_s):
            return
        self._learn("wrap", wrap_s)
        self._wraps.append(wrap_s)
        old = self._stay
        self._stay = msgspec.structs.replace(
            old, wraps=old.wraps * _STAY_KEEP + 1, wrap_leaves=old.wrap_leaves * _STAY_KEEP + (not stayed)
        )

    def idle_ended(self, idle_s: float, *, stayed: bool = True) -> None:
        """Take the seconds that an agent was idle, until a call came or the agent left."""
        if not self._can_be("seconds of an idle agent", idle_s):
            return
        old = self._stay
        self._stay = msgspec.structs.replace(
            old, idle_s=old.idle_s * _STAY_KEEP + idle_s, idle_leaves=old.idle_leaves * _STAY_KEEP + (not stayed)
        )
        self._fresh += 1

    @property
    def machine_share(self) -> float:
        """Return the share of answered calls that machines answer, recognised at once or late; 0 before the first."""
        known = self._machines
        return known.machines / known.answered if known.answered else 0.0

    def answer_ended(self, *, machine: bool) -> None:
        """Take who answered a call that is over."""
        old = self._machines
        self._machines = MachineState(old.answered * _STAY_KEEP + 1, old.machines * _STAY_KEEP + machine)

    def abandon_observed(self, *, abandoned: bool, at: float) -> None:
        """Steer theta by the fate of one call answered by a person."""
        self.risk.observed(abandoned=abandoned, at=at)

    def estimates(self) -> Estimates:
        """Return what is known; the same object until enough new data have come to matter."""
        if self._cached is None or (self._fresh >= _REFRESH_MIN and self._fresh >= self._enough()):
            self._cached, self._fresh = self._build(), 0
        return self._cached

    def _enough(self) -> float:
        known = sum(durations.weight for durations in self._durations.values())
        return min(_REFRESH_MAX, _REFRESH_SHARE * known)

    def dump(self) -> bytes:
        """Return everything learned, for `load`."""
        states = {name: durations.state() for name, durations in self._durations.items()}
        return msgspec.msgpack.encode(
            Learned(self._answers.state(), self.risk.long_run, states, self._stay, self._machines)
        )

    def load(self, dumped: bytes, *, age_s: float = 0.0) -> None:
        """Put back what `dump` returned `age_s` seconds ago: a week halves its weight, 30 days and it is not used.

        Raises ValueError when it is something else; then nothing has changed.
        """
        if age_s >= FORGOTTEN_AFTER_S:
            return
        weight = 0.5 ** (max(0.0, age_s) / _HALVED_AFTER_S)
        durations, answers, risk = _prior_durations(), AnswerModel(), Risk(self.risk.target)
        try:
            learned = msgspec.msgpack.decode(dumped, type=Learned)
            for name, empty in durations.items():
                empty.restore(learned.durations[name], weight=weight)
            answers.restore(learned.answers, weight=weight)
            risk.restore(learned.theta)
            _check_stay(learned.stay)
            _check_machines(learned.machines)
        except (msgspec.MsgspecError, KeyError, ValueError) as error:
            raise ValueError(f"these are not the learned estimates of a campaign: {error}") from error
        self._durations, self._answers, self.risk, self._stay = durations, answers, risk, learned.stay
        self._machines = learned.machines
        self._cached = None

    def _can_be(self, what: str, seconds: float) -> bool:
        """Tell whether a duration can be; count one that cannot."""
        possible = math.isfinite(seconds) and seconds >= 0
        before = self._odd > _DOUBT_ABOVE
        self._odd = self._odd * _DOUBT_KEEP + (not possible)
        if not possible:
            self.ignored += 1
            self._ignored_last = f"{what}: {seconds}"
        if (self._odd > _DOUBT_ABOVE) != before:
            self._cached = None
        return possible

    def _learn(self, name: str, seconds: float) -> None:
        self._durations[name].add(seconds)
        self._fresh += 1

    def _build(self) -> Estimates:
        p, sd = self._answers.overall()
        curves = {name: durations.curve() for name, durations in self._durations.items()}
        doubt = f"impossible data came in ({self._ignored_last})" if self._odd > _DOUBT_ABOVE else ""
        return build(p, sd, curves, grace_s=self.grace_s, stay=self._staying(), doubt=doubt)

    def _staying(self) -> Stay:
        stay = self._stay
        return Stay(
            leaves_per_s=stay.idle_leaves / (stay.idle_s + _STAY_PRIOR_S),
            after_call=1 - stay.wrap_leaves / (stay.wraps + _STAY_PRIOR_CALLS),
        )


def _check_stay(stay: StayState) -> None:
    values = (stay.idle_s, stay.idle_leaves, stay.wraps, stay.wrap_leaves)
    if not all(math.isfinite(value) and value >= 0 for value in values) or stay.wrap_leaves > stay.wraps:
        raise ValueError(f"agents who stay cannot be counted as {stay}")


def _check_machines(known: MachineState) -> None:
    if not (math.isfinite(known.answered) and 0 <= known.machines <= known.answered):
        raise ValueError(f"calls answered by machines cannot be counted as {known}")
