"""The tables of receivers of call records, and of what waits for them (docs/webhook.md)."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import NEVER_REUSE_IDS, Base, BigId


class Webhook(Base):
    """A campaign's receiver of call records: since when, with which secret, how its last tries went (docs/webhook.md).

    Its address is the campaign's setting `callback_url`. Health is written only under the `revision` that was read.
    """

    __tablename__ = "webhooks"

    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    since: Mapped[float]
    """What happened before is not sent."""
    revision: Mapped[int] = mapped_column(default=0)
    """Grows with each act of a person."""
    generation: Mapped[int] = mapped_column(default=1)
    """Of the secret, which is made of it and the installation's key."""
    fingerprint: Mapped[str | None] = mapped_column(String(16))
    """Of the current secret; NULL = not used yet."""
    old_until: Mapped[float | None]
    """The secret before the current one signs too until then."""
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[float | None]
    next_at: Mapped[float] = mapped_column(default=0.0)
    error: Mapped[str] = mapped_column(String(255), default="")
    disabled_at: Mapped[float | None]
    disabled_reason: Mapped[str] = mapped_column(String(400), default="")
    delivered: Mapped[int] = mapped_column(BigInteger, default=0)
    delivered_at: Mapped[float | None]
    dropped: Mapped[int] = mapped_column(BigInteger, default=0)


class WebhookQueue(Base):
    """One event that waits for its receiver; ids are in the order in which a campaign's are sent."""

    __tablename__ = "webhook_queue"
    __table_args__ = (Index("ix_webhook_queue_campaign", "campaign_id", "id"), NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("webhooks.campaign_id", ondelete="CASCADE"))
    event_id: Mapped[str] = mapped_column(String(36))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    queued_at: Mapped[float]
