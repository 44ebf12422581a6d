"""Session timers (RFC 4028): how often a call is refreshed, by whom, and when it is given up; no clock inside.

uac and uas are the roles in the request at hand, not those of the call's beginning (RFC 4028 section 7.4).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from telephony_adapters.sip.lexical import parameters, split, whole_number

MIN_SE_S: Final = 90
"""No session interval is shorter (RFC 4028 section 5)."""
DEFAULT_S: Final = 1800
"""The interval that RFC 4028 section 4.2 recommends."""
MAX_S: Final = 86_400
"""We ask for no longer one: a dead call would stay for so long."""

UAC: Final = "uac"
"""The one who sent the request refreshes."""
UAS: Final = "uas"
"""The one who answered it refreshes."""

_MARGIN_S = 32.0
_ASKS_MAX = 3

Header = tuple[str, str]


class SessionExpires(NamedTuple):
    """A Session-Expires header (RFC 4028 section 4)."""

    interval_s: int
    refresher: str = ""
    """uac, uas, or "" = not said."""

    def __str__(self) -> str:
        """Write its value."""
        return f"{self.interval_s};refresher={self.refresher}" if self.refresher else str(self.interval_s)


class SessionTimer(NamedTuple):
    """A running session timer; `at` is when it was agreed or refreshed, in seconds."""

    interval_s: int
    we_refresh: bool
    at: float

    @property
    def next_refresh(self) -> float | None:
        """Return when to send a refresh: at half the interval (RFC 4028 section 7.2); None: the peer does."""
        return self.at + self.interval_s / 2 if self.we_refresh else None

    @property
    def expires_at(self) -> float:
        """Return when to give up, with BYE: 32 s or a third of the interval before its end (RFC 4028 section 10)."""
        return self.at + self.interval_s - min(_MARGIN_S, self.interval_s / 3)

    @property
    def due(self) -> float:
        """Return when something is to be done first."""
        return self.expires_at if self.next_refresh is None else self.next_refresh


class Ask(NamedTuple):
    """What a UAC asks for in INVITE, re-INVITE or UPDATE (RFC 4028 sections 7.1 and 7.4)."""

    interval_s: int = DEFAULT_S
    refresher: str = ""
    """"" leaves the choice to the peer, as an initial INVITE should."""
    min_se_s: int = MIN_SE_S
    asked: int = 1
    """How many times, 422s included."""

    def headers(self) -> list[Header]:
        """Return what to put into the request; Supported: timer is the caller's."""
        headers = [("Session-Expires", str(SessionExpires(self.interval_s, self.refresher)))]
        return [*headers, ("Min-SE", str(self.min_se_s))] if self.min_se_s > MIN_SE_S else headers

    def after_422(self, min_se: str | None) -> Ask | None:
        """Return what to ask next after 422 Session Interval Too Small (RFC 4028 section 7.3); None: give up."""
        least = parse_min_se(min_se)
        if self.asked >= _ASKS_MAX or not self.interval_s < least <= MAX_S:
            return None
        return self._replace(interval_s=least, min_se_s=max(least, self.min_se_s), asked=self.asked + 1)

    def accepted(self, session_expires: str | None, now: float) -> SessionTimer | None:
        """Return the timer that a 2xx starts; None: the session does not expire (RFC 4028 section 7.2)."""
        agreed = parse_session_expires(session_expires)
        if agreed is None:
            return None
        # A UAS must name the refresher (section 9); where it does not, to refresh in vain is the lesser harm.
        return SessionTimer(max(agreed.interval_s, MIN_SE_S), agreed.refresher != UAS, now)


def refresh(timer: SessionTimer, min_se_s: int = MIN_SE_S) -> Ask:
    """Return what the next re-INVITE or UPDATE in a call with a timer asks for (RFC 4028 section 7.4)."""
    return Ask(max(timer.interval_s, min_se_s), UAC if timer.we_refresh else UAS, min_se_s)


class Grant(NamedTuple):
    """What a UAS says to an INVITE, re-INVITE or UPDATE (RFC 4028 section 9)."""

    headers: tuple[Header, ...] = ()
    """For the 2xx, or for the 422."""
    timer: SessionTimer | None = None
    is_too_small: bool = False
    """Refuse with 422, and these headers."""


def grant(
    session_expires: str | None, min_se: str | None, *,
    supported: bool, now: float, wanted_s: int = DEFAULT_S, least_s: int = MIN_SE_S, refresher: str = UAC,
) -> Grant:  # fmt: skip
    """Return what a UAS answers (RFC 4028 section 9, table 2).

    `supported`: the request has Supported: timer. `wanted_s`: the longest interval that we want. `least_s`: our own
    Min-SE. `refresher`: who shall refresh when the request leaves it to us.
    """
    asked = parse_session_expires(session_expires)
    least_s = max(least_s, MIN_SE_S)
    if asked and asked.interval_s < least_s and supported:
        return Grant((("Min-SE", str(least_s)),), is_too_small=True)
    floor = max(least_s, parse_min_se(min_se))
    longest_s = max(asked.interval_s, least_s) if asked else floor + wanted_s
    interval_s = min(max(min(longest_s, wanted_s), floor), longest_s)
    chosen = (asked.refresher if asked and asked.refresher else refresher) if supported else UAS
    timer = SessionTimer(interval_s, we_refresh=chosen == UAS, at=now)
    expires = ("Session-Expires", str(SessionExpires(interval_s, chosen)))
    return Grant((("Require", "timer"), expires) if chosen == UAC else (expires,), timer)


def parse_session_expires(value: str | None) -> SessionExpires | None:
    """Read a Session-Expires value (RFC 4028 section 4); None when there is none or it has no number."""
    first, *rest = split(value or "", ";") or [""]
    if not (seconds := whole_number(first)):
        return None
    refresher = parameters(rest).get("refresher", "").lower()
    return SessionExpires(seconds, refresher if refresher in {UAC, UAS} else "")


def parse_min_se(value: str | None) -> int:
    """Read a Min-SE value; 90 when there is none, or less (RFC 4028 section 5)."""
    first, *_ = split(value or "", ";") or [""]
    return max(whole_number(first) or 0, MIN_SE_S)
