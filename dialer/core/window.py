"""When a campaign may call: weekly slots of local time, holidays closed, exact through daylight saving changes.

A slot opens at `opens_min` and closes at `closes_min` on the local wall clock: an hour that the clocks repeat is open
twice, an hour that they skip does not exist.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import msgspec

from dialer.core.types import CallWindow, CampaignSettings, Purpose, Slot

DAY_S = 86_400
DAY_MIN = 1440
HORIZON_DAYS = 400
"""How far ahead an opening or a closing is looked for: more than a year of holidays."""

_EPOCH = date(1970, 1, 1)


def validate(window: CallWindow) -> None:
    """Raise ValueError naming the field when the window cannot be meant."""
    _zone(window.timezone)
    _closed_dates(window)
    if len(window.weekdays) != 7:  # noqa: PLR2004 -- days in a week
        raise ValueError(f"window.weekdays: need 7 days, Monday first, got {len(window.weekdays)}")
    for weekday, slots in enumerate(window.weekdays):
        _validate_day(f"window.weekdays[{weekday}]", slots)
    if not any(window.weekdays):
        raise ValueError("window.weekdays: every day is empty, so the window can never open; give at least one slot")


def _validate_day(field: str, slots: tuple[Slot, ...]) -> None:
    before: Slot | None = None
    for slot in sorted(slots, key=lambda s: (s.opens_min, s.closes_min)):
        if not (0 <= slot.opens_min <= DAY_MIN and 0 <= slot.closes_min <= DAY_MIN):
            raise ValueError(f"{field}: {_text(slot)} is outside 00:00-24:00 (minutes 0..{DAY_MIN})")
        if slot.opens_min >= slot.closes_min:
            raise ValueError(f"{field}: {_text(slot)} closes before it opens; use two slots to pass midnight")
        if before is not None and slot.opens_min < before.closes_min:
            raise ValueError(f"{field}: {_text(before)} and {_text(slot)} overlap")
        before = slot


def effective(settings: CampaignSettings) -> CallWindow:
    """Return the window that binds: advertising only in the law's hours (local time) unless agreed otherwise.

    Raise ValueError for a window that `validate` refuses, or of which the law leaves nothing.
    """
    window = settings.window
    validate(window)
    lawful = settings.legal.advertising_hours
    if settings.purpose is not Purpose.ADVERTISING or settings.agreed_otherwise or not lawful:
        return window
    legal = tuple(tuple(_within_law(slots, lawful)) for slots in window.weekdays)
    if not any(legal):
        raise ValueError(
            f"window.weekdays: advertising calls are lawful only {', '.join(map(_text, lawful))} (law "
            f"{settings.legal.law}) and no slot lies within these hours; move the slots, or set agreed_otherwise "
            "if the people called agreed"
        )
    return msgspec.structs.replace(window, weekdays=legal)


def _within_law(slots: tuple[Slot, ...], lawful: tuple[Slot, ...]) -> Iterator[Slot]:
    for slot in slots:
        for hours in lawful:
            opens, closes = max(slot.opens_min, hours.opens_min), min(slot.closes_min, hours.closes_min)
            if opens < closes:
                yield Slot(opens, closes)


class WindowClock:
    """Answer when the window is open; the present interval is remembered, so most questions cost two comparisons."""

    def __init__(self, window: CallWindow) -> None:
        validate(window)
        self._zone = _zone(window.timezone)
        self._weekdays = tuple(tuple(sorted(s, key=lambda slot: slot.opens_min)) for s in window.weekdays)
        self._dates, self._public = _closed_dates(window)
        self._since = self._until = 0.0
        self._open = False
        self._change: float | None = None
        """When the present interval ends; None = not within the horizon: look again a day later."""

    def is_open(self, now: float) -> bool:
        """Return whether calls may be placed at this moment."""
        if not self._since <= now < self._until:
            self._look(now)
        return self._open

    def next_open(self, now: float) -> float | None:
        """Return the first moment from `now` on that is open; None when there is none within `HORIZON_DAYS`."""
        return now if self.is_open(now) else self._change

    def next_close(self, now: float) -> float | None:
        """Return the first moment from `now` on that is closed; None when there is none within `HORIZON_DAYS`."""
        return self._change if self.is_open(now) else now

    def local_hour(self, at: float) -> int:
        """Return the hour (0..23) on the window's wall clock."""
        return datetime.fromtimestamp(at, tz=self._zone).hour

    def opened_between(self, after: float, until: float) -> bool:
        """Return whether the window went from closed to open in (after, until]."""
        closed = self.next_close(after)
        opens = self.next_open(closed) if closed is not None and closed <= until else None
        return opens is not None and after < opens <= until

    def _look(self, now: float) -> None:
        """Find the interval, open or closed, that holds `now`."""
        first = math.floor(now / DAY_S)
        end = float((first + HORIZON_DAYS) * DAY_S)
        ahead = (span for day in range(first, first + HORIZON_DAYS) for span in self._intervals(day) if span[1] > now)
        opens, closes = next(ahead, (end, end))
        self._open, self._since = opens <= now, now
        self._until = opens
        if self._open:
            self._until = closes
            for opens, closes in ahead:
                if opens > self._until:
                    break
                self._until = closes
        self._change = self._until if self._until < end else None
        if self._change is None:
            self._until = now + DAY_S

    def _intervals(self, number: int) -> Iterator[tuple[float, float]]:
        """Yield the open intervals (UTC) within one UTC day, in order."""
        for begin, end, offset in self._segments(number * DAY_S, (number + 1) * DAY_S):
            first, last = (begin + offset) // DAY_S, (end + offset - 1) // DAY_S
            for local_day in range(first, last + 1):
                midnight = local_day * DAY_S - offset
                for slot in self._slots(local_day):
                    opens = max(begin, midnight + slot.opens_min * 60)
                    closes = min(end, midnight + slot.closes_min * 60)
                    if opens < closes:
                        yield float(opens), float(closes)

    def _slots(self, local_day: int) -> tuple[Slot, ...]:
        day = _EPOCH + timedelta(days=local_day)
        if day in self._dates or day in self._public:
            return ()
        return self._weekdays[day.weekday()]

    def _segments(self, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Split [begin, end) where the zone's offset changes (at most once in a UTC day): (begin, end, offset)."""
        first, last = self._offset(begin), self._offset(end - 1)
        if first == last:
            yield begin, end, first
            return
        low, high = begin, end - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._offset(middle) == first else (low, middle)
        yield begin, high, first
        yield high, end, last

    def _offset(self, at: int) -> int:
        offset = datetime.fromtimestamp(at, tz=UTC).astimezone(self._zone).utcoffset()
        return round(offset.total_seconds()) if offset is not None else 0


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"window.timezone: there is no time zone {name!r}; write one like Asia/Ho_Chi_Minh") from error


def _closed_dates(window: CallWindow) -> tuple[frozenset[date], Container[date]]:
    dates = set()
    for text in window.holidays:
        try:
            dates.add(date.fromisoformat(text))
        except ValueError as error:
            raise ValueError(f"window.holidays: {text!r} is not a date; write it like 2026-02-17") from error
    country = window.holiday_country
    if country is None:
        return frozenset(dates), ()
    try:
        return frozenset(dates), holidays.country_holidays(country)
    except (NotImplementedError, AttributeError) as error:
        raise ValueError(
            f"window.holiday_country: no holiday calendar for {country!r}; write a code like VN, or list the dates"
        ) from error


def _text(slot: Slot) -> str:
    opens, closes = (f"{m // 60:02d}:{m % 60:02d}" for m in (slot.opens_min, slot.closes_min))
    return f"{opens}-{closes}"
