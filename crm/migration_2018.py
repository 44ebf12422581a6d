"""Viet Nam's numbering as data: the 2018 move from 11 to 10 digits and the carriers' prefixes."""

from __future__ import annotations

from typing import Final

NEW_PREFIX: Final[dict[str, str]] = {
    # Viettel
    "162": "32",
    "163": "33",
    "164": "34",
    "165": "35",
    "166": "36",
    "167": "37",
    "168": "38",
    "169": "39",
    # MobiFone
    "120": "70",
    "121": "79",
    "122": "77",
    "126": "76",
    "128": "78",
    # VinaPhone
    "123": "83",
    "124": "84",
    "125": "85",
    "127": "81",
    "129": "82",
    # Vietnamobile
    "186": "56",
    "188": "58",
    # Gmobile
    "199": "59",
}
"""Old three digits -> new two digits, without the trunk 0; the last seven digits stay (cdr-campaigns-vietnam.md 6)."""

_CARRIERS: Final[dict[str, str]] = {
    "Viettel": "32 33 34 35 36 37 38 39 86 96 97 98",
    "MobiFone": "70 76 77 78 79 89 90 93",
    "VinaPhone": "81 82 83 84 85 88 91 94",
    "Vietnamobile": "52 56 58 92",
    "Gmobile": "59 993 994 995 996 997",
    "Itel": "87 998 999",
    "Wintel": "55",
}
CARRIER_BY_PREFIX: Final[dict[str, str]] = {
    prefix: carrier for carrier, prefixes in _CARRIERS.items() for prefix in prefixes.split()
}
"""Mobile prefix of two or three digits -> carrier that issued it. Numbers are portable since 2018: only a guess."""


def carrier_guess(national: str) -> str | None:
    """Return who issued a mobile number (nine digits, no trunk 0), or None for a prefix of nobody we know."""
    return CARRIER_BY_PREFIX.get(national[:2]) or CARRIER_BY_PREFIX.get(national[:3])
