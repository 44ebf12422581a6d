"""Campaign settings as words: `hours=08:00-12:00,13:00-17:30 days=mon-fri`, one key at a time."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from crm.fields import WrongValue, parse_moment
from crm.laws import law_named
from crm.numbers import Phone, parse_phone
from dialer.core.callback import parse_callback
from dialer.core.pacing.agentless import Agentless
from dialer.core.pacing.registry import PACERS
from dialer.core.types import CampaignKind, CampaignSettings, Offering, Purpose, Slot, Strategy
from dialer.errors import BadInput
from statuses.outcomes import parse_status
from statuses.retry import RetryOrder, RetryRule

Setter: TypeAlias = Callable[[CampaignSettings, str], CampaignSettings]

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SLOT: Final = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_SERVICE_NUMBER: Final = re.compile(r"\d{3,15}")
_SEPARATORS: Final = str.maketrans("", "", " .-()")
_TRUE: Final = frozenset({"yes", "true", "1", "on", "có"})
_FALSE: Final = frozenset({"no", "false", "0", "off", "không"})


def apply_settings(settings: CampaignSettings, changes: Mapping[str, str]) -> CampaignSettings:
    """Return the settings with these keys changed; raise BadInput that names the wrong key and what is allowed."""
    for key, text in _in_order(changes):
        setter = SETTERS.get(key)
        if setter is None:
            raise BadInput(f"{key}: there is no such setting; the settings are: {', '.join(SETTERS)}.")
        try:
            settings = setter(settings, text.strip())
        except (ValueError, BadInput) as error:  # a retry policy and the parsers say what is wrong
            raise BadInput(f"{key}={text}: {error}") from error
    return settings


def _in_order(changes: Mapping[str, str]) -> list[tuple[str, str]]:
    """Put first what others depend on: the kind before its pacer, the zone before times."""
    late = {"law": -2, "kind": -1, "hours": 1, "days": 2, "starts_at": 3, "ends_at": 3}
    return sorted(changes.items(), key=lambda item: late.get(item[0], 0))


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("write a number")
    return value


def _count(text: str) -> int:
    if not text.lstrip("-").isdecimal():
        raise ValueError("write a whole number")
    return int(text)


def _choice(vocabulary: type[StrEnum]) -> Callable[[str], StrEnum]:
    def parse(text: str) -> StrEnum:
        try:
            return vocabulary(text.lower())
        except ValueError as error:
            raise ValueError(f"choose one of: {', '.join(vocabulary)}") from error

    return parse


def _hotline(text: str) -> str:
    """Return the number to show, E.164 where it is one; a service number like 1900... stays as it is."""
    found = parse_phone(text, migrate_2018=False)
    if isinstance(found, Phone):
        return found.e164
    digits = text.translate(_SEPARATORS)
    if not _SERVICE_NUMBER.fullmatch(digits):
        raise ValueError(f"{text} is no number to show; write it like 02873001234 or 19001234")
    return digits


def _yes(text: str) -> bool:
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ValueError("write yes or no")


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _optional(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: parse(text) if text else None


def _set(name: str, parse: Callable[[str], Any]) -> Setter:
    return lambda settings, text: msgspec.structs.replace(settings, **{name: parse(text)})


def _inside(part: str, name: str, parse: Callable[[str], Any]) -> Setter:
    """Make a setter for a field of `window`, `caps` or `legal`."""

    def write(settings: CampaignSettings, text: str) -> CampaignSettings:
        inner = msgspec.structs.replace(getattr(settings, part), **{name: parse(text)})
        return msgspec.structs.replace(settings, **{part: inner})

    return write


def _retry(name: str, parse: Callable[[str], Any]) -> Setter:
    return lambda settings, text: msgspec.structs.replace(
        settings, retry=replace(settings.retry, **{name: parse(text)})
    )


def parse_slots(text: str) -> tuple[Slot, ...]:
    """Read `08:00-12:00,13:00-17:30`."""
    slots = []
    for part in _names(text):
        found = _SLOT.fullmatch(part.replace(" ", ""))
        if found is None or int(found[2]) > 59 or int(found[4]) > 59:  # noqa: PLR2004 - minutes
            raise ValueError("write hours like 08:00-12:00,13:00-17:30")
        slots.append(Slot(int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])))
    if not slots:
        raise ValueError("give at least one slot, like 08:00-17:00")
    return tuple(slots)


def parse_days(text: str) -> frozenset[int]:
    """Read `mon-fri`, `mon,wed,sat-sun`; 0 is Monday."""
    found: set[int] = set()
    for part in _names(text.lower()):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last and last not in _DAYS):
            raise ValueError(f"write days like mon-fri or mon,wed,sat; the days are {', '.join(_DAYS)}")
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        found |= {day % 7 for day in range(start, end + 1 if end >= start else end + 8)}
    if not found:
        raise ValueError("give at least one day, like mon-fri")
    return frozenset(found)


def _hours(settings: CampaignSettings, text: str) -> CampaignSettings:
    slots = parse_slots(text)
    return _week(settings, tuple(slots if day else () for day in settings.window.weekdays))


def _open_days(settings: CampaignSettings, text: str) -> CampaignSettings:
    days = parse_days(text)
    slots = next((day for day in settings.window.weekdays if day), ())
    weekdays = settings.window.weekdays
    return _week(settings, tuple((weekdays[day] or slots) if day in days else () for day in range(7)))


def _kind(settings: CampaignSettings, text: str) -> CampaignSettings:
    """Set the kind, and the pacer that goes with it; `pacer=` may still choose another one."""
    kind = _choice(CampaignKind)(text)
    own = Agentless.name if kind is CampaignKind.AUTODIALER else kind.value
    pacer = own if own in PACERS else settings.pacer
    return msgspec.structs.replace(settings, kind=kind, pacer=pacer)


def _week(settings: CampaignSettings, weekdays: tuple[tuple[Slot, ...], ...]) -> CampaignSettings:
    return msgspec.structs.replace(settings, window=msgspec.structs.replace(settings.window, weekdays=weekdays))


def _moment(name: str) -> Setter:
    def write(settings: CampaignSettings, text: str) -> CampaignSettings:
        try:
            at = parse_moment(text, ZoneInfo(settings.window.timezone))
        except (WrongValue, KeyError, OSError) as error:
            raise ValueError(str(error)) from error
        return msgspec.structs.replace(settings, **{name: at})

    return write


def _rules(text: str) -> dict[Any, RetryRule]:
    """Read `busy:900,no-answered:3600:2`: status, gap in seconds, at most so many times."""
    rules = {}
    for part in _names(text):
        status, *numbers = part.split(":")
        if not 1 <= len(numbers) <= 2:  # noqa: PLR2004 - gap, and perhaps a limit
            raise ValueError("write rules like busy:900,no-answered:3600:2 (status, gap in seconds, limit)")
        limit = _count(numbers[1]) if len(numbers) > 1 else None
        rules[parse_status(status)] = RetryRule(_number(numbers[0]), limit)
    return rules


SETTERS: Final[Mapping[str, Setter]] = MappingProxyType(
    {
        "kind": _kind,
        "purpose": _set("purpose", _choice(Purpose)),
        "pacer": _set("pacer", str),
        "ratio": _set("ratio", _number),
        "max_ratio": _set("max_ratio", _number),
        "max_calls": _set("max_calls", _count),
        "ring_timeout_s": _set("ring_timeout_s", _number),
        "wrap_up_s": _set("wrap_up_s", _number),
        "hopper_size": _set("hopper_size", _count),
        "hotlines": _set("hotlines", lambda text: tuple(dict.fromkeys(_hotline(part) for part in _names(text)))),
        "hotline_strategy": _set("hotline_strategy", str),
        "timezone": _inside("window", "timezone", str),
        "hours": _hours,
        "days": _open_days,
        "holidays": _inside("window", "holiday_country", _optional(str.upper)),
        "closed_on": _inside("window", "holidays", lambda text: frozenset(_names(text))),
        "agreed_otherwise": _set("agreed_otherwise", _yes),
        "max_attempts": _retry("max_attempts", _count),
        "retry_gap_s": _retry("gap_s", _number),
        "retry_on": _retry("retry_on", lambda text: frozenset(parse_status(part) for part in _names(text))),
        "retry_rules": _retry("per_status", _rules),
        "retry_order": _retry("order", _choice(RetryOrder)),
        "short_talk_s": _retry("short_talk_s", _optional(_number)),
        "error_retries": _retry("error_retries", _count),
        "error_gap_s": _retry("error_gap_s", _number),
        "per_24h": _inside("caps", "per_24h", _count),
        "strict_cap": _inside("caps", "strict", _yes),
        "law": _set("legal", lambda text: law_named(text).profile),
        "abandon_limit": _inside("legal", "abandon_limit", _number),
        "connect_within_s": _inside("legal", "connect_within_s", _number),
        "min_ring_s": _inside("legal", "min_ring_s", _number),
        "lockout_s": _inside("legal", "lockout_s", _number),
        "consent": _set("consent", _yes),
        "no_recall_days": _set("no_recall_days", _count),
        "overflow_prompt": _set("overflow_prompt", _optional(str)),
        "overflow_s": _set("overflow_s", _number),
        "best_time": _set("best_time", _yes),
        "record": _set("record", _yes),
        "starts_at": _moment("starts_at"),
        "ends_at": _moment("ends_at"),
        "end_when_done": _set("end_when_done", _yes),
        "inbound": _set("inbound", _yes),
        "offering": _set("offering", _choice(Offering)),
        "offer_s": _set("offer_s", _number),
        "strategy": _set("strategy", _choice(Strategy)),
        "queue_s": _set("queue_s", _number),
        "prompt": _set("prompt", _optional(str)),
        "script": _set("script", _optional(str)),
        "callback_url": _set("callback_url", _optional(parse_callback)),
    }
)
"""Every setting that a person may write, by its key."""
