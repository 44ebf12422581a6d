"""Many keys in, many rows out: where SQLAlchemy's care for each value would cost more than the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, Self

import msgspec
from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Insert,
    String,
    Table,
    Text,
    Update,
    bindparam,
    insert,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, TypeDecorator, TypeEngine

_SQLITE_LAST: Final = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
_POSTGRES_NEXT: Final = text(
    "SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, CAST(:count AS integer))"
)
_POSTGRES: Final[Dialect] = postgresql.dialect()  # type: ignore[no-untyped-call]


def reserve_ids(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """Return ids that nobody else gets; on SQLite the caller's transaction must be a writing one."""
    if connection.dialect.name == "postgresql":
        return sorted(connection.execute(_POSTGRES_NEXT, {"name": table.name, "count": count}).scalars())
    last = connection.execute(_SQLITE_LAST, {"name": table.name}).scalar_one_or_none() or 0
    return range(last + 1, last + 1 + count)


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
    # = ANY(keys) would compare each row with each key where the plan is made once for all keys.
    return f"{column} IN (SELECT unnest({keys}))"


def among(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that the column is one of the keys given as the parameter `keys`."""
    kind = "int" if column.type.python_type is int else "str"
    return _Among(column, bindparam("keys", type_=_Keys(kind)))


class BulkStatement:
    """An INSERT or UPDATE that is executed once for each object, with its parameters from the attributes, by name.

    Values go to the driver as they are: they must be plain strings, numbers, booleans, bytes or None.
    """

    def __init__(self, statement: Insert | Update, names: Sequence[str]) -> None:
        self._statement = statement
        self._names: Final = tuple(names)

    def run(self, connection: Connection, rows: Iterable[object]) -> None:
        """Execute once for each object; nothing happens when there are none."""
        words, order = _words(self._statement, self._names, connection.dialect)
        _run_each(connection, words, order, rows)


class BulkInsert:
    """An INSERT that takes its values likewise, each attribute named as its column; PostgreSQL takes all in one."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        self._table = table
        self._insert = insert(table)
        self._columns: Final = tuple(columns)

    def run(self, connection: Connection, rows: Iterable[object]) -> None:
        """Insert one row for each object; nothing happens when there are none."""
        if connection.dialect.name == "postgresql":
            _run_arrays(connection, _array_insert(self._table, self._columns), self._columns, rows)
        else:
            words, order = _words(self._insert, self._columns, connection.dialect)
            _run_each(connection, words, order, rows)


class BulkUpdate:
    """An UPDATE by one key, likewise; `attributes` gives the attribute of each column that is not named like it.

    A row of the table must not be named by two objects.
    """

    def __init__(self, table: Table, key: str, columns: Sequence[str], /, **attributes: str) -> None:
        self._table, self._key = table, key
        self._columns: Final = tuple(columns)
        self._attributes: Final = tuple(attributes.get(name, name) for name in (key, *columns))
        bound = {table.c[name]: bindparam(f"new_{name}", type_=table.c[name].type) for name in columns}
        self._each = update(table).where(table.c[key] == bindparam("old_key")).values(bound)
        self._names: Final = ("old_key", *(f"new_{name}" for name in columns))

    def run(self, connection: Connection, rows: Iterable[object]) -> None:
        """Update one row for each object; nothing happens when there are none."""
        if connection.dialect.name == "postgresql":
            words = _array_update(self._table, self._key, self._columns)
            _run_arrays(connection, words, self._attributes, rows)
        else:
            words, order = _words(self._each, self._names, connection.dialect)
            named = dict(zip(self._names, self._attributes, strict=True))
            _run_each(connection, words, tuple(named[name] for name in order), rows)


@lru_cache(maxsize=64)
def _words(statement: Insert | Update, names: tuple[str, ...], dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """Return the SQL, and its parameters' names in their order."""
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    order = getattr(compiled, "positiontup", None)
    if not order or len(order) < 2:  # noqa: PLR2004 -- one name would make attrgetter return a bare value
        raise TypeError("a bulk statement needs a positional driver and at least two parameters")
    return str(compiled), tuple(order)


def _run_each(connection: Connection, words: str, attributes: tuple[str, ...], rows: Iterable[object]) -> None:
    """Execute once for each object: what SQLite is quick at."""
    values = list(map(attrgetter(*attributes), rows))
    if values:
        connection.exec_driver_sql(words, values)


def _run_arrays(connection: Connection, words: str, attributes: tuple[str, ...], rows: Iterable[object]) -> None:
    """Execute once for all objects, a column a parameter: a statement costs PostgreSQL more than its row."""
    values = list(map(attrgetter(*attributes), rows))
    if values:
        connection.exec_driver_sql(words, tuple(map(list, zip(*values, strict=True))))


@lru_cache(maxsize=64)
def _array_insert(table: Table, columns: tuple[str, ...]) -> str:
    names = ", ".join(map(_quoted, columns))
    values = ", ".join(_value(table, name) for name in columns)
    return f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {_unnested(table, columns)}"  # noqa: S608 -- our own names


@lru_cache(maxsize=64)
def _array_update(table: Table, key: str, columns: tuple[str, ...]) -> str:
    changes = ", ".join(f"{_quoted(name)} = {_value(table, name)}" for name in columns)
    source = _unnested(table, (key, *columns))
    return f"UPDATE {table.name} SET {changes} FROM {source} WHERE {table.name}.{_quoted(key)} = v.{_quoted(key)}"  # noqa: S608


def _unnested(table: Table, columns: Sequence[str]) -> str:
    arrays = ", ".join(f"${at}::{_sql_type(table, name)}[]" for at, name in enumerate(columns, 1))
    return f"unnest({arrays}) AS v({', '.join(map(_quoted, columns))})"


def _value(table: Table, name: str) -> str:
    """Name a column of the source; JSON comes as its text."""
    return f"v.{_quoted(name)}::json" if isinstance(table.c[name].type, JSON) else f"v.{_quoted(name)}"


def _sql_type(table: Table, name: str) -> str:
    kind = table.c[name].type
    return "text" if isinstance(kind, JSON | String) else str(kind.compile(dialect=_POSTGRES))


def _quoted(name: str) -> str:
    return f'"{name}"'


def insert_missing(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Return the statement that inserts rows unless they are there, for two writers at once too."""
    kind = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return kind(table).on_conflict_do_nothing()
