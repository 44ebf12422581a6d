"""The longest prefix of a number wins: routes, rates and rules are all found so."""

from __future__ import annotations

import functools
from collections.abc import Collection


def longest(prefixes: Collection[str], digits: str) -> str | None:
    """Return the longest of the prefixes that a number begins with; "" fits every number, None: none fits.

    It looks the number's own beginnings up: what that costs does not grow with the number of prefixes.
    """
    if not prefixes:
        return None
    known, most = _table(tuple(prefixes))
    for length in range(min(most, len(digits)), -1, -1):
        if digits[:length] in known:
            return digits[:length]
    return None


@functools.lru_cache(maxsize=1024)
def _table(prefixes: tuple[str, ...]) -> tuple[frozenset[str], int]:
    """Return prefixes of the settings, which are asked for each call, as a set, and the length of the longest."""
    return frozenset(prefixes), max(map(len, prefixes))
