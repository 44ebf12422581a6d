"""The table of scripts (docs/scripts.md)."""

from __future__ import annotations

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base


class StoredScript(Base):
    """One version of a script; the highest one of a name is in force, and all are kept."""

    __tablename__ = "scripts"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str | None] = mapped_column(Text)
    """TOML; NULL = deleted by this version."""
    created_at: Mapped[float]
