"""Ids that need no memory: tags and branches are keyed hashes of what they are for (architecture.md section 3).

Whoever holds the key can CANCEL a call that a dead process placed, and can tell a true response from a forged one.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

MAGIC: Final = "z9hG4bK"
"""How the branches of RFC 3261 begin (section 8.1.1.7)."""


class Ids:
    """Make tags and branches from one key (at most 64 bytes)."""

    __slots__ = ("_branch", "_number", "_tag")

    def __init__(self, key: bytes) -> None:
        # Copies of these have taken the key in already, which is half of the work.
        self._branch = blake2b(digest_size=9, key=key)
        self._number = blake2b(digest_size=6, key=key)
        self._tag = blake2b(digest_size=8, key=key)

    def tag(self, call_id: str, what: str) -> str:
        """Return a tag of 64 bits (section 19.3 asks for 32 or more)."""
        made = self._tag.copy()
        made.update(f"tag/{what}/{call_id}".encode(errors="surrogateescape"))
        return made.hexdigest()

    def branch(self, call_id: str, cseq: int, method: str) -> str:
        """Return the branch of a request; CANCEL and the ACK of a failure bear their INVITE's."""
        made = self._branch.copy()
        made.update(f"{method}/{cseq}/{call_id}".encode(errors="surrogateescape"))
        return MAGIC + made.hexdigest()

    def number(self, call_id: str, what: str, below: int) -> int:
        """Return a whole number 0 .. below - 1 that nobody without the key can foretell."""
        made = self._number.copy()
        made.update(f"number/{what}/{call_id}".encode(errors="surrogateescape"))
        return int.from_bytes(made.digest()) % below
