"""When a webhook is tried, tried again and given up: pure; time and chance are arguments.

Each endpoint has a durable queue and at most one worker, so its events arrive in order; a failing endpoint waits by
itself. `Dispatcher` only says whom to serve: everything it knows is told to it again from the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

_LONGEST_EXPONENT: Final = 60
ERROR_LENGTH: Final = 200


class Policy(msgspec.Struct, frozen=True):
    """How patient the deliveries are."""

    base_s: float = 1.0
    cap_s: float = 1800.0
    """Between two tries at most, unless the receiver asks for more (Retry-After)."""
    retry_after_max_s: float = 6 * 3600.0
    give_up_failures: int = 20
    give_up_s: float = 86_400.0
    """Disabled after so many failures in a row, the first of them so long ago."""
    in_flight: int = 16
    """Endpoints that are served at once; those that have just failed take at most half of the places."""

    @property
    def in_flight_failing(self) -> int:
        """Return how many endpoints in trouble may be tried at once: the others never wait for all of them."""
        return max(1, self.in_flight // 2)


class Health(msgspec.Struct, frozen=True):
    """An endpoint as its last tries left it; times in UTC epoch seconds."""

    failures: int = 0
    """In a row."""
    failing_since: float | None = None
    next_at: float = 0.0
    """Not before."""
    error: str = ""
    """What went wrong last."""
    disabled_at: float | None = None
    disabled_reason: str = ""


class Failure(msgspec.Struct, frozen=True):
    """One try that was not accepted; `final`: the receiver wants no other."""

    error: str
    retry_after_s: float | None = None
    final: bool = False


def back_off_s(failures: int, *, chance: float, policy: Policy) -> float:
    """Return how long to wait after so many failures in a row: exponential, full jitter; `chance` in [0, 1)."""
    return chance * min(policy.cap_s, policy.base_s * 2.0 ** min(failures, _LONGEST_EXPONENT))


def failed(health: Health, failure: Failure, *, now: float, chance: float, policy: Policy) -> Health:
    """Return the endpoint's health after a failure at `now`: when it is tried again, or why it no longer is."""
    failures = health.failures + 1
    since = now if health.failing_since is None else health.failing_since
    asked_s = min(max(0.0, failure.retry_after_s or 0.0), policy.retry_after_max_s)
    wait_s = max(asked_s, back_off_s(failures, chance=chance, policy=policy))
    error = failure.error[:ERROR_LENGTH]
    after = Health(failures=failures, failing_since=since, next_at=now + wait_s, error=error)
    reason = _why_disabled(after, failure, now, policy)
    return msgspec.structs.replace(after, disabled_at=now, disabled_reason=reason) if reason else after


def _why_disabled(health: Health, failure: Failure, now: float, policy: Policy) -> str:
    if failure.final:
        return health.error
    failing_s = now - (health.failing_since or now)
    if health.failures < policy.give_up_failures or failing_s < policy.give_up_s:
        return ""
    return f"{health.failures} failures in a row over {failing_s / 3600:.1f} h, the last: {health.error}"


class Known(msgspec.Struct, frozen=True):
    """What the dispatcher is told of an endpoint; `waiting`: its queue is not empty and it has an address."""

    campaign_id: int
    health: Health
    waiting: bool


class Dispatcher:
    """Choose which endpoints are served now: one worker an endpoint, `in_flight` in all, the longest unserved first."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: dict[int, Known] = {}
        self._busy: dict[int, bool] = {}
        """Endpoints that are being served, and whether they were failing as that began."""
        self._served: dict[int, int] = {}
        self._turn = 0

    @property
    def busy(self) -> int:
        """Return how many endpoints are being served."""
        return len(self._busy)

    def know(self, endpoints: Iterable[Known]) -> None:
        """Replace what is known of all endpoints; those being served stay so until `end`."""
        self._known = {known.campaign_id: known for known in endpoints}
        self._served = {key: turn for key, turn in self._served.items() if key in self._known}

    def start(self, now: float) -> list[int]:
        """Return the endpoints to serve from now on, each until `end` is called for it."""
        started = []
        for known in sorted(self._known.values(), key=lambda one: self._served.get(one.campaign_id, 0)):
            if self._may_start(known, now):
                self._turn += 1
                self._served[known.campaign_id] = self._turn
                self._busy[known.campaign_id] = known.health.failures > 0
                started.append(known.campaign_id)
        return started

    def end(self, campaign_id: int) -> None:
        """Free the endpoint's place."""
        del self._busy[campaign_id]

    def next_timer(self, now: float) -> float | None:
        """Return when an endpoint that waits by itself is due, None when none is; what is due now needs `end` first."""
        due = [one.health.next_at for one in self._known.values() if self._is_servable(one)]
        return min((at for at in due if at > now), default=None)

    def _is_servable(self, known: Known) -> bool:
        return known.waiting and known.health.disabled_at is None and known.campaign_id not in self._busy

    def _may_start(self, known: Known, now: float) -> bool:
        if not self._is_servable(known) or known.health.next_at > now or self.busy >= self._policy.in_flight:
            return False
        failing = sum(self._busy.values())
        return not known.health.failures or failing < self._policy.in_flight_failing
