"""Words of SIP header values: lists, parameters, quoted strings (RFC 3261 section 25.1), each read in linear time."""

from __future__ import annotations

import re
from typing import Final

QUOTED: Final = r'"(?:[^"\\]++|\\.?)*+"?+'
"""Pattern of a quoted string; one that is never closed runs to the end of the text."""

_PARTS: Final = {
    separator: re.compile(f'(?:[^"{separator}]++|{QUOTED})++', re.DOTALL) for separator in (",", ";")
}  # fmt: skip
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_DIGITS_MAX = 10


def split(text: str, separator: str) -> list[str]:
    """Return the parts between separators (a comma or a semicolon) outside quoted strings; empty ones are dropped."""
    parts = _PARTS[separator].findall(text) if '"' in text else text.split(separator)
    return [stripped for part in parts if (stripped := part.strip())]


def parameters(parts: list[str]) -> dict[str, str]:
    """Return `name=value` parts by name in small letters, unquoted; no value: ""; of equal names the first counts."""
    found: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        found.setdefault(name.rstrip().lower(), unquote(value.strip()))
    return found


def has_control(text: str) -> bool:
    """Tell whether there is a control character, which could end a header; a tab is none here."""
    return _CONTROL.search(text) is not None


def quote(text: str) -> str:
    """Return a quoted string; raise ValueError on a control character."""
    if _CONTROL.search(text):
        raise ValueError("a quoted string of SIP holds no control character: remove it")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(text: str) -> str:
    """Return what a quoted string means; other text as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':  # noqa: PLR2004 -- the two quotes
        return text
    return _ESCAPED.sub(r"\1", text[1:-1]) if "\\" in text else text[1:-1]


def whole_number(text: str) -> int | None:
    """Return a number of one to ten ASCII digits; None for anything else: nobody waits for a larger one."""
    return int(text) if 0 < len(text) <= _DIGITS_MAX and text.isascii() and text.isdigit() else None
