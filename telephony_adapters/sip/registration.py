"""Registration with a registrar, kept alive (RFC 3261 section 10.2): what to send when, and what answers come to.

The owner sends the REGISTER (one Call-ID, growing CSeq), answers challenges, and passes on the final response.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

from telephony_adapters.sip.lexical import QUOTED, parameters, split, whole_number
from telephony_adapters.sip.reason import parse_retry_after

EXPIRES_S: Final = 3600
"""What we ask for."""
REFRESH_AT: Final = 0.8
"""A registration is refreshed when so much of its time has passed."""
BACK_OFF_S: Final = 30.0
"""First wait after a failure; it doubles (RFC 5626 section 4.5)."""
BACK_OFF_MAX_S: Final = 1800.0
"""The longest wait (RFC 5626 section 4.5)."""

_EXPIRES_MAX_S = 604_800
_SOONEST_S = 1.0
_TOO_BRIEF = 423
_MULTIPLE_CHOICES = 300
_OK = 200
_LONGER_MAX = 3
_NAME_ADDR = re.compile(rf'(?:[^"<]++|{QUOTED})*+<([^>]*+)>(.*)', re.DOTALL)
_PASSING = frozenset({408, 430, 480, 486, 491, 500, 502, 503, 504, 513, 600})
"""Failures that may pass by themselves; others mostly need a person, at the carrier or here (RFC 3261 section 21)."""


class State(StrEnum):
    """Where a registration stands."""

    IDLE = "idle"
    """Nothing was asked for."""
    REGISTERING = "registering"
    """A REGISTER is under way."""
    REGISTERED = "registered"
    FAILING = "failing"
    """Tried again at `next_at`."""
    REFUSED = "refused"
    """A person must change something; tried again at `next_at`, after the longest wait: it may be the carrier's."""
    UNREGISTERING = "unregistering"
    GONE = "gone"
    """Unregistered."""


class Register(NamedTuple):
    """Send a REGISTER with these headers (RFC 3261 section 10.2)."""

    headers: tuple[tuple[str, str], ...]


class Answer(NamedTuple):
    """A final response to a REGISTER; what was made here of silence is 408, of a broken transport 503."""

    status: int
    contacts: tuple[str, ...] = ()
    """Contact values, one binding each."""
    expires: str | None = None
    min_expires: str | None = None
    retry_after: str | None = None


class Registration:
    """One binding of one contact. Times are in seconds; `jitter` is a number in [0, 1)."""

    __slots__ = (
        "_asked_s", "_closing", "_contact", "_failures", "_lengthened", "next_at", "state", "status", "valid_to",
    )  # fmt: skip

    def __init__(self, contact: str, *, expires_s: int = EXPIRES_S) -> None:
        """`contact`: a URI, without angle brackets."""
        self._contact = contact
        self._asked_s = expires_s
        self._failures = self._lengthened = 0
        self._closing = False
        self.state = State.IDLE
        self.status: int | None = None
        """The last final status."""
        self.next_at: float | None = None
        """When to call `poll` next; None: only an answer or an order changes anything."""
        self.valid_to: float | None = None
        """When the registrar forgets us; None: it does not know us."""

    def is_registered(self, now: float) -> bool:
        """Tell whether the registrar knows our contact, also while a refresh is under way or fails."""
        return self.valid_to is not None and now < self.valid_to

    def start(self, now: float) -> None:
        """Register at the next `poll`; also after REFUSED and GONE. While a REGISTER is under way it does nothing."""
        self._closing = False
        if self.state not in {State.REGISTERING, State.UNREGISTERING}:
            self._failures = self._lengthened = 0
            self.next_at = now

    def stop(self, now: float) -> None:
        """Unregister; a REGISTER that is under way is waited for (RFC 3261 section 10.2)."""
        self._closing = True
        if self.state not in {State.REGISTERING, State.UNREGISTERING}:
            self.next_at = now

    def poll(self, now: float) -> Register | None:
        """Return what to send, if anything is due."""
        if self.next_at is None or now < self.next_at:
            return None
        self.next_at = None
        if self._closing:
            return self._close(now)
        self.state = State.REGISTERING
        return self._register(self._asked_s)

    def answered(self, answer: Answer, now: float, jitter: float) -> None:
        """Take the final response to the last REGISTER (RFC 3261 sections 10.2.4, 10.2.8 and 10.3)."""
        self.status = answer.status
        if self.state is State.UNREGISTERING:
            self._closed(now)
        elif _OK <= answer.status < _MULTIPLE_CHOICES:
            self._bound(answer, now, jitter)
        elif answer.status == _TOO_BRIEF and self._longer(answer.min_expires):
            self.state, self.next_at = State.FAILING, now
        elif answer.status == _TOO_BRIEF or answer.status in _PASSING:
            self._failed(answer, now, jitter)
        else:
            self.state, self.valid_to = State.REFUSED, None
            self.next_at = now + BACK_OFF_MAX_S * (0.5 + jitter / 2)
        if self._closing and self.state is not State.GONE:
            self.next_at = now

    def _register(self, expires_s: int) -> Register:
        return Register((("Contact", f"<{self._contact}>;expires={expires_s}"), ("Expires", str(expires_s))))

    def _close(self, now: float) -> Register | None:
        if not self.is_registered(now):
            self._closed(now)
            return None
        self.state = State.UNREGISTERING
        return self._register(0)

    def _closed(self, now: float) -> None:
        """Be gone, whatever the registrar said; go on where a `start` came meanwhile."""
        self.state, self.valid_to = State.GONE, None
        self._failures = 0
        self.next_at = None if self._closing else now
        self._closing = False

    def _bound(self, answer: Answer, now: float, jitter: float) -> None:
        granted_s = self._granted(answer)
        if not granted_s:
            self._failed(answer, now, jitter)
            return
        self._failures = self._lengthened = 0
        self.state = State.REGISTERED
        self.valid_to = now + granted_s
        self.next_at = now + max(_SOONEST_S, granted_s * REFRESH_AT)

    def _granted(self, answer: Answer) -> int:
        """Return for how long our contact is bound: its own expires, else Expires, else what we asked for."""
        bindings = [_binding(contact) for contact in answer.contacts]
        bound = next((given for uri, given in bindings if _same(uri, self._contact)), None)
        if bound is None and len(bindings) == 1:
            bound = bindings[0][1]  # a border controller shows its own address
        elif bound is None and bindings:
            return 0
        own = whole_number((bound or {}).get("expires", ""))
        said = own if own is not None else whole_number(answer.expires or "")
        return min(self._asked_s if said is None else said, _EXPIRES_MAX_S)

    def _longer(self, min_expires: str | None) -> bool:
        """Ask for more time after 423 Interval Too Brief; tell whether that makes sense, a few times."""
        least_s = whole_number(min_expires or "")
        if least_s is None or not self._asked_s < least_s <= _EXPIRES_MAX_S or self._lengthened >= _LONGER_MAX:
            return False
        self._asked_s = least_s
        self._lengthened += 1
        return True

    def _failed(self, answer: Answer, now: float, jitter: float) -> None:
        """Wait between half and the whole of a time that doubles (RFC 5626 section 4.5), or as Retry-After says."""
        wait_s = min(BACK_OFF_MAX_S, BACK_OFF_S * 2 ** min(self._failures, 16)) * (0.5 + jitter / 2)
        self._failures += 1
        self.state = State.FAILING
        asked = parse_retry_after(answer.retry_after or "")
        self.next_at = now + max(wait_s, min(asked.delay_s, BACK_OFF_MAX_S) if asked else 0.0)
        if not self.is_registered(now):
            self.valid_to = None


def _binding(contact: str) -> tuple[str, dict[str, str]]:
    """Return the URI and the parameters of a Contact value."""
    if found := _NAME_ADDR.match(contact):
        return found[1].strip(), parameters(split(found[2], ";"))
    uri, *parts = split(contact, ";") or [""]
    return uri, parameters(parts)


def _same(one: str, other: str) -> bool:
    """Tell whether two URIs are our contact: user, host and port; registrars add and drop parameters."""
    return one.partition(";")[0].lower() == other.partition(";")[0].lower()
