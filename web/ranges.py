"""One range of a file over HTTP (RFC 9110 section 14): players ask for a recording in pieces."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)\s*")
_DIGITS_MAX: Final = 18


class Span(NamedTuple):
    """The bytes from `first` up to, and with, `last`."""

    first: int
    last: int


class Unsatisfiable(Exception):
    """No byte of the file is in the range: 416."""


def span_of(header: str | None, size: int) -> Span | None:
    """Return the one range that is asked for; None for no range, several, or what is none (the whole file then).

    Raises Unsatisfiable.
    """
    found = _RANGE.fullmatch(header or "")
    if found is None or found[1] == found[2] == "" or max(len(found[1]), len(found[2])) > _DIGITS_MAX:
        return None
    if found[1] == "":
        return _tail(int(found[2]), size)
    first = int(found[1])
    last = min(int(found[2]) if found[2] else size - 1, size - 1)
    if found[2] and int(found[2]) < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return Span(first, last)


def _tail(length: int, size: int) -> Span:
    if length == 0 or size == 0:
        raise Unsatisfiable
    return Span(max(0, size - length), size - 1)
