"""Phone numbers as people type them, and as Excel spoils them, made E.164 (cdr-campaigns-vietnam.md section 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType

from crm.migration_2018 import NEW_PREFIX, carrier_guess
from dialer.errors import BadInput


class PhoneKind(StrEnum):
    """What answers at the number."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    OTHER = "other"


class PhoneFault(StrEnum):
    """Why a text is no number to dial."""

    EMPTY = "empty"
    CHARACTERS = "characters"
    SEVERAL = "several"
    ROUNDED = "rounded"
    OLD_11_DIGITS = "old_11_digits"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    PREMIUM = "premium"
    UNASSIGNED = "unassigned"


_WORDS: Final[dict[PhoneFault, tuple[str, str]]] = {
    PhoneFault.EMPTY: ("Thiếu số điện thoại", "The phone number is missing"),
    PhoneFault.CHARACTERS: ("Số điện thoại có ký tự lạ", "The phone number holds characters that no number has"),
    PhoneFault.SEVERAL: ("Ô có nhiều hơn một số điện thoại", "The cell holds more than one phone number"),
    PhoneFault.ROUNDED: (
        "Excel đã làm tròn số này; hãy định dạng cột thành Văn bản rồi nhập lại",
        "Excel has rounded this number; format the column as Text and type it again",
    ),
    PhoneFault.OLD_11_DIGITS: (
        "Số 11 chữ số cũ (trước 2018); hãy bật chuyển đổi 11 số sang 10 số",
        "An old 11-digit number (before 2018); switch the 2018 migration on to convert it",
    ),
    PhoneFault.TOO_SHORT: ("Số điện thoại quá ngắn", "The phone number is too short"),
    PhoneFault.TOO_LONG: ("Số điện thoại quá dài", "The phone number is too long"),
    PhoneFault.PREMIUM: ("Số dịch vụ tính phí cao", "A premium-rate number, which campaigns do not call"),
    PhoneFault.UNASSIGNED: ("Đầu số không tồn tại", "No network has numbers that begin like this"),
}


@dataclass(frozen=True, slots=True)
class Phone:
    """A number that can be dialed; `national` has no trunk 0, `migrated` says that the 2018 table changed it."""

    e164: str
    national: str
    kind: PhoneKind
    carrier_guess: str | None
    migrated: bool = False


@dataclass(frozen=True, slots=True)
class BadPhone:
    """A text that is no number to dial, and why, in both languages."""

    fault: PhoneFault
    vi: str
    en: str


def _pattern(region: str, group: str) -> re.Pattern[str]:
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    return re.compile(getattr(metadata, group).national_number_pattern)


_VN: Final = 84
_MOBILE: Final = _pattern("VN", "mobile")
_FIXED: Final = _pattern("VN", "fixed_line")
_DROP: Final = str.maketrans("", "", " \t\r\n.-()\u00a0\u2007\u202f\u200b\u2010\u2011\u2012\u2013\ufeff'")
_WHOLE_FLOAT: Final = re.compile(r"[1-9]\d{6,}[.,]0+")
_SCIENTIFIC: Final = re.compile(r"(\d)(?:[.,](\d*))?[eE](\+?)(\d{1,2})")
_LONGEST: Final = 20
_MOBILE_DIGITS: Final = 9
_OLD_DIGITS: Final = 10
_WITH_COUNTRY_DIGITS: Final = 11
_SEVERAL: Final = re.compile(r"\d{6}.*[/;,|&].*\d{6}", re.DOTALL)
_BAD: Final = {fault: BadPhone(fault, *words) for fault, words in _WORDS.items()}
_TYPES: Final = {
    PhoneNumberType.MOBILE: PhoneKind.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: PhoneKind.MOBILE,
    PhoneNumberType.FIXED_LINE: PhoneKind.LANDLINE,
}


def parse_phone(text: str, *, migrate_2018: bool) -> Phone | BadPhone:
    """Read a number written as 0..., 84..., +84..., nine bare digits, another country's +..., or an Excel float.

    Old 11-digit mobiles are converted when `migrate_2018`, else refused with the offer. Never raises.
    """
    digits = _digits(text.strip())
    if isinstance(digits, BadPhone):
        return digits
    if len(digits) > _LONGEST:
        return _BAD[PhoneFault.TOO_LONG]
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if digits.startswith("+") and not digits.startswith("+84"):
        return _abroad(digits)
    return _vietnamese(_national(digits), migrate=migrate_2018)


def _digits(text: str) -> str | BadPhone:
    """Return the digits, perhaps after a plus, or why there are none."""
    if _WHOLE_FLOAT.fullmatch(text):  # 901234567.0; a number written with dots does not begin with so many digits
        text = re.split("[.,]", text)[0]
    digits = text.translate(_DROP)
    if digits.isascii() and digits.removeprefix("+").isdecimal():
        return digits
    return _unspoil(text) if digits else _BAD[PhoneFault.EMPTY]


def _unspoil(text: str) -> str | BadPhone:
    number = _SCIENTIFIC.fullmatch(text)
    if number is None or not text.isascii():
        return _BAD[PhoneFault.SEVERAL if _SEVERAL.search(text) else PhoneFault.CHARACTERS]
    fraction, exponent = (number[2] or ""), int(number[4])
    if len(fraction) > exponent or (number[3] and len(fraction) < exponent):
        return _BAD[PhoneFault.ROUNDED]  # "9.01E+08" is what Excel shows; the digits behind it are gone
    return number[1] + fraction.ljust(exponent, "0")


def _national(digits: str) -> str:
    """Return the Vietnamese national number: no country code, no trunk 0."""
    if digits.startswith("+84"):
        return digits[3:].removeprefix("0")
    if digits.startswith("84") and len(digits) >= _WITH_COUNTRY_DIGITS:  # a shorter one is 084... without its 0
        return digits[2:].removeprefix("0")
    return digits.removeprefix("0")


def _vietnamese(national: str, *, migrate: bool) -> Phone | BadPhone:
    if _MOBILE.fullmatch(national):
        return Phone("+84" + national, national, PhoneKind.MOBILE, carrier_guess(national))
    if _FIXED.fullmatch(national):
        return Phone("+84" + national, national, PhoneKind.LANDLINE, None)
    new = NEW_PREFIX.get(national[:3]) if len(national) == _OLD_DIGITS else None
    if new is None and national[:1] in tuple("35789") and len(national) > _MOBILE_DIGITS:
        return _BAD[PhoneFault.TOO_LONG]
    if new is None:
        return _checked(phonenumbers.PhoneNumber(country_code=_VN, national_number=int(national or 0)))
    if not migrate:
        return _BAD[PhoneFault.OLD_11_DIGITS]
    national = new + national[3:]
    return Phone("+84" + national, national, PhoneKind.MOBILE, carrier_guess(national), migrated=True)


def _abroad(digits: str) -> Phone | BadPhone:
    try:
        return _checked(phonenumbers.parse(digits, None))
    except phonenumbers.NumberParseException as error:
        long = error.error_type == phonenumbers.NumberParseException.TOO_LONG
        short = len(digits) < 8  # noqa: PLR2004 - plus, country code and the shortest national numbers
        return _BAD[PhoneFault.TOO_LONG if long else PhoneFault.TOO_SHORT if short else PhoneFault.UNASSIGNED]


def _checked(number: phonenumbers.PhoneNumber) -> Phone | BadPhone:
    if not phonenumbers.is_valid_number(number):
        return _BAD[_length_fault(number)]
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.PREMIUM_RATE:
        return _BAD[PhoneFault.PREMIUM]
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Phone(e164, phonenumbers.national_significant_number(number), _TYPES.get(kind, PhoneKind.OTHER), None)


def _length_fault(number: phonenumbers.PhoneNumber) -> PhoneFault:
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible in (phonenumbers.ValidationResult.TOO_SHORT, phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY):
        return PhoneFault.TOO_SHORT
    return PhoneFault.TOO_LONG if possible == phonenumbers.ValidationResult.TOO_LONG else PhoneFault.UNASSIGNED


def need_phone(text: str) -> str:
    """Return the E.164 form of what a person typed; raise BadInput that says what is wrong with it."""
    found = parse_phone(text, migrate_2018=True)
    if isinstance(found, BadPhone):
        raise BadInput(f"{text!r} is not a phone number to dial: {found.en}. Write it like 0901234567 or +84901234567.")
    return found.e164


def mask(e164: str) -> str:
    """Hide all but the last five digits: `*****64595`."""
    return "*****" + e164[-5:]
