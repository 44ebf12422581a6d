"""Whether a trunk lives, as a table: what its OPTIONS, its calls and its registration say of it; pure.

A trunk that failed several times in a row rests. It comes back when what it failed in works again: OPTIONS that are
answered, a registration that is taken, or one probing call after the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from statuses.classify import Verdict
from statuses.hotline import HotlineMonitor

REST_MAX_S: Final = 3600.0
"""No Retry-After rests a trunk for longer: it may be a slip, or a forgery."""
ALARM_NUMBERS: Final = 20
ALARM_SHARE: Final = 0.8
"""So many different numbers, and such a share of the calls, refused in one way speak of the trunk (statuses.md A6)."""


class State(StrEnum):
    """How a trunk is."""

    UP = "up"
    SUSPECT = "suspect"
    """The last call or OPTIONS failed; calls still go."""
    DOWN = "down"
    PROBING = "probing"
    """One call at a time, to see whether it works again."""
    DRAINING = "draining"
    """An operator lets calls in progress finish, and no new one begin."""


class Signal(StrEnum):
    """What is learned of a trunk."""

    ALIVE = "alive"
    """OPTIONS was answered, whatever the status: it is reachable (RFC 3261 section 11.2)."""
    SILENT = "silent"
    """OPTIONS was not answered."""
    CALL_WORKED = "call_worked"
    """An INVITE got an answer that speaks of the callee, or rings."""
    CALL_FAILED = "call_failed"
    """An INVITE failed in a way that speaks of the trunk."""
    RETRY_AFTER = "retry_after"
    """503 with Retry-After: it asks to be left alone (RFC 3261 section 20.33)."""
    UNREGISTERED = "unregistered"
    REGISTERED = "registered"
    ALARM = "alarm"
    """Many different numbers are refused as if the trunk's route were gone (statuses.md A4, A6)."""
    DRAIN = "drain"
    RESUME = "resume"
    RESTED = "rested"
    """Its rest is over."""
    FAILING = "failing"
    """The last of several failures in a row: of calls."""
    GONE = "gone"
    """The last of several failures in a row: of OPTIONS."""
    RECOVERED = "recovered"
    """Neither calls nor OPTIONS fail any more."""


class Why(StrEnum):
    """What is wrong with a trunk; of two that take it down, the later one in this list counts."""

    NOTHING = ""
    CALLS = "its calls fail"
    ALARM = "many different numbers are refused"
    RETRY_AFTER = "it asked to be left alone"
    OPTIONS = "OPTIONS is not answered"
    REGISTRATION = "it does not take the registration"
    OPERATOR = "an operator drains it"


class TrunkChanged(NamedTuple):
    """A trunk's state is another, or lasts longer; `until`: it is tried again then, None: when something is heard."""

    name: str
    state: State
    until: float | None
    why: str


_LIVE: Final = (State.UP, State.SUSPECT, State.PROBING)
TRANSITIONS: Final[Mapping[tuple[State, Signal], State]] = {
    (State.UP, Signal.SILENT): State.SUSPECT,
    (State.UP, Signal.CALL_FAILED): State.SUSPECT,
    (State.SUSPECT, Signal.RECOVERED): State.UP,
    (State.PROBING, Signal.CALL_WORKED): State.UP,
    (State.PROBING, Signal.CALL_FAILED): State.DOWN,
    (State.DRAINING, Signal.RESUME): State.UP,
    **{(state, Signal.DRAIN): State.DRAINING for state in State if state is not State.DRAINING},
    **{(state, signal): State.DOWN for state in _LIVE for signal in (Signal.FAILING, Signal.ALARM)},
    **{
        (state, signal): State.DOWN
        for state in (*_LIVE, State.DOWN)
        for signal in (Signal.GONE, Signal.RETRY_AFTER, Signal.UNREGISTERED)
    },
}
"""Where a signal leads; whatever is not here changes nothing. The way out of DOWN depends on what led there: EXITS."""

EXITS: Final[Mapping[Why, Mapping[Signal, State]]] = {
    Why.CALLS: {Signal.ALIVE: State.PROBING, Signal.RESTED: State.PROBING, Signal.CALL_WORKED: State.UP},
    Why.ALARM: {Signal.RESTED: State.PROBING},
    Why.RETRY_AFTER: {Signal.RESTED: State.PROBING},
    Why.OPTIONS: {Signal.ALIVE: State.UP},
    Why.REGISTRATION: {Signal.REGISTERED: State.UP},
}
_CAUSES: Final = {
    Signal.SILENT: Why.OPTIONS,
    Signal.CALL_FAILED: Why.CALLS,
    Signal.FAILING: Why.CALLS,
    Signal.ALARM: Why.ALARM,
    Signal.RETRY_AFTER: Why.RETRY_AFTER,
    Signal.GONE: Why.OPTIONS,
    Signal.UNREGISTERED: Why.REGISTRATION,
    Signal.DRAIN: Why.OPERATOR,
}
_RANK: Final = {why: rank for rank, why in enumerate(Why)}
_ENDLESS: Final = frozenset({Why.OPTIONS, Why.REGISTRATION, Why.OPERATOR})
"""No time ends these: something must be heard."""


def signal_of(
    status: int, *, made_here: bool = False, cancelled: bool = False, progressed: bool = False, rang: bool = False
) -> Signal | None:
    """Return what the final response to an INVITE says of the trunk; None: nothing.

    503, a challenge that our credentials did not meet, and what was made here for want of a response (408 by Timer B,
    503 by the transport; RFC 3261 sections 17.1.1.2 and 8.1.3.1) speak of the trunk; all else, and what rang, of the
    callee. A call that we gave up (`cancelled`) tells no failure: it works if the trunk took it (`progressed`).
    """
    if rang:
        return Signal.CALL_WORKED
    if not made_here and status not in _OF_THE_TRUNK:
        return Signal.CALL_WORKED
    if cancelled:
        return Signal.CALL_WORKED if progressed else None
    return Signal.CALL_FAILED


_UNAVAILABLE: Final = 503
_OF_THE_TRUNK: Final = frozenset({401, 407, _UNAVAILABLE})


class Health:
    """The health of one trunk; times are arguments and never run backwards."""

    def __init__(self, name: str, *, failures_to_rest: int, rest_s: float) -> None:
        self.state = State.UP
        self.until: float | None = None
        """When a rest is over."""
        self.why = Why.NOTHING
        self._name = name
        self._limit = failures_to_rest
        self._rest_s = rest_s
        self._silent = self._failed = 0
        self._registered = True
        self._monitor = HotlineMonitor(min_numbers=ALARM_NUMBERS, min_share=ALARM_SHARE)

    def judged(self, phone: str, verdict: Verdict, now: float) -> TrunkChanged | None:
        """Learn what a call came to; many different numbers that are refused alike are an alarm."""
        alarm = self._monitor.note(self._name, phone, verdict, now)
        return self.tell(Signal.ALARM, now) if alarm is not None else None

    def tick(self, now: float) -> TrunkChanged | None:
        """Let a rest that is over be over; `until` says when to come."""
        return self.tell(Signal.RESTED, now) if self.until is not None and now >= self.until else None

    def tell(self, signal: Signal, now: float, *, rest_s: float | None = None) -> TrunkChanged | None:
        """Learn something; return the change that it makes. `rest_s` goes with RETRY_AFTER, an hour at most."""
        before = (self.state, self.until, self.why)
        for one in self._counted(signal):
            self._follow(one, now, self._rest_s if rest_s is None else min(rest_s, REST_MAX_S))
        if (self.state, self.until, self.why) == before:
            return None
        return TrunkChanged(self._name, self.state, self.until, self.why)

    def _counted(self, signal: Signal) -> tuple[Signal, ...]:
        """Count failures in a row; return the signal, and what the count makes of it."""
        if signal in {Signal.REGISTERED, Signal.UNREGISTERED}:
            self._registered = signal is Signal.REGISTERED
        if signal is Signal.SILENT:
            self._silent += 1
            return (signal, Signal.GONE) if self._silent >= self._limit else (signal,)
        if signal is Signal.CALL_FAILED:
            self._failed += 1
            return (signal, Signal.FAILING) if self._failed >= self._limit else (signal,)
        if signal is Signal.RESUME:
            return (signal,) if self._registered else (signal, Signal.UNREGISTERED)
        if signal is Signal.CALL_WORKED:
            self._silent = self._failed = 0
        elif signal in {Signal.ALIVE, Signal.REGISTERED}:
            self._silent = 0
        return (signal,) if self._silent or self._failed else (signal, Signal.RECOVERED)

    def _follow(self, signal: Signal, now: float, rest_s: float) -> None:
        to = TRANSITIONS.get((self.state, signal))
        if self.state is State.DOWN and to is None:
            to = EXITS[self.why].get(signal)
        if to is State.DOWN:
            self._go_down(_CAUSES[signal], now + rest_s)
        elif to is not None:
            self.state, self.until, self.why = to, None, _CAUSES.get(signal, Why.NOTHING)
            if to is State.UP:
                self._silent = self._failed = 0

    def _go_down(self, why: Why, until: float) -> None:
        """Go down, or stay down for the weightier reason; a longer rest stands."""
        if self.state is State.DOWN and _RANK[why] < _RANK[self.why]:
            return
        ends = until if self.state is not State.DOWN or self.until is None else max(until, self.until)
        self.state, self.why = State.DOWN, why
        self.until = None if why in _ENDLESS else ends
