"""TOML files that become structs: shipped by name or given by path; a bad one is refused with file, key and reason."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from dialer.errors import BadInput, NotFound

_S = TypeVar("_S", bound=msgspec.Struct)


def shipped_texts(package: str, folder: str) -> dict[str, str]:
    """Return the TOML text of each file that comes with the program in a package's folder, by name."""
    place = resources.files(package) / folder
    files = sorted(entry.name for entry in place.iterdir() if entry.name.endswith(".toml"))
    return {name.removesuffix(".toml"): (place / name).read_text("utf-8") for name in files}


def text_of(name: str, texts: Mapping[str, str], what: str) -> tuple[str, str]:
    """Return the text of a shipped name or of a path, and the source to name in errors; `what` is what is looked for.

    Raises NotFound that lists the shipped ones, BadInput for a file that cannot be read.
    """
    if name in texts:
        return texts[name], name
    path = Path(name)
    if not path.is_file():
        raise NotFound(f"no {what} {name!r}: give a path to a TOML file, or one of these: {', '.join(texts)}")
    try:
        return path.read_text("utf-8"), str(path)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read as UTF-8 text ({error}); give a TOML file") from error


def parse_toml(text: str, kind: type[_S], *, source: str, check: Callable[[_S], None]) -> _S:
    """Read a struct from TOML; `check` raises ValueError for what types cannot say.

    Raises BadInput that names `source`, the key and what is allowed.
    """
    try:
        data = tomllib.loads(text)
        _refuse_unknown(data, kind, "")
        made = msgspec.convert(data, kind)
        check(made)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{source}: not valid TOML: {error}") from error
    except ValueError as error:  # msgspec's ValidationError is one
        raise BadInput(f"{source}: {readable(error, kind)}") from error
    return made


def readable(error: Exception, kind: type[msgspec.Struct]) -> str:
    """Return what msgspec says of a struct in words for a person."""
    return str(error).replace(" - at `$.", " at key `").replace(" - at `$", f" at `{kind.__name__.lower()}")


def _refuse_unknown(data: object, kind: Any, where: str) -> None:
    """Raise ValueError for a key that no struct has, with those that it has."""
    struct, many = _struct_of(kind)
    if struct is None:
        return
    if many:
        for number, item in enumerate(data if isinstance(data, list) else []):
            _refuse_unknown(item, struct, f"{where}[{number}]")
        return
    if not isinstance(data, dict):
        return
    fields = {field.name: field.type for field in msgspec.structs.fields(struct)}
    for key, value in data.items():
        path = f"{where}.{key}" if where else str(key)
        if key not in fields:
            raise ValueError(f"unknown key {path}; allowed here: {', '.join(sorted(fields))}")
        _refuse_unknown(value, fields[key], path)


def _struct_of(kind: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    """Find the struct inside a type such as `tuple[X, ...]` or `X | None`, and whether it is a list of them."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind, False
    for inner in get_args(kind):
        struct, many = _struct_of(inner)
        if struct is not None:
            return struct, many or get_origin(kind) is tuple
    return None, False
