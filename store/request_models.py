"""The table of what people ask of agents' desks through the console, the API and the command line."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import NEVER_REUSE_IDS, Base, BigId


class DeskRequest(Base):
    """One request: taken once by the engine that owns the campaign, then answered; kept for a day."""

    __tablename__ = "requests"
    __table_args__ = (
        Index("ix_requests_open", "state", "campaign_id"),
        Index("ix_requests_asked", "asked_at"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigId)
    agent_id: Mapped[str] = mapped_column(String(128))
    wanted: Mapped[bytes] = mapped_column(LargeBinary)
    """What is asked, as JSON (dialer.requests.Wanted)."""
    author: Mapped[str] = mapped_column(String(128), default="")
    asked_at: Mapped[float]
    state: Mapped[str] = mapped_column(String(16), default="asked")
    """asked, taken, done or refused."""
    code: Mapped[str | None] = mapped_column(String(32))
    """Why it was refused: a HoldReason or a Declined."""
    call_id: Mapped[str | None] = mapped_column(String(64))
    lead_id: Mapped[int | None] = mapped_column(BigId)
    answered_at: Mapped[float | None]
