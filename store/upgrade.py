"""Bring a database to this program's schema, in process: users need no Alembic command and no ini file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.errors import BadInput, ResourceBusy, StoreTooNew
from store.locks import Lock

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = text(f"SELECT pg_advisory_xact_lock({Lock.UPGRADE:d})")


async def upgrade(engine: AsyncEngine) -> None:
    """Run the missing migrations in one transaction; two processes wait for each other.

    Raises StoreTooNew for a database written by a newer program, BadInput for one that cannot be used or reached, and
    ResourceBusy when another process keeps it locked.
    """
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_migrate)
    except DBAPIError as error:
        raise _explained(engine, error) from error
    except OSError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise BadInput(f"cannot reach the database {where}: {error}; check that it runs and the address") from error


def head() -> str:
    """Return the revision that this program writes."""
    return str(ScriptDirectory(str(_MIGRATIONS)).get_current_head())


def found_revision(connection: Connection) -> str | None:
    """Return the revision of an open database, None for one without our tables; nothing is changed."""
    return MigrationContext.configure(connection).get_current_revision()


def _migrate(connection: Connection) -> None:
    # SQLite's transaction began with the write lock; either way nobody else migrates now.
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None:
        _refuse_newer(connection, found, ScriptDirectory.from_config(config))
    elif inspect(connection).get_table_names():
        raise BadInput(f"{_where(connection)} holds tables of another program; name an empty or a new database")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _refuse_newer(connection: Connection, found: str, script: ScriptDirectory) -> None:
    known = {revision.revision for revision in script.walk_revisions()}
    if found not in known:
        raise StoreTooNew(
            f"{_where(connection)} has schema {found}, this program knows up to {script.get_current_head()}; "
            "use the program that wrote it or a newer one, or restore a copy from before its upgrade"
        )


def _where(connection: Connection) -> str:
    return f"the database {connection.engine.url.render_as_string(hide_password=True)}"


def _explained(engine: AsyncEngine, error: DBAPIError) -> Exception:
    where = engine.url.render_as_string(hide_password=True)
    if "locked" in str(error.orig):
        return ResourceBusy(f"the database {where} is locked by another process; stop it, or try again later")
    return BadInput(f"the database {where} cannot be used: {error.orig}; check the file or the server, then try again")
