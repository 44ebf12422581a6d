"""Read a file of trunks or servers, and the passwords that it names elsewhere."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import msgspec

from dialer.errors import BadInput
from telephony_adapters.trunks.reading import Secret, nearest


class Locked(Protocol):
    """Whoever signs in with a password that a variable or a file of its own may hold."""

    @property
    def password_env(self) -> str:
        """Return the variable that holds it; "" = none."""
        ...

    @property
    def password_file(self) -> Path | None:
        """Return the file that holds it."""
        ...


L = TypeVar("L", bound=Locked)


def content(path: Path, what: str) -> str:
    """Return a file's text; raise BadInput naming `what` it is."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot read {what} {path}: {error.strerror}") from error
    except ValueError as error:
        raise BadInput(f"{what} {path} is not UTF-8 text") from error


def unlocked(peer: L, where: str) -> L:
    """Return the peer (a struct) with the password that is kept elsewhere; raise BadInput when it is not there."""
    if peer.password_env:
        found = os.environ.get(peer.password_env, "")
        if not found:
            raise BadInput(f"{where}: password_env: the variable {peer.password_env} is not set")
    elif peer.password_file:
        found = content(peer.password_file, f"{where}: password_file").rstrip("\r\n")
        if not found:
            raise BadInput(f"{where}: password_file: {peer.password_file} is empty")
    else:
        return peer
    return cast("L", msgspec.structs.replace(cast("msgspec.Struct", peer), password=Secret(found)))


def tables(toml: str, known: Collection[str], where: str) -> dict[str, Any]:
    """Return the tables of a file's text; raise BadInput for what is no TOML, and for a table that is not known."""
    try:
        raw = tomllib.loads(toml, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{where}: not valid TOML: {error}") from error
    for name in raw:
        if name not in known:
            raise BadInput(f"{where}: there is no table [{name}]{nearest(name, known)}")
    return raw
