"""Sign-in: the password, one-time links and sessions; `web.guard` is the one place that asks for them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from store.models import AppSetting, User
from store.open import readers

ADMIN: Final = "admin"
PASSWORD_MIN: Final = 10
PASSWORD_MAX: Final = 256
SESSION_S: Final = 12 * 3600.0
LINK_S: Final = 900.0
_USED: Final = "login.used."


@dataclass(slots=True)
class Throttle:
    """Slow down guessing: after `allowed` wrong passwords within `window_s`, from one address, make it wait.

    `everyone` bounds the wrong passwords of all addresses together, so that many addresses do not help.
    """

    allowed: int = 5
    everyone: int = 50
    window_s: float = 300.0
    _wrong: dict[str, deque[float]] = field(default_factory=dict)

    def wait_s(self, address: str, *, now: float) -> float:
        """Return how many seconds this address has to wait; 0 = it may try."""
        self._forget(now)
        waits = [0.0]
        mine = self._wrong.get(address, deque())
        if len(mine) >= self.allowed:
            waits.append(mine[-self.allowed] + self.window_s - now)
        everything = sorted(at for times in self._wrong.values() for at in times)
        if len(everything) >= self.everyone:
            waits.append(everything[-self.everyone] + self.window_s - now)
        return max(waits)

    def wrong(self, address: str, *, now: float) -> None:
        """Note one wrong password."""
        self._wrong.setdefault(address, deque(maxlen=self.allowed)).append(now)

    def right(self, address: str) -> None:
        """Forget the address's wrong passwords after a right one."""
        self._wrong.pop(address, None)

    def _forget(self, now: float) -> None:
        for address, times in list(self._wrong.items()):
            while times and times[0] <= now - self.window_s:
                times.popleft()
            if not times:
                del self._wrong[address]


@dataclass(slots=True)
class Passwords:
    """The administrator's password, kept as an argon2id hash in the store."""

    engine: AsyncEngine
    _hasher: PasswordHasher = field(default_factory=PasswordHasher)

    async def is_set(self) -> bool:
        """Say whether a password exists; before that the console asks for one."""
        async with readers(self.engine).connect() as db:
            return bool(await db.scalar(select(func.count()).select_from(User)))

    async def set_first(self, password: str, *, now: float) -> bool:
        """Store the very first password; False when somebody else was quicker."""
        hashed = await asyncio.to_thread(self._hasher.hash, password)
        try:
            async with self.engine.begin() as db:
                await db.execute(insert(User).values(name=ADMIN, password_hash=hashed, created_at=now))
        except IntegrityError:
            return False
        return True

    async def matches(self, password: str) -> bool:
        """Check a password against the stored hash, in a thread because argon2 is slow on purpose."""
        async with readers(self.engine).connect() as db:
            hashed = await db.scalar(select(User.password_hash).where(User.name == ADMIN))
        return hashed is not None and await asyncio.to_thread(self._verify, hashed, password)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False


def _signature(secret: str, body: str) -> str:
    return hmac.new(secret.encode(), f"login-link:{body}".encode(), hashlib.sha256).hexdigest()


def make_login_token(secret: str, *, now: float, ttl_s: float = LINK_S) -> str:
    """Make a token for `/login?token=...`: random, signed with the session secret, good once and until it expires."""
    body = f"{int(now + ttl_s)}.{secrets.token_urlsafe(18)}"
    return f"{body}.{_signature(secret, body)}"


async def redeem_login_token(engine: AsyncEngine, secret: str, token: str, *, now: float) -> bool:
    """Accept a token at most once; the used ones are remembered in the store until they would have expired."""
    body, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(secret, body).encode()):
        return False
    expires, _, nonce = body.partition(".")
    if int(expires) <= now:
        return False
    try:
        async with engine.begin() as db:
            await db.execute(insert(AppSetting).values(key=_USED + nonce, value=expires))
            stale = AppSetting.key.startswith(_USED, autoescape=True) & (AppSetting.value < str(int(now)))
            await db.execute(delete(AppSetting).where(stale))
    except IntegrityError:
        return False
    return True


@dataclass(slots=True)
class Sessions:
    """Who is signed in: a signed cookie names the session, and signing out ends it for every copy of the cookie."""

    now: Callable[[], float]
    _ended: dict[str, float] = field(default_factory=dict)

    def open(self, session: MutableMapping[str, Any], *, user: str) -> None:
        """Sign the reader in."""
        session.update(user=user, sid=secrets.token_urlsafe(12), until=self.now() + SESSION_S)

    def close(self, session: MutableMapping[str, Any]) -> None:
        """Sign the reader out; the language stays."""
        now = self.now()
        self._ended = {sid: until for sid, until in self._ended.items() if until > now}
        if isinstance(sid := session.get("sid"), str):
            self._ended[sid] = now + SESSION_S
        for key in ("user", "sid", "until"):
            session.pop(key, None)

    def is_open(self, session: MutableMapping[str, Any]) -> bool:
        """Say whether this session may see the console."""
        until = session.get("until")
        return (
            isinstance(until, int | float)
            and until > self.now()
            and bool(session.get("user"))
            and session.get("sid") not in self._ended
        )
