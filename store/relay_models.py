"""The tables of the relay to Kafka."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, BigId


class RelayLane(Base):
    """How far one partition of a topic has followed the outbox, who owns it, and the batch that is being sent."""

    __tablename__ = "relay_lanes"

    topic: Mapped[str] = mapped_column(String(249), primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigId, default=0)
    """Outbox offset up to which the partition's records are in Kafka."""
    owner: Mapped[str | None] = mapped_column(String(128))
    epoch: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[float] = mapped_column(default=0.0)
    batch_last: Mapped[int | None] = mapped_column(BigId)
    """Outbox offset of the last record of a batch that was begun; with it the four columns below."""
    batch_count: Mapped[int | None]
    producer_id: Mapped[int | None] = mapped_column(BigId)
    producer_epoch: Mapped[int | None]
    sequence: Mapped[int | None]


class RelayMember(Base):
    """A relay at work: the lanes are shared out among them."""

    __tablename__ = "relays"

    topic: Mapped[str] = mapped_column(String(249), primary_key=True)
    owner: Mapped[str] = mapped_column(String(128), primary_key=True)
    expires_at: Mapped[float]
