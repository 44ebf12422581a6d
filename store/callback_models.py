"""The table of callbacks that people owe to customers who called."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from store.base import NEVER_REUSE_IDS, Base, BigId

OPEN_CALLBACK: Final = "done_at IS NULL"


class Callback(Base):
    """A customer who is to be called back by people: they called in vain, or asked for it (S2-17).

    One open task a number and campaign: another missed call counts in it.
    """

    __tablename__ = "callbacks"
    __table_args__ = (
        Index(
            "ix_callbacks_open",
            "phone_e164",
            "campaign_id",
            unique=True,
            sqlite_where=text(OPEN_CALLBACK),
            postgresql_where=text(OPEN_CALLBACK),
        ),
        Index("ix_callbacks_due", "due_at", "id"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigId)
    lead_id: Mapped[int] = mapped_column(BigId)
    customer_id: Mapped[int] = mapped_column(BigId)
    phone_e164: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(16))
    """missed_call, or asked: the customer asked an agent for it."""
    calls: Mapped[int] = mapped_column(default=1)
    """Missed calls that it stands for."""
    agent: Mapped[str | None] = mapped_column(String(128))
    """Who is to call."""
    due_at: Mapped[float]
    created_at: Mapped[float]
    done_at: Mapped[float | None]
    done_by: Mapped[str | None] = mapped_column(String(128))
    """A person, or the agent who talked with the customer since."""
