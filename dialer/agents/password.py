"""Agents' passwords: made by us, kept as Mosquitto keeps them, so that its password file needs no password."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Final

ROUNDS: Final = 1_000
"""Of PBKDF2. What is guessed here has 128 bits of chance: more rounds would only make signing in slow."""
_SALT_BYTES: Final = 12
_KEY_BYTES: Final = 64
_PARTS: Final = 5


def new_password() -> str:
    """Return a password of 128 bits."""
    return secrets.token_urlsafe(16)


def hashed(password: str) -> str:
    """Return the salted hash: $7$ROUNDS$SALT$KEY, PBKDF2-HMAC-SHA512 (Mosquitto's password file)."""
    salt = secrets.token_bytes(_SALT_BYTES)
    key = _key(password, salt, ROUNDS)
    return f"$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def matches(password: str, stored: str) -> bool:
    """Tell whether this is the password of a hash; a damaged hash is nobody's."""
    parts = stored.split("$")
    if len(parts) != _PARTS or parts[:2] != ["", "7"] or not parts[2].isdecimal():
        return False
    try:
        salt, key = base64.b64decode(parts[3], validate=True), base64.b64decode(parts[4], validate=True)
    except binascii.Error:
        return False
    return hmac.compare_digest(_key(password, salt, int(parts[2])), key)


def _key(password: str, salt: bytes, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, _KEY_BYTES)
