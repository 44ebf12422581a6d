"""Recordings in SQL: the row, what its call remembers of it, and the event about it, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, cast

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.encode import CampaignRef, Heard, recording_changed
from dialer.core.types import AttemptRecord, CallId, LeadResult
from dialer.recordings import RecordingFormat, Settled, Stored, url_of
from store.bulk import among
from store.load import ATTEMPTS, CAMPAIGNS, CHUNK, decode_settings
from store.models import Recording
from store.open import readers
from store.outbox import append

RECORDINGS: Final = cast("Table", Recording.__table__)
_COLUMNS: Final = [RECORDINGS.c[name] for name in Stored.__struct_fields__]
_SETTLED: Final = (
    select(ATTEMPTS.c.call_id, ATTEMPTS.c.campaign_id, ATTEMPTS.c.begun_at, RECORDINGS.c.call_id.is_not(None))
    .join(RECORDINGS, RECORDINGS.c.call_id == ATTEMPTS.c.call_id, isouter=True)
    .where(ATTEMPTS.c.settled, among(ATTEMPTS.c.call_id))
)
_KEPT: Final = RECORDINGS.c.deleted_at.is_(None)
_HEARD_OF: Final = select(RECORDINGS.c.call_id).where(_KEPT, among(RECORDINGS.c.call_id))
_CALL: Final = select(ATTEMPTS.c.campaign_id, ATTEMPTS.c.record, ATTEMPTS.c.result)
_ENCODER: Final = msgspec.json.Encoder()
_RECORD: Final = msgspec.json.Decoder(AttemptRecord)
_RESULT: Final = msgspec.json.Decoder(LeadResult)


class SqlRecordings:
    """RecordingStore in the tables recordings, attempts and outbox, and what people look up there."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._readers = readers(engine)

    async def settled(self, call_ids: Collection[CallId]) -> Mapping[CallId, Settled]:
        """Return those of the calls that are ours and settled."""
        found: dict[CallId, Settled] = {}
        async with self._readers.connect() as connection:
            for keys in _chunks(call_ids):
                rows = await connection.execute(_SETTLED, {"keys": keys})
                found |= {row[0]: Settled(row[1], row[2], stored=bool(row[3])) for row in rows}
        return found

    async def keep(self, new: Stored) -> bool:
        """Write the row and its event in one transaction; False: there is a row already, and nothing was written."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(_keep, new)

    async def expired(self, before: float, limit: int) -> Sequence[Stored]:
        """List recordings of calls that began before then, the oldest first."""
        return await self._list(_KEPT & (RECORDINGS.c.began_at < before), RECORDINGS.c.began_at, limit)

    async def count_expired(self, before: float) -> int:
        """Count them."""
        query = select(func.count()).select_from(RECORDINGS).where(_KEPT, RECORDINGS.c.began_at < before)
        async with self._readers.connect() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def mark_deleted(self, call_id: CallId, *, now: float) -> bool:
        """Mark the row and write the event, once; False: somebody else has."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(_mark_deleted, call_id, now)

    async def find(self, call_id: CallId) -> Stored | None:
        """Return a call's recording, a deleted one too; None when there never was one."""
        found = await self._list(RECORDINGS.c.call_id == call_id, RECORDINGS.c.call_id, 1)
        return found[0] if found else None

    async def having(self, call_ids: Collection[CallId]) -> frozenset[CallId]:
        """Return those of the calls that have a recording to be heard (requirements S0-26)."""
        async with self._readers.connect() as connection:
            found = [
                row[0] for keys in _chunks(call_ids) for row in await connection.execute(_HEARD_OF, {"keys": keys})
            ]
        return frozenset(found)

    async def newest(self, *, campaign_id: int | None, deleted: bool, limit: int, offset: int = 0) -> Sequence[Stored]:
        """List recordings, those of the latest calls first; `deleted`: the deleted ones too."""
        wanted: list[ColumnElement[bool]] = [] if deleted else [_KEPT]
        if campaign_id is not None:
            wanted.append(RECORDINGS.c.campaign_id == campaign_id)
        order = RECORDINGS.c.began_at.desc()
        query = select(*_COLUMNS).where(*wanted).order_by(order, RECORDINGS.c.call_id).limit(limit).offset(offset)
        async with self._readers.connect() as connection:
            return [_stored(row) for row in await connection.execute(query)]

    async def totals(self) -> tuple[int, int]:
        """Return how many recordings are kept, and their bytes."""
        query = select(func.count(), func.coalesce(func.sum(RECORDINGS.c.bytes), 0)).where(_KEPT)
        async with self._readers.connect() as connection:
            count, size = (await connection.execute(query)).one()
        return int(count), int(size)

    async def _list(self, wanted: ColumnElement[bool], order: ColumnElement[Any], limit: int) -> Sequence[Stored]:
        query = select(*_COLUMNS).where(wanted).order_by(order).limit(limit)
        async with self._readers.connect() as connection:
            return [_stored(row) for row in await connection.execute(query)]


def _keep(connection: Connection, new: Stored) -> bool:
    # The attempt's row is the lock: the end of the wrap-up, another collector and the pruning wait for it too.
    call = connection.execute(_CALL.where(ATTEMPTS.c.call_id == new.call_id).with_for_update()).one()
    if connection.execute(select(RECORDINGS.c.call_id).where(RECORDINGS.c.call_id == new.call_id)).first() is not None:
        return False
    connection.execute(insert(RECORDINGS).values(_row(new)))
    heard = Heard(1, url_of(new.call_id), round(new.seconds * 1000), new.bytes, new.sha256)
    _tell(connection, new.call_id, call, heard, new.stored_at)
    return True


def _mark_deleted(connection: Connection, call_id: CallId, now: float) -> bool:
    call = connection.execute(_CALL.where(ATTEMPTS.c.call_id == call_id).with_for_update()).first()
    mark = update(RECORDINGS).where(RECORDINGS.c.call_id == call_id, _KEPT).values(deleted_at=now)
    if not connection.execute(mark).rowcount:
        return False
    if call is not None:
        _tell(connection, call_id, call, Heard(2), now)
    return True


def _tell(connection: Connection, call_id: CallId, call: Any, heard: Heard, now: float) -> None:
    """Note it at the call for its later events, and append its event; a call without a record has told its last."""
    connection.execute(update(ATTEMPTS).where(ATTEMPTS.c.call_id == call_id).values(recording=_ENCODER.encode(heard)))
    if call.record is None:
        return
    record = _RECORD.decode(call.record)
    result = None if call.result is None else _RESULT.decode(call.result)
    event = recording_changed(heard, record, result, now, _ref(connection, call.campaign_id))
    append(connection, [event], now=now)


def _ref(connection: Connection, campaign_id: int) -> CampaignRef:
    query = select(CAMPAIGNS.c.name, CAMPAIGNS.c.settings).where(CAMPAIGNS.c.id == campaign_id)
    name, settings = connection.execute(query).one()
    return CampaignRef(campaign_id, name, decode_settings(settings, campaign_id, name).kind.value)


def _row(new: Stored) -> dict[str, Any]:
    return msgspec.structs.asdict(new) | {"format": new.format.value}


def _stored(row: Row[Any]) -> Stored:
    return Stored(**{**row._asdict(), "format": RecordingFormat(row.format)})


def _chunks(keys: Collection[CallId]) -> Iterable[Collection[CallId]]:
    ordered = sorted(keys)
    return (ordered[at : at + CHUNK] for at in range(0, len(ordered), CHUNK))
