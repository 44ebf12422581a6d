"""The per-trunk override table: what one carrier's codes really mean (statuses.md 2.10)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from statuses.outcomes import CallStatus, parse_status


class OverrideError(ValueError):
    """The override table cannot be used; the message names the entry, the key and what is expected."""


@dataclass(frozen=True, slots=True)
class Override:
    """Give unanswered calls on `trunk` that match every field that is set this status; setup times in milliseconds."""

    trunk: str
    status: CallStatus
    sip: int | None = None
    q850: int | None = None
    rang: bool | None = None
    min_setup_ms: int | None = None
    max_setup_ms: int | None = None

    @property
    def rule(self) -> str:
        """Name this entry in a verdict."""
        codes = [f".{name}.{code}" for name, code in (("sip", self.sip), ("q850", self.q850)) if code is not None]
        return f"override.{self.trunk}{''.join(codes)}"

    def matches(
        self, trunk: str | None, sip: int | None, q850: int | None, *, rang: bool, setup_ms: int | None
    ) -> bool:
        """Tell whether this entry speaks about such a call; an unknown setup time matches no time limit."""
        return (
            self.trunk == trunk
            and self.sip in (None, sip)
            and self.q850 in (None, q850)
            and self.rang in (None, rang)
            and self._setup_fits(setup_ms)
        )

    def _setup_fits(self, setup_ms: int | None) -> bool:
        if self.min_setup_ms is None and self.max_setup_ms is None:
            return True
        if setup_ms is None:
            return False
        return (self.min_setup_ms or 0) <= setup_ms and (self.max_setup_ms is None or setup_ms <= self.max_setup_ms)


_NUMBERS: Final = {"sip": (300, 699), "q850": (1, 127), "min_setup_ms": (0, None), "max_setup_ms": (0, None)}
_CONDITIONS: Final = (*_NUMBERS, "rang")
_KEYS: Final = ("trunk", "status", *_CONDITIONS)

# An unanswered call cannot have been answered, and a Cancel is our own act, which no carrier's code can prove.
_IMPOSSIBLE: Final = frozenset({CallStatus.ANSWERED, CallStatus.BUSY_LINE, CallStatus.IVR, CallStatus.CANCEL})


def load_overrides(toml_text: str) -> tuple[Override, ...]:
    """Read `[[override]]` entries: trunk, status, and at least one of sip, q850, rang, min_setup_ms, max_setup_ms.

    The first entry that matches a call wins. Raises OverrideError naming the entry, counted from 1, and the key.
    """
    try:
        document = tomllib.loads(toml_text)
    except tomllib.TOMLDecodeError as error:
        raise OverrideError(f"override table is not TOML: {error}") from error
    entries = document.pop("override", [])
    if document:
        raise OverrideError(f"override table: unknown key {next(iter(document))!r}; write [[override]] entries only")
    if not isinstance(entries, list):
        raise OverrideError("override table: write each entry under its own [[override]] line, with two brackets")
    return tuple(_entry(number, entry) for number, entry in enumerate(entries, start=1))


def _entry(number: int, entry: object) -> Override:
    where = f"override {number}"
    if not isinstance(entry, dict):
        raise OverrideError(f"{where}: expected a table of keys, e.g. trunk = 'main'")
    unknown = [key for key in entry if key not in _KEYS]
    if unknown:
        raise OverrideError(f"{where}: unknown key {unknown[0]!r}; use {', '.join(_KEYS)}")
    if not any(key in entry for key in _CONDITIONS):
        raise OverrideError(f"{where}: says nothing about the call; give at least one of {', '.join(_CONDITIONS)}")
    numbers = {key: _number(where, entry, key) for key in _NUMBERS}
    low, high = numbers["min_setup_ms"], numbers["max_setup_ms"]
    if low is not None and high is not None and low > high:
        raise OverrideError(f"{where}: min_setup_ms {low} is above max_setup_ms {high}; no call can match")
    return Override(_trunk(where, entry), _status(where, entry), rang=_rang(where, entry), **numbers)


def _trunk(where: str, entry: Mapping[str, object]) -> str:
    trunk = entry.get("trunk")
    if not isinstance(trunk, str) or not trunk.strip():
        raise OverrideError(f"{where}: trunk must be the name of a trunk, not {trunk!r}")
    return trunk


def _status(where: str, entry: Mapping[str, object]) -> CallStatus:
    text = entry.get("status")
    try:
        status = parse_status(text if isinstance(text, str) else "")
    except ValueError as error:
        raise OverrideError(f"{where}: status: {error}") from error
    if status in _IMPOSSIBLE:
        raise OverrideError(
            f"{where}: status {status.value!r} cannot follow from a carrier's code of an unanswered call"
        )
    return status


def _rang(where: str, entry: Mapping[str, object]) -> bool | None:
    rang = entry.get("rang")
    if rang is not None and not isinstance(rang, bool):
        raise OverrideError(f"{where}: rang must be true or false, not {rang!r}")
    return rang


def _number(where: str, entry: Mapping[str, object], key: str) -> int | None:
    value = entry.get(key)
    low, high = _NUMBERS[key]
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < low or (high is not None and value > high):
        span = f"from {low} to {high}" if high is not None else f"of {low} or more"
        raise OverrideError(f"{where}: {key} must be a whole number {span}, not {value!r}")
    return value
