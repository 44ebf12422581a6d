"""Which column of a sheet is which attribute: `name=1,phone=3,email=5` (S3-17, S3-18)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crm.fields import CUSTOMER_FIELDS
from dialer.errors import BadInput

FIELDS: Final = ("name", "phone", *(name for name in CUSTOMER_FIELDS if name != "name"), "call_at", "comment")
"""What a column may be: the 13 attributes (S3-2), the code, the time to call out, a comment."""
_EXAMPLE: Final = "name=1,phone=3,email=5"


def parse_mapping(text: str) -> dict[str, int]:
    """Read `name=1,phone=3`; raise BadInput that names the wrong part and what is allowed."""
    mapping: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        field, equals, column = (piece.strip() for piece in part.partition("="))
        if not equals or not column.isdecimal():
            raise BadInput(f"mapping: {part!r} is not FIELD=COLUMN NUMBER; write it like {_EXAMPLE}.")
        if field in mapping:
            raise BadInput(f"mapping: {field} is given twice, as column {mapping[field]} and {column}; keep one.")
        mapping[field] = int(column)
    return mapping


def check_mapping(mapping: Mapping[str, int], *, width: int, where: str) -> None:
    """Raise BadInput unless every field is known, has a column of its own that the file has, and phone is there."""
    for field, column in mapping.items():
        if field not in FIELDS:
            raise BadInput(f"mapping: there is no field {field!r}; the fields are: {', '.join(FIELDS)}.")
        if column < 1:
            raise BadInput(f"mapping: {field}={column}: columns are counted from 1.")
        if column > width:
            raise BadInput(f"{where}: {field} is to be column {column}, but the file has only {width} columns.")
        twin = next((other for other, place in mapping.items() if place == column and other != field), None)
        if twin is not None:
            raise BadInput(f"mapping: column {column} is given to {twin} and to {field}; give each its own.")
    if "phone" not in mapping:
        raise BadInput(f"mapping: say which column holds the phone number, like {_EXAMPLE}.")


def column_letters(column: int) -> str:
    """Return what a spreadsheet calls the column: A for 1, AA for 27."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
