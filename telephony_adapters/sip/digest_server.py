"""Digest authentication, the server's side: challenges, and checks without a clock (RFC 3261 section 22, RFC 7616)."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from telephony_adapters.sip.digest import (
    DEFAULT_ALLOW,
    HASHES,
    canonical_algorithm,
    response,
    scheme_parameters,
    session_key,
    user_key,
)
from telephony_adapters.sip.lexical import quote

NONCE_LIFETIME_S: Final = 300.0
"""A nonce serves for so long."""
NONCES_MAX: Final = 10_000
"""The counts of so many nonces are remembered; the oldest go first, and are stale from then on."""

_WINDOW = 64
_WINDOW_MASK = (1 << _WINDOW) - 1
_MAC_DIGITS = 32
_STAMP_DIGITS_MAX = 16
_NC_DIGITS = 8
_HEX = frozenset("0123456789abcdefABCDEF")


class Verdict(StrEnum):
    """What an Authorization is worth."""

    GENUINE = "genuine"
    ABSENT = "absent"
    """None for this realm: challenge."""
    MALFORMED = "malformed"
    """Of a form that was not asked for: 400, or challenge again."""
    WRONG = "wrong"
    """The digest is not that of this user: challenge again, or 403."""
    STALE = "stale"
    """The user is right and the nonce is too old, or not ours: challenge with `stale`."""
    REPLAYED = "replayed"
    """The user is right and the nonce count was used before: challenge with `stale`."""


class Checked(NamedTuple):
    """A verdict, and who it is about."""

    verdict: Verdict
    username: str = ""

    @property
    def is_stale(self) -> bool:
        """Tell whether the next challenge says stale=true (RFC 7616 section 3.3)."""
        return self.verdict in {Verdict.STALE, Verdict.REPLAYED}


class DigestServer:
    """Challenges and checks for one realm.

    A nonce is its time and an HMAC of it, so only those that were used take memory. `secret`: at least 16 random
    bytes. `lookup` in `verify` gives the password of a user, or None.
    """

    __slots__ = ("_algorithms", "_counts", "_floor", "_last", "_lifetime_s", "_nonces_max", "_qops", "_secret", "realm")

    def __init__(
        self, realm: str, secret: bytes, *, algorithms: Sequence[str] = DEFAULT_ALLOW, qops: Sequence[str] = ("auth",),
        lifetime_s: float = NONCE_LIFETIME_S, nonces_max: int = NONCES_MAX,
    ) -> None:  # fmt: skip
        self.realm = realm
        self._secret = secret
        self._algorithms = tuple(algorithms)
        self._qops = tuple(qops)
        self._lifetime_s = lifetime_s
        self._nonces_max = nonces_max
        self._last = -1
        self._floor: int | None = None
        self._counts: dict[int, tuple[int, int]] = {}
        if unknown := {name.removesuffix("-sess") for name in algorithms} - HASHES.keys():
            raise ValueError(f"digest algorithms are {', '.join(HASHES)}: change {', '.join(sorted(unknown))}")

    def challenge(self, now: float, *, stale: bool = False) -> list[str]:
        """Return header values, one for each algorithm, the best first, with a new nonce (RFC 8760 section 2.3)."""
        nonce = self._issue(now)
        qop = f', qop="{",".join(self._qops)}"' if self._qops else ""
        tail = ", stale=true" if stale else ""
        head = f'Digest realm={quote(self.realm)}, nonce="{nonce}"'
        return [f"{head}, algorithm={algorithm}{qop}{tail}" for algorithm in self._algorithms]

    def verify(
        self, values: Iterable[str], method: str, *, now: float, lookup: Callable[[str], str | None],
        uri: str | None = None, body: bytes = b"",
    ) -> Checked:  # fmt: skip
        """Check Authorization or Proxy-Authorization values (RFC 3261 section 22.4, RFC 7616 section 3.4.6).

        `uri`: what the digest must be about; None where proxies may have changed it.
        """
        given = self._ours(values)
        if given is None:
            return Checked(Verdict.ABSENT)
        username = given.get("username", "")
        if not self._is_well_formed(given) or (uri is not None and given["uri"] != uri):
            return Checked(Verdict.MALFORMED, username)
        password = lookup(username)
        is_right = hmac.compare_digest(self._expected(given, method, password or "", body), _ascii(given["response"]))
        if not is_right or password is None:
            return Checked(Verdict.WRONG, username)
        return Checked(self._spend(given, now), username)

    def _ours(self, values: Iterable[str]) -> dict[str, str] | None:
        every = (found for value in values for found in scheme_parameters(value))
        return next((given for scheme, given in every if scheme == "digest" and given.get("realm") == self.realm), None)

    def _is_well_formed(self, given: dict[str, str]) -> bool:
        """Tell whether everything is there and nothing is weaker than what was offered."""
        if not all(given.get(name) for name in ("nonce", "uri", "response")):
            return False
        if canonical_algorithm(given.get("algorithm", "MD5")) not in self._algorithms:
            return False
        if not self._qops:
            return "qop" not in given
        nc = given.get("nc", "")
        return given.get("qop") in self._qops and len(nc) == _NC_DIGITS and _HEX.issuperset(nc) and "cnonce" in given

    def _expected(self, given: dict[str, str], method: str, password: str, body: bytes) -> bytes:
        algorithm = canonical_algorithm(given.get("algorithm", "MD5"))
        base, nonce, cnonce = algorithm.removesuffix("-sess"), given["nonce"], given.get("cnonce", "")
        key = user_key(base, given.get("username", ""), self.realm, password)
        if base != algorithm:
            key = session_key(base, key, nonce, cnonce)
        nc, qop = given.get("nc", ""), given.get("qop", "")
        return response(base, key, nonce, method, given["uri"], qop=qop, nc=nc, cnonce=cnonce, body=body).encode()

    def _issue(self, now: float) -> str:
        """Return a nonce: microseconds, each once, and their mark."""
        stamp = self._last = max(self._last + 1, int(now * 1e6))
        if self._floor is None:
            self._floor = stamp - 1
        return f"{stamp:x}-{self._mark(stamp)}"

    def _mark(self, stamp: int) -> str:
        return hmac.digest(self._secret, f"{stamp}:{self.realm}".encode(), "sha256").hex()[:_MAC_DIGITS]

    def _stamp(self, nonce: str) -> int | None:
        """Return when we issued this nonce, in microseconds; None: we did not."""
        digits, _, mark = nonce.partition("-")
        if not 0 < len(digits) <= _STAMP_DIGITS_MAX or not _HEX.issuperset(digits):
            return None
        stamp = int(digits, 16)
        return stamp if hmac.compare_digest(_ascii(mark), self._mark(stamp).encode()) else None

    def _spend(self, given: dict[str, str], now: float) -> Verdict:
        """Use up one count of a nonce (RFC 7616 section 3.4); without qop a nonce serves once."""
        stamp = self._stamp(given["nonce"])
        if stamp is None or self._floor is None or now * 1e6 - stamp > self._lifetime_s * 1e6:
            return Verdict.STALE
        counted = self._counts.get(stamp)
        if counted is None and stamp <= self._floor:
            return Verdict.STALE
        nc = int(given["nc"], 16) if self._qops else 1
        after = _counted(counted or (0, 1), nc)
        if after is None:
            return Verdict.REPLAYED
        self._counts[stamp] = after
        if len(self._counts) > self._nonces_max:
            oldest = next(iter(self._counts))
            del self._counts[oldest]
            self._floor = max(self._floor, oldest)
        return Verdict.GENUINE


def _counted(window: tuple[int, int], nc: int) -> tuple[int, int] | None:
    """Return the window (highest count, bits of those below) with one more; None: seen before, or too far below."""
    highest, seen = window
    if nc > highest:
        return nc, ((seen << (nc - highest)) | 1) & _WINDOW_MASK if nc - highest < _WINDOW else 1
    behind = highest - nc
    return None if behind >= _WINDOW or seen >> behind & 1 else (highest, seen | 1 << behind)


def _ascii(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
