"""Read a table of a settings file into a frozen struct: each key says what it expects, and a mistake is named."""

from __future__ import annotations

import difflib
import functools
import math
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, TypeVar, get_origin, get_type_hints

import msgspec

from dialer.errors import BadInput

S = TypeVar("S", bound=msgspec.Struct)
_SHOWN_MAX: Final = 60


class Key(NamedTuple):
    """What a key of a file takes, for people, and how it is read: raise ValueError for what it does not take."""

    expects: str
    read: Callable[[Any], object]
    is_secret: bool = False


class Secret:
    """A password: shown nowhere unless it is asked for by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the password itself."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def table(kind: type[S], raw: object, where: str, **given: object) -> S:
    """Return the struct that a table of a file spells out; `given` fields are not the file's to set.

    Raises BadInput naming the key, what it expects and what it got; of an unknown key, the nearest known one.
    """
    if not isinstance(raw, Mapping):
        raise BadInput(f"{where}: expected a table of keys, not {shown(raw)}")
    keys = {name: key for name, key in keys_of(kind).items() if name not in given}
    fields: dict[str, object] = dict(given)
    for name, value in raw.items():
        if name not in keys:
            raise BadInput(f"{where}: {name!r} is no key here{nearest(name, keys)}")
        fields[name] = _read(keys[name], value, f"{where}: {name}")
    for field in msgspec.structs.fields(kind):
        if field.required and field.name not in fields:
            raise BadInput(f"{where}: {field.name} is missing: expected {keys[field.name].expects}")
    return kind(**fields)


def _read(key: Key, value: object, where: str) -> object:
    try:
        return key.read(value)
    except ValueError as error:
        got = "what is there" if key.is_secret else shown(value)
        raise BadInput(f"{where}: expected {key.expects}, not {got}{_detail(error)}") from None


def _detail(error: ValueError) -> str:
    return f" ({error})" if str(error) else ""


@functools.cache
def keys_of(kind: type[msgspec.Struct]) -> Mapping[str, Key]:
    """Return the keys that a struct's table may have, by the `Key` in each field's annotation."""
    found: dict[str, Key] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for meta in hint.__metadata__ if get_origin(hint) is Annotated else ():
            if isinstance(meta, Key):
                found[name] = meta
    return found


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the words that offer the known name most like a wrong one."""
    near = difflib.get_close_matches(name.lower(), list(known), 1, 0.0)
    return f"; did you mean {near[0]!r}?" if near else ""


def shown(value: object) -> str:
    """Return a value of a file as an error shows it: not all of a long one."""
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "..."


def whole(low: int, high: int) -> Key:
    """Take a whole number between two."""

    def read(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError
        return value

    return Key(f"a whole number from {low} to {high}", read)


def number(low: float, high: float) -> Key:
    """Take a number between two."""

    def read(value: object) -> float:
        if type(value) not in {int, float, Decimal}:
            raise ValueError
        plain = float(value)  # type: ignore[arg-type]  # one of the three
        if not (math.isfinite(plain) and low <= plain <= high):
            raise ValueError
        return plain

    return Key(f"a number from {low:g} to {high:g}", read)


def text(expects: str, pattern: str = r"[^\x00-\x1f\x7f]+") -> Key:
    """Take a text that matches as a whole; control characters never do."""
    fits = re.compile(pattern)

    def read(value: object) -> str:
        if not isinstance(value, str) or not fits.fullmatch(value):
            raise ValueError
        return value

    return Key(expects, read)


def choice(*words: str) -> Key:
    """Take one of these words."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError
        return value

    return Key("one of " + ", ".join(words), read)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError  # noqa: TRY004 -- what `Key.read` raises
    return value


def _path(value: object) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError
    return Path(value)


def _secret(value: object) -> Secret:
    if not isinstance(value, str) or not value:
        raise ValueError
    return Secret(value)


FLAG: Final = Key("true or false", _flag)
PATH: Final = Key("the name of a file or folder", _path)
SECRET: Final = Key("a text in quotes, not empty", _secret, is_secret=True)


def several(each: Key, expects: str) -> Key:
    """Take a list of such values, none twice."""

    def read(value: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise ValueError  # noqa: TRY004 -- what `Key.read` raises
        found = tuple(_element(each, one) for one in value)
        if len(set(found)) < len(found):
            raise ValueError("one of them is there twice")
        return found

    return Key(expects, read)


def mapping(name: Key, value: Key, expects: str) -> Key:
    """Take a table whose keys and values are such."""

    def read(raw: object) -> dict[object, object]:
        if not isinstance(raw, dict):
            raise ValueError  # noqa: TRY004 -- what `Key.read` raises
        return {_element(name, one): _element(value, held) for one, held in raw.items()}

    return Key(expects, read)


def _element(key: Key, value: object) -> object:
    try:
        return key.read(value)
    except ValueError as error:
        raise ValueError(f"{shown(value)}: expected {key.expects}{_detail(error)}") from None
