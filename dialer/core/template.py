"""Texts with the customer's fields in braces: `Chào {name|quý khách}`; what follows the bar is for an empty field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

_TOKEN: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")

Fields: TypeAlias = Mapping[str, str]
"""A customer's attributes by name; empty ones are there with an empty text."""


class BadTemplate(ValueError):
    """The braces of a text do not go together; `vi` and `en` say how."""

    def __init__(self, vi: str, en: str) -> None:
        super().__init__(en)
        self.vi = vi
        self.en = en


class UnknownField(LookupError):
    """The customer has no field of this name."""


class Field(msgspec.Struct, frozen=True):
    """A place to fill: the value of `name`, or `default` when that is empty."""

    name: str
    default: str = ""


Template: TypeAlias = tuple[str | Field, ...]
"""The pieces of a text in order."""


def parse_template(text: str) -> Template:
    """Read a text; `{{` and `}}` are braces. Raises BadTemplate."""
    pieces: list[str | Field] = []
    end = 0
    for token in _TOKEN.finditer(text):
        pieces.append(text[end : token.start()])
        pieces.append(_piece(token))
        end = token.end()
    pieces.append(text[end:])
    return tuple(piece for piece in pieces if piece)


def _piece(token: re.Match[str]) -> str | Field:
    found = token.group()
    if found in ("{{", "}}"):
        return found[0]
    if found in ("{", "}"):
        at = token.start() + 1
        raise BadTemplate(
            f"dấu {found} ở ký tự {at} không thành cặp; muốn đọc dấu ngoặc thì viết {found * 2}",
            f"the {found} at character {at} has no partner; write {found * 2} for a brace",
        )
    name, _, default = (part.strip() for part in token.group(1).partition("|"))
    if not name:
        raise BadTemplate(f"{found} không có tên trường, ví dụ {{name}}", f"{found} names no field, as {{name}} does")
    return Field(name, default)


def fill(template: Template, fields: Fields) -> str:
    """Return the text with the fields filled in; raise UnknownField for one that the customer does not have.

    A default is for a field that is empty and for one that this customer does not have.
    """
    return "".join(piece if isinstance(piece, str) else _value(piece, fields) for piece in template)


def _value(field: Field, fields: Fields) -> str:
    value = fields.get(field.name)
    if value is None and not field.default:
        raise UnknownField(field.name)
    return value or field.default


def field_names(template: Template) -> tuple[str, ...]:
    """List the fields that a text names, in order."""
    return tuple(piece.name for piece in template if isinstance(piece, Field))
