"""Which numbers may be called at all: toll fraud stops here, whatever the engine or a leaked token asks for; pure.

Only Vietnamese mobile and geographic numbers may, unless the installation lists more. Every caller of `may_call` gets
the same answer for the same number and rules: it keeps nothing and raises nothing.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, NamedTuple, cast

import msgspec

from telephony_adapters.trunks.prefixes import longest
from telephony_adapters.trunks.reading import Key, mapping, several, text, whole

VIETNAM: Final = (
    "842",
    *(f"84{first}" for first in range(32, 40)),
    *(f"84{first}" for first in (52, 55, 56, 58, 59, 70, 76, 77, 78, 79)),
    *(f"84{first}" for first in (*range(81, 95), 96, 97, 98, 99)),
)  # fmt: skip
"""The Vietnamese plan of E.164 for people's phones: geographic 2, mobile 3 5 7 8 9 as they are assigned."""
VIETNAM_WORD: Final = "vietnam"
"""In a list of allowed prefixes: all of VIETNAM."""


class RefusalReason(StrEnum):
    """Why a number is not called."""

    CHARACTERS = "characters"
    LENGTH = "length"
    NOT_LISTED = "not_listed"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    SATELLITE = "satellite"
    REFUSED = "refused"


EXPENSIVE: Final[Mapping[str, RefusalReason]] = {
    "841900": RefusalReason.PREMIUM,
    "841800": RefusalReason.SHARED_COST,
    "979": RefusalReason.PREMIUM,
    "808": RefusalReason.SHARED_COST,
    "870": RefusalReason.SATELLITE,
    "881": RefusalReason.SATELLITE,
    "882": RefusalReason.SATELLITE,
    "883": RefusalReason.SATELLITE,
    "878": RefusalReason.SATELLITE,
}
"""Ranges that fraud lives on: refused unless exactly these, or longer ones in them, are listed (ITU-T E.164 codes)."""

_WORDS: Final[Mapping[RefusalReason, tuple[str, str]]] = {
    RefusalReason.CHARACTERS: ("không phải là số E.164", "it is not a number of E.164: digits after a + at most"),
    RefusalReason.LENGTH: ("số quá ngắn hoặc quá dài", "it is shorter or longer than what may be called"),
    RefusalReason.NOT_LISTED: ("đầu số không nằm trong danh sách được gọi", "no prefix that may be called fits it"),
    RefusalReason.PREMIUM: ("số dịch vụ tính phí cao", "premium rate"),
    RefusalReason.SHARED_COST: ("số dịch vụ chia sẻ cước", "a service of shared cost"),
    RefusalReason.SATELLITE: ("số vệ tinh hoặc mạng toàn cầu", "a satellite or global network"),
    RefusalReason.REFUSED: ("đầu số bị chặn trong cấu hình", "the settings refuse it"),
}


class Refusal(NamedTuple):
    """Why a number is not called, and by which prefix; `note` is what the settings say of it."""

    reason: RefusalReason
    prefix: str = ""
    note: str = ""

    def words(self, lang: str = "en") -> str:
        """Return the reason in words, Vietnamese or English; the number is not in them."""
        vi, en = _WORDS[self.reason]
        more = ": ".join(filter(None, (self.prefix, self.note)))
        return f"{vi if lang == 'vi' else en}{f' ({more})' if more else ''}"


def _listed(raw: object) -> tuple[str, ...]:
    each = text("digits of E.164 without the plus, or vietnam", rf"[1-9][0-9]*|{VIETNAM_WORD}")
    found = cast("tuple[str, ...]", several(each, "").read(raw))
    return tuple(prefix for one in found for prefix in (VIETNAM if one == VIETNAM_WORD else (one,)))


class Numbers(msgspec.Struct, frozen=True):
    """Which numbers may be called; of `allow` and `refuse` the longest prefix that fits decides, `refuse` a tie."""

    allow: Annotated[tuple[str, ...], Key('a list of prefixes such as ["vietnam", "6591"]', _listed)] = VIETNAM
    refuse: Annotated[
        Mapping[str, str],
        mapping(
            text("digits of E.164 without the plus", r"[1-9][0-9]*"),
            text("why, in words"),
            'a table of prefixes and why, such as "8490123" = "our own lines"',
        ),
    ] = {}
    min_digits: Annotated[int, whole(3, 15)] = 9
    max_digits: Annotated[int, whole(3, 15)] = 15


_E164: Final = re.compile(r"\+?([1-9][0-9]*)")


def may_call(number: str, numbers: Numbers) -> Refusal | None:
    """Return why a number (E.164, with or without its plus) may not be called, None if it may."""
    found = _E164.fullmatch(number)
    if found is None:
        return Refusal(RefusalReason.CHARACTERS)
    digits = found[1]
    if not numbers.min_digits <= len(digits) <= numbers.max_digits:
        return Refusal(RefusalReason.LENGTH)
    allowed = longest(numbers.allow, digits)
    if allowed is None:
        return _expensive(digits) or Refusal(RefusalReason.NOT_LISTED)
    return _refused(digits, allowed, numbers.refuse) or _expensive(digits, allowed)


def _refused(digits: str, allowed: str, refuse: Mapping[str, str]) -> Refusal | None:
    prefix = longest(refuse, digits)
    if prefix is None or len(prefix) < len(allowed):
        return None
    return Refusal(RefusalReason.REFUSED, prefix, refuse[prefix])


def _expensive(digits: str, allowed: str = "") -> Refusal | None:
    """Refuse what is expensive, unless the very range or a part of it is listed."""
    prefix = longest(EXPENSIVE, digits)
    return Refusal(EXPENSIVE[prefix], prefix) if prefix is not None and len(prefix) > len(allowed) else None


class MinuteCeiling:
    """Let at most so many calls a minute through one trunk: in no 60 seconds more than `most`, 0 = no ceiling."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._latest: deque[float] = deque(maxlen=most)

    def next_at(self, now: float) -> float:
        """Return when the next call may leave; a clock that steps back brings it no nearer."""
        full = self._most and len(self._latest) == self._most
        return max(now, self._latest[0] + _MINUTE_S) if full else now

    def count(self, at: float) -> None:
        """Count a call that leaves at a moment, which may lie ahead; moments in the past count as the latest."""
        self._latest.append(max(at, self._latest[-1]) if self._latest else at)


_MINUTE_S: Final = 60.0
