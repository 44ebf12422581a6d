"""Find the named queries that ship as SQL files, and say what it takes to run one."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Protocol


class Reader(Protocol):
    """What can run a query with bound parameters."""

    async def query(self, sql: str, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Return the rows."""
        ...


@functools.cache
def named(name: str) -> str:
    """Return the text of `cdr/sql/queries/NAME.sql`."""
    return files("cdr").joinpath("sql", "queries", f"{name}.sql").read_text(encoding="utf-8")
