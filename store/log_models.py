"""The tables of the event log and of how far it was read."""

from __future__ import annotations

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, BigId


class OutboxRecord(Base):
    """One CDR event; written only by `store.outbox.append`, which numbers without gaps."""

    __tablename__ = "outbox"

    offset: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(64))
    event_id: Mapped[str] = mapped_column(String(36), unique=True)
    type: Mapped[str] = mapped_column(String(32))
    value: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[float]


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
