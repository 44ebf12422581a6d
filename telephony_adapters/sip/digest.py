"""Digest authentication, the client's side (RFC 3261 section 22, RFC 7616, RFC 8760); chance is an argument."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from telephony_adapters.sip.lexical import has_control, parameters, quote, split


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sha512_256(data: bytes) -> str:
    return hashlib.new("sha512_256", data).hexdigest()


HASHES: Final[Mapping[str, Callable[[bytes], str]]] = {"MD5": _md5, "SHA-256": _sha256} | (
    {"SHA-512-256": _sha512_256} if "sha512_256" in hashlib.algorithms_available else {}
)
"""H of each algorithm that this machine has, in hexadecimal (RFC 7616 section 6.1, RFC 8760 section 2.1)."""
DEFAULT_ALLOW: Final = ("SHA-256", "MD5")
"""What may be used, the best first; `-sess` goes with its algorithm."""
HEADERS: Final = {401: "Authorization", 407: "Proxy-Authorization"}
"""The header that answers a status (RFC 3261 sections 22.2 and 22.3)."""

_SESS = "-SESS"
_REALMS_MAX = 16
_STALE_MAX = 3
_SCHEME = re.compile(r"([A-Za-z0-9-]+)[ \t]+(?=[^=\s])")
_CANONICAL = {name.upper() + end: name + end.lower() for name in HASHES for end in ("", _SESS)}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to a realm; realm "" = to any that asks. Its repr keeps the password to itself."""

    username: str
    password: str = field(repr=False)
    realm: str = ""


class Challenge(msgspec.Struct, frozen=True):
    """What a server wants to be answered (RFC 7616 section 3.3)."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    """Canonical where it is known: SHA-256, MD5-sess."""
    names_algorithm: bool = False
    qops: tuple[str, ...] = ()
    opaque: str | None = None
    stale: bool = False

    @property
    def base(self) -> str:
        """Return the algorithm without `-sess`."""
        return self.algorithm.removesuffix("-sess")

    @property
    def has_session_key(self) -> bool:
        """Tell whether the first nonce and cnonce go into the key (RFC 7616 section 3.4.2)."""
        return self.algorithm.endswith("-sess")

    @property
    def qop(self) -> str | None:
        """Return the protection to use; "" = none is offered (RFC 2069); None = none of them is known."""
        if not self.qops:
            return ""
        return next((known for known in ("auth", "auth-int") if known in self.qops), None)

    def is_usable(self, allow: Sequence[str]) -> bool:
        """Tell whether the policy allows it and its protection is known; a session key needs a qop, for its cnonce."""
        return self.base in allow and self.qop is not None and not (self.has_session_key and not self.qops)


class Outcome(StrEnum):
    """What a challenge leads to; all but RETRY end the request."""

    RETRY = "retry"
    WRONG_CREDENTIALS = "the user name or the password is wrong"
    NO_CREDENTIALS = "no credentials for this realm"
    NOT_ALLOWED = "no challenge that the policy allows: no digest, a weaker algorithm, or an unknown qop"


def scheme_parameters(value: str) -> list[tuple[str, dict[str, str]]]:
    """Return (scheme in small letters, parameters) of a header value, also of several joined by commas."""
    found: list[tuple[str, list[str]]] = []
    for part in split(value, ","):
        if begun := _SCHEME.match(part):
            found.append((begun[1].lower(), [part[begun.end() :]]))
        elif found:
            found[-1][1].append(part)
    return [(scheme, parameters(parts)) for scheme, parts in found]


def canonical_algorithm(name: str) -> str:
    """Return an algorithm as RFC 7616 section 6.1 writes it; an unknown one as it is."""
    return _CANONICAL.get(name.upper(), name)


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """Read WWW-Authenticate or Proxy-Authenticate values; other schemes are left out (RFC 3261 section 22.4)."""
    return [
        _challenge(given)
        for value in values
        if not has_control(value)
        for scheme, given in scheme_parameters(value)
        if scheme == "digest" and "realm" in given and given.get("nonce")
    ]


def _challenge(given: dict[str, str]) -> Challenge:
    return Challenge(
        realm=given["realm"],
        nonce=given["nonce"],
        algorithm=canonical_algorithm(given.get("algorithm", "MD5")),
        names_algorithm="algorithm" in given,
        qops=tuple(split(given.get("qop", "").lower(), ",")),
        opaque=given.get("opaque"),
        stale=given.get("stale", "").lower() == "true",
    )


def hashed(base: str, text: str) -> str:
    """Return H(text) in hexadecimal (RFC 7616 section 3.4.1)."""
    return HASHES[base](text.encode("utf-8", "surrogateescape"))


def user_key(base: str, username: str, realm: str, password: str) -> str:
    """Return H(A1) of an algorithm without `-sess` (RFC 7616 section 3.4.2)."""
    return hashed(base, f"{username}:{realm}:{password}")


def session_key(base: str, key: str, nonce: str, cnonce: str) -> str:
    """Return H(A1) of an algorithm with `-sess`; `key` is that without (RFC 7616 section 3.4.2)."""
    return hashed(base, f"{key}:{nonce}:{cnonce}")


def response(
    base: str, key: str, nonce: str, method: str, uri: str, *,
    qop: str = "", nc: str = "", cnonce: str = "", body: bytes = b"",
) -> str:  # fmt: skip
    """Return the request-digest (RFC 7616 section 3.4.1; without qop RFC 2069 section 2.1.2); `key` is H(A1)."""
    request = f"{method}:{uri}"
    if qop == "auth-int":
        request += ":" + HASHES[base](body)
    if not qop:
        return hashed(base, f"{key}:{nonce}:{hashed(base, request)}")
    return hashed(base, f"{key}:{nonce}:{nc}:{cnonce}:{qop}:{hashed(base, request)}")


class Attempt:
    """What one request has tried already: one for each request, kept while it is challenged."""

    __slots__ = ("answered",)

    def __init__(self) -> None:
        self.answered: dict[tuple[str, str], list[str]] = {}
        """Nonces by (header, realm)."""


class _Realm:
    """One realm's last challenge, and how often its nonce was used."""

    __slots__ = ("_count", "_head", "_key", "_session_cnonce", "_tail", "challenge")

    def __init__(self, challenge: Challenge, credentials: Credentials) -> None:
        self.challenge = challenge
        self._count = 0
        self._session_cnonce: str | None = None
        self._key = user_key(challenge.base, credentials.username, challenge.realm, credentials.password)
        named = (("username", credentials.username), ("realm", challenge.realm), ("nonce", challenge.nonce))
        self._head = "Digest " + ", ".join(f"{name}={quote(value)}" for name, value in named)
        self._tail = f", algorithm={challenge.algorithm}" if challenge.names_algorithm else ""
        if challenge.opaque is not None:
            self._tail += f", opaque={quote(challenge.opaque)}"

    def header(self, method: str, uri: str, cnonce: str, body: bytes) -> str:
        """Return the value of one more Authorization (RFC 7616 section 3.4)."""
        challenge = self.challenge
        qop = challenge.qop or ""
        self._count += 1
        nc = f"{self._count:08x}"
        if challenge.has_session_key:
            cnonce = self._session(cnonce)
        answer = response(
            challenge.base, self._key, challenge.nonce, method, uri, qop=qop, nc=nc, cnonce=cnonce, body=body
        )
        protection = f", qop={qop}, nc={nc}, cnonce={quote(cnonce)}" if qop else ""
        return f'{self._head}, uri={quote(uri)}, response="{answer}"{self._tail}{protection}'

    def _session(self, cnonce: str) -> str:
        """Fix the session's key at its first request; servers differ on later cnonces, so there is only this one."""
        if self._session_cnonce is None:
            self._session_cnonce = cnonce
            self._key = session_key(self.challenge.base, self._key, self.challenge.nonce, cnonce)
        return self._session_cnonce


class DigestSession:
    """Answers challenges, and authorises later requests at once by the last nonce of each realm (RFC 7616 section 3.6).

    It may serve a call, or all calls of a trunk at the same time.
    """

    __slots__ = ("_allow", "_credentials", "_realms")

    def __init__(self, credentials: Iterable[Credentials], allow: Sequence[str] = DEFAULT_ALLOW) -> None:
        self._credentials = {each.realm: each for each in credentials}
        self._allow = tuple(allow)
        self._realms: dict[tuple[str, str], _Realm] = {}
        if unknown := [name for name in allow if name not in HASHES]:
            raise ValueError(f"digest algorithms are {', '.join(HASHES)}: change {', '.join(unknown)}")

    def authorize(self, method: str, uri: str, cnonce: str, body: bytes = b"") -> list[tuple[str, str]]:
        """Return the headers (name, value) to add, for users and proxies alike; none before the first challenge.

        `cnonce`: unlike any used before (RFC 7616 section 3.4). An ACK repeats its INVITE's headers instead
        (RFC 3261 section 22.1).
        """
        return [(name, realm.header(method, uri, cnonce, body)) for (name, _), realm in self._realms.items()]

    def challenged(self, status: int, values: Iterable[str], attempt: Attempt) -> Outcome:
        """Take a 401's WWW-Authenticate or a 407's Proxy-Authenticate values (RFC 3261 sections 22.2 and 22.3).

        RETRY: send the request again with what `authorize` says now. Credentials that were just rejected are not
        sent again, unless the nonce was stale (RFC 8760 section 2.4 on several challenges for one realm).
        """
        by_realm: dict[str, list[Challenge]] = {}
        for challenge in parse_challenges(values):
            by_realm.setdefault(challenge.realm, []).append(challenge)
        outcomes = {self._answer(HEADERS[status], offered, attempt) for offered in by_realm.values()}
        ranked = (Outcome.WRONG_CREDENTIALS, Outcome.RETRY, Outcome.NO_CREDENTIALS)
        return next((outcome for outcome in ranked if outcome in outcomes), Outcome.NOT_ALLOWED)

    def _answer(self, name: str, offered: list[Challenge], attempt: Attempt) -> Outcome:
        usable = [challenge for challenge in offered if challenge.is_usable(self._allow)]
        if not usable:
            return Outcome.NOT_ALLOWED
        best = min(usable, key=lambda challenge: self._allow.index(challenge.base))
        credentials = self._credentials.get(best.realm) or self._credentials.get("")
        if credentials is None or len(attempt.answered) >= _REALMS_MAX:
            return Outcome.NO_CREDENTIALS
        tried = attempt.answered.setdefault((name, best.realm), [])
        if tried and (not best.stale or best.nonce in tried or len(tried) > _STALE_MAX):
            return Outcome.WRONG_CREDENTIALS
        tried.append(best.nonce)
        self._adopt((name, best.realm), best, credentials)
        return Outcome.RETRY

    def _adopt(self, key: tuple[str, str], challenge: Challenge, credentials: Credentials) -> None:
        """Keep the challenge for what follows; a nonce that is asked for again goes on counting."""
        known = self._realms.get(key)
        if known and (known.challenge.nonce, known.challenge.algorithm) == (challenge.nonce, challenge.algorithm):
            return
        if known is None and len(self._realms) >= _REALMS_MAX:
            del self._realms[next(iter(self._realms))]
        self._realms[key] = _Realm(challenge, credentials)
