"""Answer an analyst's own SELECT: read-only, bounded in time, rows and memory, with a connection of its own."""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error
from clickhouse_connect.driver.query import QueryResult

from cdr.aside import Side, Source, beside
from cdr.readonly import check_tree, read_question
from dialer.errors import BadInput

ROWS: Final = 1_000
ROWS_MAX: Final = 100_000
SECONDS: Final = 30
SECONDS_MAX: Final = 300
_INT_MIN: Final = -(2**63)
_INT_MAX: Final = 2**64 - 1
_LOG: Final = logging.getLogger(__name__)
_BYTES_MAX: Final = 64_000_000
_NUMBER: Final = re.compile(r"\d{7,}")
_TABLES: Final = "SELECT name, concat(database, '.', name) FROM system.tables WHERE database = currentDatabase()"
_LIMITS: Final = {
    "max_threads": 2,
    "max_memory_usage": 500_000_000,
    "max_result_bytes": _BYTES_MAX,
    "use_skip_indexes_if_final": 1,  # exact here, as in cdr.clickhouse.SESSION
    "allow_introspection_functions": 0,
}


class Table(msgspec.Struct, frozen=True):
    """An answer; cells are JSON values: numbers, texts, true and false, null, lists, and times as ISO 8601 texts."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[list[Any]]
    more: bool
    """There were more rows than were asked for."""


async def ask(source: Source, sql: str, *, limit: int = ROWS, seconds: int = SECONDS) -> Table:
    """Answer one question with at most `limit` rows within `seconds`; BadInput says why not.

    Neither log nor messages repeat numbers of the text. Whole phone numbers are in the answer.
    """
    if not 1 <= limit <= ROWS_MAX:
        raise BadInput(f"limit {limit}: ask for 1 to {ROWS_MAX} rows")
    if not 1 <= seconds <= SECONDS_MAX:
        raise BadInput(f"seconds {seconds}: allow 1 to {SECONDS_MAX}")
    began = time.monotonic()
    try:
        table = await source.aside(lambda client: _answer(client, sql, limit, seconds))
    except BadInput:
        _log("refused", began, 0)
        raise
    _log("answered", began, len(table.rows))
    return table


def _answer(client: Client, sql: str, limit: int, seconds: int) -> Table:
    question = read_question(sql)
    settings = {**_LIMITS, "max_execution_time": seconds, "limit": limit + 1, "readonly": 1}
    checking = {**_LIMITS, "max_execution_time": SECONDS, "readonly": 1}
    try:
        with beside(client, checking) as side:
            tables = {name for row in _rows(side, _TABLES) for name in row}
            check_tree(question, (line for (line,) in _rows(side, f"EXPLAIN AST {question.text}")), tables)
        with beside(client, settings) as side:
            result = side.client.query(question.text, settings=side.settings, tz_mode="aware")
            columns = _columns(side, question.text, result)
    except Error as error:
        raise BadInput(_explain(str(error), limit, seconds)) from None  # the engine's text repeats the query
    rows = [[_cell(value) for value in row] for row in result.result_rows[:limit]]
    return Table(*columns, rows, more=len(result.result_rows) > limit)


def _columns(side: Side, text: str, result: QueryResult) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return names and types; the embedded engine tells none with an empty answer."""
    if result.column_names:
        return tuple(result.column_names), tuple(kind.name for kind in result.column_types)
    if not text.casefold().startswith(("select", "with", "(")):
        return (), ()
    told = _rows(side, f"DESCRIBE TABLE (\n{text}\n)")
    return tuple(name for name, *_ in told), tuple(kind for _, kind, *_ in told)


def _rows(side: Side, sql: str) -> Any:
    return side.client.query(sql, settings=side.settings).result_rows


def _cell(value: Any) -> Any:
    """Make a JSON value; infinite and undefined numbers are null, what JSON does not know is its text."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if _INT_MIN <= value <= _INT_MAX else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _cells(value)


def _cells(value: Any) -> Any:
    match value:
        case Mapping():
            return {str(name): _cell(cell) for name, cell in value.items()}
        case list() | tuple() | set():
            return [_cell(cell) for cell in value]
        case bytes():
            return value.decode("utf-8", "replace")
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _explain(text: str, limit: int, seconds: int) -> str:
    if "TIMEOUT_EXCEEDED" in text or "TOO_SLOW" in text:
        return f"the query took longer than {seconds} s: narrow the time, or allow more seconds (up to {SECONDS_MAX})"
    if "TOO_MANY_ROWS_OR_BYTES" in text:
        return f"the answer is larger than {_BYTES_MAX // 1_000_000} MB: fewer columns, or fewer than {limit} rows"
    if "MEMORY_LIMIT_EXCEEDED" in text:
        return f"the query needs more than {_LIMITS['max_memory_usage'] // 1_000_000} MB of memory: narrow the time"
    said = re.sub(r"^(Code: \d+\. DB::Exception: )+", "", text.strip()).split(" (version ")[0]
    return f"the database refused the query: {_NUMBER.sub('*****', said)}"


def _log(outcome: str, began: float, rows: int) -> None:
    _LOG.info(
        "A question to the call records was %s.", outcome,
        extra={"action": "cdr.sql", "outcome": outcome, "rows": rows, "took_s": round(time.monotonic() - began, 3)},
    )  # fmt: skip
