"""The relay's lanes in SQL: who owns which partition, how far it is, and what is being sent (docs/adr/0015)."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, cast

from sqlalchemy import Connection, Row, Table, bindparam, delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.lanes import Batch, Lane, OutboxRow
from dialer.errors import BadInput
from store.bulk import among, insert_missing
from store.locks import Lock
from store.models import OutboxRecord, RelayLane, RelayMember
from store.runner import runner_for

log = logging.getLogger(__name__)

_LANES: Final = cast("Table", RelayLane.__table__)
_MEMBERS: Final = cast("Table", RelayMember.__table__)
_OUTBOX: Final = cast("Table", OutboxRecord.__table__)
_FIRST: Final = select(func.min(_OUTBOX.c.offset))
_TOPICS: Final = select(_LANES.c.topic).distinct().order_by(_LANES.c.topic)
# Held to the end of the transaction: nothing is pruned between the look at the first row and a new topic's lanes.
_SERIALISE: Final = text(f"SELECT pg_advisory_xact_lock({Lock.LANES:d})")
_ROWS: Final = select(*(_OUTBOX.c[name] for name in OutboxRow.__struct_fields__)).order_by(_OUTBOX.c.offset)
_MARK: Final = update(_LANES).where(
    _LANES.c.topic == bindparam("of_topic"),
    _LANES.c.partition == bindparam("at"),
    _LANES.c.owner == bindparam("by"),
    _LANES.c.epoch == bindparam("under"),
)
PRUNE_ROWS: Final = 5_000
"""Rows of the outbox that one `prune` deletes: a short transaction."""


class SqlOutbox:
    """The outbox as the relay sees it (cdr.lanes.Outbox)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._runner = runner_for(engine)

    async def claim(self, owner: str, topic: str, partitions: int, *, now: float, ttl_s: float) -> Sequence[Lane]:
        """Prolong this owner's lanes, take free ones up to a fair share, give surplus back; return those it owns."""
        work = partial(_claim, owner=owner, topic=topic, partitions=partitions, now=now, ttl_s=ttl_s)
        return await self._runner.write(work)

    async def mark(self, owner: str, topic: str, lanes: Sequence[Lane]) -> frozenset[int]:
        """Write these lanes in one transaction; return the partitions that another owner has taken (not written)."""
        if not lanes:
            return frozenset()
        return await self._runner.write(lambda connection: _mark(connection, owner, topic, lanes))

    async def resign(self, owner: str, topic: str) -> None:
        """Give every lane back at once."""
        await self._runner.write(lambda connection: _resign(connection, owner, topic))

    async def read(self, *, after: int, limit: int) -> Sequence[OutboxRow]:
        """Return rows with `after` < offset, in order."""
        query = _ROWS.where(_OUTBOX.c.offset > after).limit(limit)
        rows = await self._runner.read(lambda connection: connection.execute(query).all())
        return [OutboxRow(*row) for row in rows]

    async def has_begun(self, topic: str) -> bool:
        """Tell whether some of the outbox is in the topic already."""
        query = select(func.max(_LANES.c.position)).where(_LANES.c.topic == topic)
        return bool(await self._runner.read(lambda connection: connection.execute(query).scalar_one()))

    async def oldest_unsent(self, topic: str) -> float | None:
        """Return when the oldest row that the topic may not have was written, UTC epoch seconds; None for none."""
        sent = select(func.coalesce(func.min(_LANES.c.position), 0)).where(_LANES.c.topic == topic)
        query = select(_OUTBOX.c.created_at).order_by(_OUTBOX.c.offset).limit(1)
        query = query.where(_OUTBOX.c.offset > sent.scalar_subquery())
        return await self._runner.read(lambda connection: connection.execute(query).scalar())

    async def prune(self, topic: str, *, before: float, keep_after: int | None = None) -> int:
        """Delete rows that every topic has, written before this time, at most PRUNE_ROWS; return how many.

        Nothing goes before this topic has lanes. `keep_after` is the position of another reader of the outbox: nothing
        after it goes. The newest row stays, because the next one counts on from it.
        """
        return await self._runner.write(lambda connection: _prune(connection, topic, before, keep_after))


def _claim(
    connection: Connection, *, owner: str, topic: str, partitions: int, now: float, ttl_s: float
) -> Sequence[Lane]:
    _settle(connection, topic, partitions)
    mine = (_LANES.c.topic == topic, _LANES.c.owner == owner)
    connection.execute(update(_LANES).where(*mine).values(expires_at=now + ttl_s))
    held = _partitions(connection, select(_LANES.c.partition).where(*mine).order_by(_LANES.c.partition))
    share = math.ceil(partitions / _members(connection, owner, topic, now, ttl_s))
    idle = select(_LANES.c.partition).where(*mine, _LANES.c.batch_last.is_(None)).order_by(_LANES.c.partition)
    if surplus := _partitions(connection, idle)[: max(0, len(held) - share)]:
        connection.execute(update(_LANES).where(*mine, among(_LANES.c.partition)).values(owner=None), {"keys": surplus})
    free = (
        select(_LANES.c.partition)
        .where(_LANES.c.topic == topic, or_(_LANES.c.owner.is_(None), _LANES.c.expires_at < now))
        .order_by(_LANES.c.partition)
        .limit(max(0, share - len(held)))
        .with_for_update(skip_locked=True)
    )
    if taken := _partitions(connection, free):
        values = {"owner": owner, "epoch": _LANES.c.epoch + 1, "expires_at": now + ttl_s}
        statement = update(_LANES).where(_LANES.c.topic == topic, among(_LANES.c.partition)).values(values)
        connection.execute(statement, {"keys": taken})
    rows = connection.execute(select(_LANES).where(*mine).order_by(_LANES.c.partition)).all()
    return [_lane(row) for row in rows]


def _settle(connection: Connection, topic: str, partitions: int) -> None:
    """Make the topic's lanes the first time; afterwards their number never changes."""
    found = connection.execute(select(func.count()).where(_LANES.c.topic == topic)).scalar_one()
    if not found:
        _refuse_rest(connection, topic)
        rows = [
            {"topic": topic, "partition": one, "position": 0, "epoch": 0, "expires_at": 0.0}
            for one in range(partitions)
        ]
        connection.execute(insert_missing(_LANES, connection.dialect.name), rows)  # two relays may begin at once
    elif found != partitions:
        raise BadInput(
            f"the topic {topic} has {partitions} partitions, the relay knows it with {found}; name a new topic, or "
            "delete its rows in relay_lanes to send the whole outbox again: events of one lead would change partition"
        )


def _refuse_rest(connection: Connection, topic: str) -> None:
    """Refuse to begin a topic with the rest of an outbox of which other topics got the beginning."""
    _serialise(connection)
    first = connection.execute(_FIRST).scalar_one() or 1
    if first == 1:
        return
    if others := list(connection.execute(_TOPICS).scalars()):
        raise BadInput(
            f"the topic {topic} is new, but the outbox begins at {first} by now: what was before went to "
            f"{' and '.join(others)}, and a new topic would lack it; set DIALER_KAFKA_TOPIC={others[0]} again. If that "
            f"topic is lost for good, delete its rows in relay_lanes: {topic} then begins with what is left"
        )
    log.warning("a topic lacks what was pruned", extra={"action": "relay.incomplete", "topic": topic, "first": first})


def _serialise(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(_SERIALISE)


def _members(connection: Connection, owner: str, topic: str, now: float, ttl_s: float) -> int:
    """Count the relays at work, this one among them."""
    me = (_MEMBERS.c.topic == topic, _MEMBERS.c.owner == owner)
    if not connection.execute(update(_MEMBERS).where(*me).values(expires_at=now + ttl_s)).rowcount:
        connection.execute(insert(_MEMBERS).values(topic=topic, owner=owner, expires_at=now + ttl_s))
    gone = (_MEMBERS.c.topic == topic, _MEMBERS.c.expires_at < now)
    connection.execute(delete(_MEMBERS).where(*gone))
    return int(connection.execute(select(func.count()).where(_MEMBERS.c.topic == topic)).scalar_one())


def _partitions(connection: Connection, query: Any) -> list[int]:
    return list(connection.execute(query).scalars())


def _lane(row: Row[Any]) -> Lane:
    batch = None
    if row.batch_last is not None:
        batch = Batch(row.batch_last, row.batch_count, row.producer_id, row.producer_epoch, row.sequence)
    return Lane(row.partition, row.epoch, row.position, batch)


def _mark(connection: Connection, owner: str, topic: str, lanes: Sequence[Lane]) -> frozenset[int]:
    lost = set()
    for lane in lanes:
        key = {"of_topic": topic, "at": lane.partition, "by": owner, "under": lane.epoch}
        if not connection.execute(_MARK.values(_columns(lane)), key).rowcount:
            lost.add(lane.partition)
    return frozenset(lost)


def _columns(lane: Lane) -> dict[str, Any]:
    batch = lane.batch
    return {
        "position": lane.position,
        "batch_last": batch and batch.last,
        "batch_count": batch and batch.count,
        "producer_id": batch and batch.producer_id,
        "producer_epoch": batch and batch.producer_epoch,
        "sequence": batch and batch.sequence,
    }


def _resign(connection: Connection, owner: str, topic: str) -> None:
    connection.execute(update(_LANES).where(_LANES.c.topic == topic, _LANES.c.owner == owner).values(owner=None))
    connection.execute(delete(_MEMBERS).where(_MEMBERS.c.topic == topic, _MEMBERS.c.owner == owner))


def _prune(connection: Connection, topic: str, before: float, keep_after: int | None) -> int:
    _serialise(connection)
    lanes = connection.execute(select(func.count()).where(_LANES.c.topic == topic)).scalar_one()
    newest = connection.execute(select(func.max(_OUTBOX.c.offset))).scalar_one()
    if not lanes or newest is None:
        return 0
    sent = connection.execute(select(func.min(_LANES.c.position))).scalar_one()
    upto = min(sent, newest - 1, sent if keep_after is None else keep_after)
    old = (
        select(_OUTBOX.c.offset)
        .where(_OUTBOX.c.offset <= upto, _OUTBOX.c.created_at < before)
        .order_by(_OUTBOX.c.offset)
        .limit(PRUNE_ROWS)
    )
    return connection.execute(delete(_OUTBOX).where(_OUTBOX.c.offset.in_(old))).rowcount
