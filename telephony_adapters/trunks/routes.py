"""Which trunk a number takes and how it leaves there, and the gate of each trunk: a guard of our own; pure.

The engine chooses the trunk (`dialer.core.trunks`), for its name is written down before the call leaves. The gate holds
to the same limits once more, whatever the engine asks for, and smooths what it asks for in one breath.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from dialer.core.bucket import MICRO, Bucket
from dialer.core.trunks import TrunkLimit
from telephony_adapters.trunks.guard import MinuteCeiling
from telephony_adapters.trunks.health import Health, State
from telephony_adapters.trunks.model import Trunk
from telephony_adapters.trunks.prefixes import longest

_MINUTE_S: Final = 60
PATIENCE_S: Final = 2.0
"""A call that the rate lets go within this waits for its turn, another one is refused."""
FULL_REST_S: Final = 1.0
"""Ask again after this when nobody knows when there will be room."""


def limit_of(trunk: Trunk) -> TrunkLimit:
    """Return what the engine's pool has to know of a trunk; the calls of a minute are a rate there."""
    cps, burst = trunk.cps, trunk.at_once
    if trunk.calls_per_minute:
        burst = min(burst, max(1, trunk.calls_per_minute // 10))
        cps = min(cps, (trunk.calls_per_minute - burst + 1) / _MINUTE_S)
    return TrunkLimit(
        name=trunk.name, channels=trunk.channels, cps=cps, burst=burst, priority=trunk.priority, weight=trunk.weight,
        prefixes=trunk.prefixes,
    )  # fmt: skip


class Candidate(NamedTuple):
    """A trunk that serves a number, by which prefix, and its share among the equals that go with it."""

    trunk: Trunk
    prefix: str
    share: float


def candidates(trunks: Iterable[Trunk], digits: str) -> list[Candidate]:
    """Return the trunks that serve a number, in the order in which they are asked for room."""
    serving = [
        (trunk, prefix) for trunk in trunks if (prefix := longest(trunk.prefixes, digits)) is not None
    ]  # fmt: skip
    ranks = {trunk.name: (-len(prefix), trunk.priority) for trunk, prefix in serving}
    weights = dict.fromkeys(ranks.values(), 0)
    for trunk, _ in serving:
        weights[ranks[trunk.name]] += trunk.weight
    found = [Candidate(trunk, prefix, trunk.weight / weights[ranks[trunk.name]]) for trunk, prefix in serving]
    return sorted(found, key=lambda one: (ranks[one.trunk.name], -one.share))


class Numbering(Protocol):
    """How a trunk wants numbers."""

    @property
    def number_format(self) -> str:
        """Return `e164`, `e164_plus` or `national`."""
        ...

    @property
    def country_code(self) -> str:
        """Return the code whose numbers `national` writes with a 0."""
        ...


def dialled(trunk: Numbering, digits: str) -> str:
    """Return a number of E.164 (digits) as the trunk wants it: in the request line, in To, and as the caller's."""
    match trunk.number_format:
        case "e164_plus":
            return f"+{digits}"
        case "national" if digits.startswith(trunk.country_code):
            return f"0{digits.removeprefix(trunk.country_code)}"
        case "national":
            return f"00{digits}"
        case _:
            return digits


class ClosedReason(StrEnum):
    """Why a gate lets a call not through."""

    CHANNELS = "channels"
    RATE = "rate"
    DOWN = "down"
    PROBING = "probing"
    DRAINING = "draining"


class Closed(NamedTuple):
    """A call was not let through; the engine does well to leave the trunk alone for so long."""

    reason: ClosedReason
    rest_s: float


class Gate:
    """Let calls onto one trunk, never above its limits, none while it is down or drains; times never run backwards."""

    def __init__(self, trunk: Trunk, *, patience_s: float = PATIENCE_S) -> None:
        self.health = Health(trunk.name, failures_to_rest=trunk.failures_to_rest, rest_s=trunk.rest_s)
        self._trunk = trunk
        self._patience_s = patience_s
        self._bucket = Bucket(trunk.cps, trunk.at_once)
        self._ceiling = MinuteCeiling(trunk.calls_per_minute)
        self._calls: set[str] = set()
        self._probe: str | None = None
        self._latest = 0

    @property
    def calls(self) -> int:
        """Count the calls that hold a channel."""
        return len(self._calls)

    def admit(self, call_id: str, now: float) -> float | Closed:
        """Give a call a channel and return when its INVITE may leave, at once or soon; or say why it may not."""
        closed = self._closed(now)
        if closed is not None:
            return closed
        now_micro = math.floor(now * MICRO)
        self._latest = max(self._latest, now_micro)
        at_micro = max(self._latest, self._bucket.token_at())
        if (at := self._ceiling.next_at(now)) > now:
            at_micro = max(at_micro, math.ceil(at * MICRO))
        if at_micro > now_micro:  # otherwise it leaves now, not a microsecond later
            at = max(at, at_micro / MICRO)
        if at > now + self._patience_s:
            return Closed(ClosedReason.RATE, at - now)
        self._bucket.take(at_micro)
        self._ceiling.count(at)
        self._calls.add(call_id)
        if self.health.state is State.PROBING:
            self._probe = call_id
        return at

    def give(self, call_id: str) -> None:
        """Take back the channel of a call that is over; unknown ids are ignored."""
        self._calls.discard(call_id)
        if self._probe == call_id:
            self._probe = None

    def _closed(self, now: float) -> Closed | None:
        state, until = self.health.state, self.health.until
        if state is State.DRAINING:
            return Closed(ClosedReason.DRAINING, self._trunk.rest_s)
        if state is State.DOWN:
            return Closed(ClosedReason.DOWN, self._trunk.rest_s if until is None else max(0.0, until - now))
        if state is State.PROBING and self._probe is not None:
            return Closed(ClosedReason.PROBING, FULL_REST_S)
        return Closed(ClosedReason.CHANNELS, FULL_REST_S) if len(self._calls) >= self._trunk.channels else None
