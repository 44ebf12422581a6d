"""What all table modules share."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import DeclarativeBase

BigId: Final = BigInteger().with_variant(Integer, "sqlite")
"""64 bits everywhere; on SQLite it must be called INTEGER to be the row id."""
NEVER_REUSE_IDS: Final = {"sqlite_autoincrement": True}
"""Removed leads leave attempts behind: their ids must not come back."""


class Base(DeclarativeBase):
    """Holds the metadata of all tables."""
