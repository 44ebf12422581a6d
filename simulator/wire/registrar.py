"""Registrations: who is reachable where, and until when (RFC 3261 section 10.3)."""

from __future__ import annotations

from typing import Final, NamedTuple

from simulator.wire.course import Headers
from simulator.wire.profile import Registrar as Bounds
from telephony_adapters.sip.message import Request
from telephony_adapters.sip.uri import UriError, parse_name_addr

_MOST_USERS: Final = 10_000
_MOST_CONTACTS: Final = 10
_DIGITS: Final = 10

OK, BAD_REQUEST, TOO_BRIEF, FULL = 200, 400, 423, 503


class Reply(NamedTuple):
    """A status and its headers."""

    status: int
    headers: Headers = ()


class Registrar:
    """Keep bindings; those that ran out go when somebody looks."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._users: dict[str, dict[str, float]] = {}

    def contacts(self, user: str, now: float) -> dict[str, float]:
        """Return where a user is reachable: the moment when each contact runs out, by URI."""
        live = {uri: until for uri, until in self._users.get(user, {}).items() if until > now}
        if live:
            self._users[user] = live
        else:
            self._users.pop(user, None)
        return live

    def register(self, request: Request, now: float) -> Reply:
        """Take a REGISTER: bind, refresh, unbind or only ask."""
        try:
            user = parse_name_addr(request.get("To") or "").uri
            asked = request.all("Contact")
            wanted = {} if asked == ["*"] else self._wanted(request, asked)
        except UriError:
            return Reply(BAD_REQUEST)
        if asked == ["*"] and request.get("Expires") != "0":
            return Reply(BAD_REQUEST)
        if any(0 < seconds < self.bounds.min_s for seconds in wanted.values()):
            return Reply(TOO_BRIEF, (("Min-Expires", str(self.bounds.min_s)),))
        live = {} if asked == ["*"] else dict(self.contacts(user, now))
        live |= {uri: now + min(seconds, self.bounds.max_s) for uri, seconds in wanted.items()}
        live = {uri: until for uri, until in live.items() if until > now}
        if len(live) > _MOST_CONTACTS or (user not in self._users and len(self._users) >= _MOST_USERS):
            return Reply(FULL, (("Retry-After", "60"),))
        self._users[user] = live
        bound = self.contacts(user, now)
        return Reply(OK, tuple(("Contact", f"<{uri}>;expires={round(until - now)}") for uri, until in bound.items()))

    def _wanted(self, request: Request, asked: list[str]) -> dict[str, float]:
        """Return seconds by contact; 0 unbinds."""
        usual = _seconds(request.get("Expires"), self.bounds.max_s)
        found = [parse_name_addr(value) for value in asked]
        return {contact.uri: _seconds(contact.params.get("expires"), usual) for contact in found}


def _seconds(text: str | None, usual: float) -> float:
    """Read seconds; what cannot be read is as if it were not there (section 10.2.1.1)."""
    good = text is not None and text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return float(text) if good and text is not None else usual
