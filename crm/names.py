"""Names without accents, for sorting and searching Vietnamese as a person does."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

NAME_LENGTH: Final = 255


def _accents() -> dict[int, str]:
    """Map every Latin letter with marks to its bare lower-case letter; đ has no mark to lose, so it is named."""
    table = {ord("đ"): "d", ord("Đ"): "d"}
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        bare = "".join(c for c in unicodedata.normalize("NFD", chr(code)) if not unicodedata.combining(c)).lower()
        if bare.isascii():
            table[code] = bare
    return table | dict.fromkeys(range(0x300, 0x370), "")


_BARE: Final = _accents() | {code: chr(code).lower() for code in range(ord("A"), ord("Z") + 1)}


def fold(name: str) -> str:
    """Return the name in lower case, without accents, blanks squeezed: `  Đỗ  Ước` is `do uoc`."""
    return " ".join(name.translate(_BARE).lower().split())[:NAME_LENGTH]


def near(name: str, known: Iterable[str]) -> str:
    """Say which known names are nearest to a mistyped one, as the end of a sentence."""
    names = {fold(other): other for other in known}
    found = [names[key] for key in get_close_matches(fold(name), names, n=3, cutoff=0.5)]
    if found:
        return "Did you mean " + " or ".join(repr(other) for other in found) + "?"
    shown = sorted(names.values())[:8]
    return f"There is: {', '.join(repr(other) for other in shown)}." if shown else "There is none yet."
