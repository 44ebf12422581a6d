"""The store on PostgreSQL, begun to settled, beside pgbench inserting the rows that this leaves behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeAlias, cast

import asyncpg
import msgspec
from sqlalchemy import String, Table, insert
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from dialer.bench.figures import Pair, Result, Step, at_least, best, plain, ratio
from dialer.bench.store import fill_leads, last_offset, prepared, settle_all, written_rows
from dialer.bench.traffic import Traffic
from dialer.errors import BadInput, DialerError
from store.lead_store import SqlLeadStore
from store.load import ATTEMPTS, LEADS
from store.models import OutboxRecord

Rows: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]
"""By table, as they are inserted."""
GOAL: Final = 0.4
_OUTBOX: Final = cast("Table", OutboxRecord.__table__)
_TABLES: Final = (LEADS, ATTEMPTS, _OUTBOX)
_DIALECT: Final[Any] = postgresql.dialect()  # type: ignore[no-untyped-call]
_TEXT: Final[Any] = String().literal_processor(_DIALECT)  # type: ignore[no-untyped-call]
_LONGEST_S: Final = 600.0


def bench_settle(*, url: str, attempts: int, batch: int, repeats: int, step: Step) -> Result:
    """Commit attempts as a busy service does; pgbench inserts the same rows in as many transactions of one client.

    Each run has a database of its own on the server, dropped afterwards. Raises BadInput for a URL that is not
    PostgreSQL's, DialerError when pgbench is missing or fails.
    """
    pgbench = find_pgbench()
    server = postgres_server(url)
    pairs: list[Pair] = []
    rows = 0
    for number in range(1, repeats + 1):
        step(f"PostgreSQL, begun to settled, {number} of {repeats}")
        settled_s, written = asyncio.run(_live(server, attempts, batch))
        step(f"pgbench, {number} of {repeats}")
        pairs.append((settled_s, asyncio.run(_plain(server, pgbench, written, -(-attempts // batch)))))
        rows = sum(len(every) for every in written.values())
    return Result(
        "settle",
        {"attempts": attempts, "batch": batch, "repeats": repeats},
        [
            at_least("PostgreSQL: attempts a second, begun to settled / pgbench", ratio(pairs), GOAL),
            plain("attempts a second, begun to settled", attempts / best([live for live, _ in pairs])),
            plain("attempts a second, pgbench", attempts / best([raw for _, raw in pairs])),
            plain("rows an attempt", rows / attempts),
        ],
    )


def postgres_server(url: str) -> URL:
    """Read the address of a PostgreSQL server; raise BadInput for another one."""
    try:
        server = make_url(url)
    except ArgumentError as error:
        raise BadInput("--database-url is no address; this bench needs postgresql://USER:PASSWORD@HOST/NAME") from error
    if server.get_backend_name() not in {"postgresql", "postgres"}:
        raise BadInput(f"{server.render_as_string()}: this bench needs postgresql://USER:PASSWORD@HOST/NAME")
    return server


def find_pgbench() -> Path:
    """Return the program: on PATH, or Debian's newest; raise DialerError when there is none."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"), key=lambda path: float(path.parts[-3]))
    found = shutil.which("pgbench") or (debian[-1] if debian else None)
    if found is None:
        raise DialerError("pgbench is not installed; it comes with PostgreSQL (Debian: apt-get install postgresql)")
    return Path(found)


def script(rows: Rows, transactions: int) -> str:
    """Return the rows as SQL for pgbench: so many transactions, one INSERT a table in each."""
    parts = []
    for number in range(transactions):
        parts.append("BEGIN;")
        for table in _TABLES:
            every = rows[table.name]
            size = -(-len(every) // transactions)
            if some := every[number * size : (number + 1) * size]:
                parts.append(_statement(table, some))
        parts.append("COMMIT;")
    return "\n".join(parts) + "\n"


def _statement(table: Table, rows: Sequence[Mapping[str, Any]]) -> str:
    columns = [table.c[name] for name in rows[0]]
    renderers = [column.type.literal_processor(_DIALECT) for column in columns]
    both = list(zip(columns, renderers, strict=True))
    values = ", ".join(f"({', '.join(_literal(row[column.name], render) for column, render in both)})" for row in rows)
    head = str(insert(table).compile(dialect=_DIALECT, column_keys=[column.name for column in columns]))
    return f"{head.partition(' VALUES ')[0]} VALUES {values};"


def _literal(value: object, render: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    if isinstance(value, dict | list):
        value, render = msgspec.json.encode(value).decode(), _TEXT
    text = str(value) if render is None else str(render(value))
    return text.replace("%%", "%")


async def _live(server: URL, attempts: int, batch: int) -> tuple[float, dict[str, list[dict[str, Any]]]]:
    async with own_database(server) as mine:
        engine = await prepared(mine.render_as_string(hide_password=False), attempts)
        try:
            await fill_leads(engine, attempts)
            first = await last_offset(engine)
            settled_s = await settle_all(SqlLeadStore(engine), Traffic(attempts, batch))
            return settled_s, await written_rows(engine, first)
        finally:
            await engine.dispose()


async def _plain(server: URL, pgbench: Path, rows: Rows, transactions: int) -> float:
    async with own_database(server) as mine:
        engine = await prepared(mine.render_as_string(hide_password=False), len(rows["leads"]))
        await engine.dispose()
        with TemporaryDirectory(prefix="dialer-bench-") as folder:
            file = Path(folder) / "rows.sql"
            file.write_text(script(rows, transactions), encoding="utf-8")
            return await asyncio.to_thread(_run_pgbench, pgbench, mine, file)


def _run_pgbench(pgbench: Path, database: URL, file: Path) -> float:
    """Return the seconds of one client that runs the file once, connecting and reading the file left out."""
    command = [str(pgbench), "-n", "-c", "1", "-t", "1", "-M", "simple", "-f", str(file)]
    command += ["-h", database.host or "127.0.0.1", "-p", str(database.port or 5432), "-U", database.username or ""]
    password = {"PGPASSWORD": str(database.password)} if database.password else {}
    try:
        done = subprocess.run(  # noqa: S603 -- our own words and an address that the operator gave
            [*command, database.database or ""], env=os.environ | password, capture_output=True, text=True, check=False,
            timeout=_LONGEST_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise DialerError(f"pgbench took longer than {_LONGEST_S:.0f} s: give fewer --attempts") from error
    latency = next((line for line in done.stdout.splitlines() if line.startswith("latency average")), "")
    if done.returncode or not latency:
        raise DialerError(f"pgbench failed: {done.stderr.strip()[-500:]}")
    return float(latency.split("=")[1].split()[0]) / 1000


@asynccontextmanager
async def own_database(server: URL) -> AsyncIterator[URL]:
    """Make a database on the server; drop it afterwards. Raises DialerError when that cannot be."""
    name = f"dialer_bench_{uuid.uuid4().hex}"
    address = server.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = await asyncpg.connect(address, timeout=10)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise DialerError(f"{server.render_as_string()} cannot be reached: {error}") from error
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield server.set(database=name)
        finally:
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    except asyncpg.InsufficientPrivilegeError as error:
        raise DialerError(f"{server.render_as_string()} may not make databases; name a user who may") from error
    finally:
        await connection.close()
