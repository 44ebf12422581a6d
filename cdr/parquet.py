"""Write calls to a Parquet file by the engine itself: typed columns, and memory that does not grow with the calls."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from cdr.aside import Source, beside
from cdr.filters import CdrFilter, where, with_filter
from dialer.errors import DialerError

_ALL: Final = 2**63 - 1
_MASK: Final = "concat('*****', right(phone_e164, 5))"
_SETTINGS: Final = {
    "max_threads": 2,
    "max_memory_usage": 500_000_000,
    "max_execution_time": 3_600,
    "max_bytes_before_external_sort": 150_000_000,
    "use_skip_indexes_if_final": 1,  # exact here, as in cdr.clickhouse.SESSION
    "prefer_column_name_to_alias": 1,  # the filter looks at the column, not at its mask
    "output_format_parquet_row_group_size": 50_000,
    "output_format_parquet_row_group_size_bytes": 33_554_432,
    "output_format_parquet_parallel_encoding": 0,
}


async def write_parquet(
    source: Source,
    path: Path,
    wanted: CdrFilter,
    fields: tuple[str, ...],
    *,
    rows: int | None = None,
    mask: bool = False,
) -> None:
    """Write the calls that match (at most `rows`), newest first, over `path`; `mask` hides customers' numbers.

    What is at `path` is not whole until this returns: give a draft (`cdr.export.whole_file`). `fields` are those of
    CallRow; moments are timestamps in UTC, spans are seconds.
    """
    columns = ", ".join(_column(field, mask=mask) for field in fields)
    sql = with_filter("parquet").replace("$columns", columns)
    parameters = where(wanted) | {"rows": _ALL if rows is None else rows}
    await source.aside(lambda client: _write(client, path, sql, parameters))


def _column(field: str, *, mask: bool) -> str:
    if field == "phone_e164" and mask:
        return f"{_MASK} AS {field}"
    return f"{field.removesuffix('_s')}_ms / 1e3 AS {field}" if field.endswith("_s") else field


def _write(client: Client, path: Path, sql: str, parameters: dict[str, Any]) -> None:
    try:
        with beside(client, _SETTINGS) as side:
            if side.folder is not None:
                side.client.command(f"{sql} INTO OUTFILE {_quoted(path)} TRUNCATE FORMAT Parquet", parameters)
                return
            with (
                side.client.raw_stream(sql, parameters, settings=side.settings, fmt="Parquet") as stream,
                path.open("wb") as file,
            ):
                shutil.copyfileobj(stream, file)
    except OSError as error:
        raise DialerError(f"{path}: cannot be written: {error.strerror}") from error
    except Error as error:
        raise DialerError(f"{path}: the database could not write the calls ({error.name or 'unknown error'})") from None


def _quoted(path: Path) -> str:
    text = str(path.resolve()).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"
