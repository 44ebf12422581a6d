"""The longest prefix of a number wins: routes, rates and rules are all found so."""

from __future__ import annotations

from collections.abc import Iterable


def longest(prefixes: Iterable[str], digits: str) -> str | None:
    """Return the longest of the prefixes that a number begins with; "" fits every number, None: none fits."""
    return max((prefix for prefix in prefixes if digits.startswith(prefix)), key=len, default=None)
