"""The tables of projections: how far each has come, and what it is bound to (SQLAlchemy 2 declarative)."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, BigId


class LedgerEntry(Base):
    """How far a projection has come in a partition, and the range it is at (architecture.md 6)."""

    __tablename__ = "offset_ledger"

    projection: Mapped[str] = mapped_column(String(64), primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigId, default=0)
    pending_first: Mapped[int | None] = mapped_column(BigId)
    pending_last: Mapped[int | None] = mapped_column(BigId)


class BoundProjection(Base):
    """Which event log a projection reads and which analytics it writes: its positions hold for these alone."""

    __tablename__ = "bound_projections"

    projection: Mapped[str] = mapped_column(String(64), primary_key=True)
    log: Mapped[str] = mapped_column(String(300))
    analytics: Mapped[str] = mapped_column(String(64))
