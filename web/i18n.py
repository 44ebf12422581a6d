"""Words, numbers and times in the reader's language: Vietnamese by default, English by a switch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from web.texts import TEXTS

Lang: TypeAlias = Literal["vi", "en"]
DEFAULT_LANG: Final[Lang] = "vi"
DEFAULT_ZONE: Final = "Asia/Ho_Chi_Minh"
_INDEX: Final[dict[Lang, int]] = {"vi": 0, "en": 1}


def as_lang(value: object) -> Lang:
    """Return the language meant by a cookie or a path; Vietnamese for anything unknown."""
    return "en" if value == "en" else DEFAULT_LANG


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language, and how it writes numbers and times in one zone."""

    lang: Lang = DEFAULT_LANG
    zone: str = DEFAULT_ZONE

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of a key with its places filled; raise KeyError for an unknown key."""
        text = TEXTS[key][_INDEX[self.lang]]
        return text.format(**values) if values else text

    def number(self, value: float, digits: int = 0) -> str:
        """Write a number: 1.234,5 in Vietnamese, 1,234.5 in English."""
        text = f"{value:,.{digits}f}"
        return text if self.lang == "en" else text.translate({ord(","): ".", ord("."): ","})

    def share(self, value: float | None, digits: int = 1) -> str:
        """Write a share in 0..1 as a percentage; a dash for None."""
        return self("common.none") if value is None else f"{self.number(value * 100, digits)}%"

    def at(self, epoch_s: float | None) -> str:
        """Write a moment in the zone as 22/11/2026 13:05:09; a dash for None."""
        if epoch_s is None:
            return self("common.none")
        return self._local(epoch_s).strftime("%d/%m/%Y %H:%M:%S")

    def clock(self, epoch_s: float | None) -> str:
        """Write the time of day in the zone as 13:05:09; a dash for None."""
        return self("common.none") if epoch_s is None else self._local(epoch_s).strftime("%H:%M:%S")

    def duration(self, seconds: float | None) -> str:
        """Write a length as 0:07, 12:30 or 1:02:03; a dash for None."""
        if seconds is None:
            return self("common.none")
        minutes, rest = divmod(max(0, round(seconds)), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

    def zone_note(self, now: float) -> str:
        """Say in which zone times are written, with its offset: Asia/Ho_Chi_Minh (GMT+7)."""
        offset = self._local(now).utcoffset() or timedelta(0)
        minutes = round(offset.total_seconds() / 60)
        hours, rest = divmod(abs(minutes), 60)
        sign = "-" if minutes < 0 else "+"
        return self("zone.note", zone=self.zone, offset=f"GMT{sign}{hours}" + (f":{rest:02d}" if rest else ""))

    def _local(self, epoch_s: float) -> datetime:
        return datetime.fromtimestamp(epoch_s, tz=UTC).astimezone(ZoneInfo(self.zone))
