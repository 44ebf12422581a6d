"""Read a Parquet file with an engine in a process of its own: a process has one folder of chDB open at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_READ = """
import sys, chdb
path = sys.argv[1].replace("'", "\\\\'")
print(chdb.query(f"SELECT * FROM file('{path}', Parquet) ORDER BY started_at DESC, call_id DESC", "JSONEachRow"))
"""


def read_parquet(path: Path) -> list[dict[str, Any]]:
    """Return the rows, newest first."""
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(path)], check=True, capture_output=True, text=True, timeout=60
    )
    return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
