"""Open the analytics wherever they are: a ClickHouse server when one is named, else chDB in a folder."""

from __future__ import annotations

from pathlib import Path

from cdr.clickhouse import Analytics, open_chdb
from cdr.clickhouse_http import open_clickhouse
from cdr.retention import KEEP, Retention


async def open_analytics(
    folder: Path, *, url: str = "", cluster: str = "", retention: Retention = KEEP, patient: bool = False
) -> Analytics:
    """Open (make, upgrade) the analytics; raise as `open_chdb` and `open_clickhouse` do."""
    if url:
        return await open_clickhouse(url, cluster=cluster, retention=retention, patient=patient)
    return await open_chdb(folder, retention=retention)
