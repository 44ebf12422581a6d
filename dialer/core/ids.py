"""Identity is ours: call ids are UUIDv7 (RFC 9562 section 5.7) made from the time and what the call is for."""

from __future__ import annotations

from hashlib import blake2b

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RAND_A = ((1 << 12) - 1) << 64
_RAND_B = (1 << 62) - 1


def uuid7(now: float, *, purpose: str) -> str:
    """Return the UUIDv7 of a moment (UTC epoch seconds); its random bits are a hash of `purpose`: same in, same out."""
    digest = int.from_bytes(blake2b(purpose.encode(), digest_size=16).digest())
    value = ((int(now * 1000) & 0xFFFF_FFFF_FFFF) << 80) | _VERSION | _VARIANT | (digest & (_RAND_A | _RAND_B))
    text = f"{value:032x}"  # `uuid.UUID` would take longer than all the rest; a call has about seven events
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def call_id(campaign_id: int, lead_id: int, attempt_no: int, epoch: int, now: float) -> str:
    """Return the id of one attempt; adapters use it on the switch."""
    return uuid7(now, purpose=f"{campaign_id}/{lead_id}/{attempt_no}/{epoch}")
