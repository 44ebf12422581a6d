"""A customer's attributes (S3-2): what each accepts, from a cell or a form, and the words when it does not."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from crm.workbook import Cell

Parser: TypeAlias = Callable[[Cell], str | None]

_EMAIL: Final = re.compile(r"[^@\s,;<>()]+@[^@\s,;<>()]+\.[^@\s,;<>().]{2,}")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_GENDERS: Final = {
    "nam": "male", "male": "male", "m": "male", "ông": "male", "anh": "male", "mr": "male",
    "nữ": "female", "nu": "female", "female": "female", "f": "female", "bà": "female", "chị": "female", "ms": "female",
    "khác": "other", "khac": "other", "other": "other",
}  # fmt: skip
_OLDEST: Final = date(1900, 1, 1)


class WrongValue(ValueError):
    """A value that an attribute does not take; `vi` and `en` say why."""

    def __init__(self, vi: str, en: str) -> None:
        super().__init__(en)
        self.vi = vi
        self.en = en


def plain(cell: Cell) -> str:
    """Return a cell as a person reads it: whole numbers without `.0`, dates as ISO, accents composed."""
    if isinstance(cell, str):
        text = cell.strip()
        return text if text.isascii() else unicodedata.normalize("NFC", text)
    if isinstance(cell, float) and math.isfinite(cell) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and (cell.hour, cell.minute, cell.second, cell.microsecond) == (0, 0, 0, 0):
        return cell.date().isoformat()
    return str(cell)


def text_of(limit: int) -> Parser:
    """Make a parser for text of at most `limit` characters; None when empty."""

    def parse(cell: Cell) -> str | None:
        text = plain(cell)
        if len(text) > limit:
            raise WrongValue(f"Dài hơn {limit} ký tự", f"longer than {limit} characters")
        if "\0" in text:
            raise WrongValue("Có ký tự không in được", "holds a character that cannot be printed")
        return text or None

    return parse


def parse_code(cell: Cell) -> str | None:
    """Return a customer code: letters and digits, dashes and underscores between them (S0-8)."""
    text = plain(cell).upper()
    if not text:
        return None
    if len(text) > 64 or not text.replace("-", "").replace("_", "").isalnum():  # noqa: PLR2004 - the column's width
        raise WrongValue("Mã chỉ gồm chữ và số", "a code is made of letters and digits")
    return text


def parse_email(cell: Cell) -> str | None:
    """Return an address with one @ and a domain."""
    text = plain(cell)
    if not text:
        return None
    if len(text) > 254 or not _EMAIL.fullmatch(text):  # noqa: PLR2004 - RFC 5321 section 4.5.3.1.3
        raise WrongValue("Email không đúng", "not an e-mail address")
    return text


def parse_gender(cell: Cell) -> str | None:
    """Return male, female or other, from Vietnamese or English."""
    text = plain(cell).lower()
    if not text:
        return None
    if text not in _GENDERS:
        raise WrongValue("Giới tính: Nam, Nữ hoặc Khác", "gender is male, female or other")
    return _GENDERS[text]


def parse_day(cell: Cell) -> str | None:
    """Return an ISO date from a date cell, `1990-02-28` or `28/02/1990` (day first, as in Viet Nam)."""
    if isinstance(cell, date):  # a datetime is one too
        day = cell.date() if isinstance(cell, datetime) else cell
    else:
        text = plain(cell)
        if not text:
            return None
        found = _moment(text)
        day = found.date() if found is not None else date.min
    if day < _OLDEST:
        raise WrongValue("Ngày dạng 28/02/1990 hoặc 1990-02-28", "a date is written 28/02/1990 or 1990-02-28")
    return day.isoformat()


def parse_moment(cell: Cell, zone: ZoneInfo) -> float | None:
    """Return UTC epoch seconds from a date cell, ISO text or `28/02/2026 09:30`; local to `zone` without an offset."""
    if isinstance(cell, datetime):
        found: datetime | None = cell
    else:
        text = plain(cell)
        if not text:
            return None
        found = _moment(text)
    if found is None:
        raise WrongValue(
            "Thời điểm dạng 28/02/2026 09:30 hoặc 2026-02-28 09:30",
            "a time is written 28/02/2026 09:30 or 2026-02-28 09:30",
        )
    return (found if found.tzinfo else found.replace(tzinfo=zone)).timestamp()


def _moment(text: str) -> datetime | None:
    day_first = _DAY_FIRST.fullmatch(text)
    try:
        if day_first:
            day, month, year, hour, minute, second = (int(part or 0) for part in day_first.groups())
            return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the caller knows the zone
        return datetime.fromisoformat(text)
    except ValueError:
        return None


CUSTOMER_FIELDS: Final[Mapping[str, Parser]] = MappingProxyType(
    {
        "name": text_of(255),
        "email": parse_email,
        "birthday": parse_day,
        "province": text_of(128),
        "gender": parse_gender,
        "address": text_of(2000),
        "source": text_of(255),
        "customer_type": text_of(255),
        "company": text_of(255),
        "tax_code": text_of(64),
        "position": text_of(255),
        "note": text_of(4000),
        "code": parse_code,
    }
)
"""The twelve default attributes beside the phone number (S3-2), and the code."""

PAPER_FIELDS: Final[Mapping[str, Parser]] = MappingProxyType(
    {
        "district": text_of(128),
        "ward": text_of(128),
        "id_number": text_of(32),
        "id_issued_on": parse_day,
        "id_issued_at": text_of(255),
        "passport": text_of(32),
    }
)
"""What only the edit form asks for (S0-20)."""
