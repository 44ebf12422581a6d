"""The numbers of calls that arrive, made E.164: what a trunk says of them comes in every form."""

from __future__ import annotations

_COUNTRY = "84"
_DROP = str.maketrans("", "", " .-()")
_NATIONAL = range(9, 12)
"""Digits of a Vietnamese number after the 0 (numbering plan of 2018, and old numbers)."""
_E164 = range(7, 16)
"""Digits of a number with its country code (ITU-T E.164)."""


def number_of(text: str) -> str:
    """Return a number as E.164 with the plus sign; digits that are none (an extension, a service number) as they are.

    Empty for what holds no digits: the caller withheld it.
    """
    digits = text.strip().translate(_DROP)
    plus = digits.startswith("+")
    digits = digits.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        return ""
    if not plus and digits.startswith("00"):
        plus, digits = True, digits[2:]
    if plus:
        return f"+{digits}"
    if digits.startswith("0") and len(digits) - 1 in _NATIONAL:
        return f"+{_COUNTRY}{digits[1:]}"
    if digits.startswith(_COUNTRY) and len(digits) - len(_COUNTRY) in _NATIONAL:
        return f"+{digits}"
    return digits


def caller_of(text: str) -> str:
    """Return the E.164 number of a caller who can be called back, else nothing."""
    number = number_of(text)
    return number if number.startswith("+") and len(number) - 1 in _E164 else ""
