"""The tables of recordings, and of who did what with them (docs/recordings.md)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from store.base import NEVER_REUSE_IDS, Base, BigId

KEPT = "deleted_at IS NULL"
"""SQLite uses a partial index only for the very words of its condition."""


class Recording(Base):
    """A call's recording in the storage; after its deletion the row stays and says when that was."""

    __tablename__ = "recordings"
    __table_args__ = (Index("ix_recordings_kept", "began_at", sqlite_where=text(KEPT), postgresql_where=text(KEPT)),)

    call_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigId)
    began_at: Mapped[float]
    """When the call began: retention counts from there."""
    storage: Mapped[str] = mapped_column(String(512))
    """The URL below which it was put, without a password; empty = the home folder's."""
    path: Mapped[str] = mapped_column(String(128))
    format: Mapped[str] = mapped_column(String(8))
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the file as it is stored."""
    seconds: Mapped[float]
    stored_at: Mapped[float]
    deleted_at: Mapped[float | None]


class AuditEntry(Base):
    """Who did what with which thing, when and from where; rows are only ever added."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_object", "object", "id"), NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[float]
    actor: Mapped[str] = mapped_column(String(128))
    action: Mapped[str] = mapped_column(String(64))
    object: Mapped[str] = mapped_column(String(128))
    remote: Mapped[str] = mapped_column(String(64), default="")
    """The address that asked; "local" = the command line."""
