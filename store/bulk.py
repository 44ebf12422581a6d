"""Many keys in, many rows out: where SQLAlchemy's care for each value would cost more than the database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, Self

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Connection, Dialect, Insert, String, Table, Text, Update, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, TypeDecorator, TypeEngine


class _Keys(TypeDecorator[Collection[Any]]):
    """A list of keys as one value: an array in PostgreSQL, JSON in SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, of: str = "int") -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database takes."""
        item: TypeEngine[Any] = BigInteger() if self.of == "int" else String()
        return dialect.type_descriptor(ARRAY(item) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        """Encode the keys."""
        keys = sorted(value or ())
        return keys if dialect.name == "postgresql" else msgspec.json.encode(keys).decode()


class _Among(FunctionElement[bool]):
    """A column is one of the keys; the statement's text does not depend on how many there are."""

    name = "among"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: object = None) -> Self:  # noqa: ARG002 -- SQLAlchemy's signature
        """Return it as it is: SQLAlchemy would append `= 1` for SQLite, which then reads the whole table."""
        return self


@compiles(_Among, "sqlite")
def _among_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, keys = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({keys}))"  # noqa: S608 -- both parts are compiled SQL


@compiles(_Among, "postgresql")
def _among_postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, keys = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY({keys})"


def among(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that the column is one of the keys given as the parameter `keys`."""
    kind = "int" if column.type.python_type is int else "str"
    return _Among(column, bindparam("keys", type_=_Keys(kind)))


class BulkStatement:
    """An INSERT or UPDATE that takes its parameters straight from the attributes of objects, by name.

    Values go to the driver as they are: they must be plain strings, numbers, booleans, bytes or None.
    """

    def __init__(self, statement: Insert | Update, names: Sequence[str]) -> None:
        self._statement = statement
        self._names: Final = tuple(names)

    def run(self, connection: Connection, rows: Iterable[object]) -> None:
        """Execute once for each object; nothing happens when there are none."""
        words, values_of = _compiled(self._statement, self._names, connection.dialect)
        values = [values_of(row) for row in rows]
        if values:
            connection.exec_driver_sql(words, values)


@lru_cache(maxsize=64)
def _compiled(
    statement: Insert | Update, names: tuple[str, ...], dialect: Dialect
) -> tuple[str, Callable[[object], tuple[Any, ...]]]:
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    order = getattr(compiled, "positiontup", None)
    if not order or len(order) < 2:  # noqa: PLR2004 -- one name would make attrgetter return a bare value
        raise TypeError("a bulk statement needs a positional driver and at least two parameters")
    return str(compiled), attrgetter(*order)


def insert_missing(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Return the statement that inserts rows unless they are there, for two writers at once too."""
    kind = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return kind(table).on_conflict_do_nothing()
