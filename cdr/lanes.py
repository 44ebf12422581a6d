"""What the relay asks of the outbox: lanes, one for each partition of the topic, that one relay at a time owns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class OutboxRow(msgspec.Struct, frozen=True, gc=False):
    """One record of the outbox; times in UTC epoch seconds."""

    offset: int
    key: str
    event_id: str
    value: bytes
    created_at: float


class Batch(msgspec.Struct, frozen=True, gc=False):
    """What is about to be sent, durable before it leaves: sent again as the same batch, the broker knows it again.

    It holds those `count` records of the lane that follow its position, up to the outbox offset `last`.
    """

    last: int
    count: int
    producer_id: int
    producer_epoch: int
    sequence: int


class Lane(msgspec.Struct, frozen=True, gc=False):
    """The way of one partition: everything of it up to outbox offset `position` is in Kafka."""

    partition: int
    epoch: int
    """Grows with each owner: a relay that lost the lane cannot write to it."""
    position: int
    batch: Batch | None = None
    """Begun and never marked as sent."""


class Outbox(Protocol):
    """The store's side of the relay."""

    async def claim(self, owner: str, topic: str, partitions: int, *, now: float, ttl_s: float) -> Sequence[Lane]:
        """Prolong this owner's lanes, take free ones up to a fair share, give surplus back; return those it owns.

        The caller has nothing under way meanwhile. Raises BadInput when the topic had another number of partitions.
        """
        ...

    async def mark(self, owner: str, topic: str, lanes: Sequence[Lane]) -> frozenset[int]:
        """Write these lanes in one transaction; return the partitions that another owner has taken (not written)."""
        ...

    async def resign(self, owner: str, topic: str) -> None:
        """Give every lane back at once."""
        ...

    async def read(self, *, after: int, limit: int) -> Sequence[OutboxRow]:
        """Return rows with `after` < offset, in order."""
        ...
