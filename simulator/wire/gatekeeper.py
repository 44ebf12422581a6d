"""Who may come in: the carrier's digest challenges, as a profile or a scene wants them (RFC 7616, RFC 8760)."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final, NamedTuple

from simulator.wire.course import Headers, Login
from simulator.wire.profile import Auth, Challenges
from telephony_adapters.sip.digest_server import DigestServer, Verdict
from telephony_adapters.sip.message import Request

USER, PROXY = 401, 407
_ASKS: Final = {USER: "WWW-Authenticate", PROXY: "Proxy-Authenticate"}
_BEARS: Final = {USER: "Authorization", PROXY: "Proxy-Authorization"}
_ONLY: Final[Mapping[Login, tuple[str, ...]]] = {Login.MD5: ("MD5",), Login.SHA256: ("SHA-256",)}
_WANTS: Final = frozenset({"INVITE", "REGISTER"})


class Refusal(NamedTuple):
    """A 401 or 407 and its challenges."""

    status: int
    headers: Headers


class Gatekeeper:
    """Judge credentials; the same seed and times give the same nonces."""

    def __init__(self, auth: Auth, *, seed: int) -> None:
        self._auth = auth
        self._passwords = {user.name: user.password for user in auth.users}
        self._secret = blake2b(f"{seed}/nonce".encode(), digest_size=32).digest()
        self._server = self._made(auth.algorithms)
        self._only = {login: self._made(algorithms) for login, algorithms in _ONLY.items()}

    def wants(self, method: str) -> bool:
        """Tell whether the profile asks a method outside a call for credentials."""
        challenge = self._auth.challenge
        return challenge is Challenges.ALL or (challenge is Challenges.INVITE and method in _WANTS)

    def judge(self, request: Request, now: float, *, login: Login = Login.PROFILE, refused: int = 0) -> Refusal | None:
        """Return how to refuse a request, None when it may come in; `refused`: how often its call was before.

        REGISTER and OPTIONS are asked with 401, an INVITE with 407 unless its scene says otherwise.
        """
        if login is Login.PROFILE and not self.wants(request.method):
            return None
        status = USER if login is Login.USER or request.method != "INVITE" else PROXY
        server = self._only.get(login, self._server)
        found = server.verify(request.all(_BEARS[status]), request.method, now=now, lookup=self._passwords.get)
        if found.verdict is not Verdict.GENUINE:
            return self._refusal(server, status, now, stale=found.is_stale)
        return self._refusal(server, status, now, stale=True) if login is Login.STALE and refused == 1 else None

    def challenge(self, status: int, now: float) -> Headers:
        """Return the challenges of a 401 or 407 that nothing will satisfy."""
        return self._refusal(self._server, status, now, stale=False).headers

    def _made(self, algorithms: tuple[str, ...]) -> DigestServer:
        auth = self._auth
        return DigestServer(auth.realm, self._secret, algorithms=algorithms, lifetime_s=auth.nonce_s)

    @staticmethod
    def _refusal(server: DigestServer, status: int, now: float, *, stale: bool) -> Refusal:
        values = server.challenge(now, stale=stale)
        return Refusal(status, tuple((_ASKS[status], value) for value in values))
