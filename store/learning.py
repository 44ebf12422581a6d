"""What campaigns have learned, kept for the next engine; the campaign's row is the lock of all who write it."""

from __future__ import annotations

from typing import Final, cast

from sqlalchemy import Connection, Table, insert, select, update

from dialer.core.types import Fence, SavedEstimates
from store.load import CAMPAIGNS
from store.models import LearnedEstimates
from store.ownership import held_by

LEARNED: Final = cast("Table", LearnedEstimates.__table__)


def read(connection: Connection, campaign_id: int) -> SavedEstimates:
    """Return what was written last, an empty SavedEstimates when nothing was."""
    columns = (LEARNED.c.blob, LEARNED.c.saved_at, LEARNED.c.forgets)
    row = connection.execute(select(*columns).where(LEARNED.c.campaign_id == campaign_id)).one_or_none()
    return SavedEstimates() if row is None else SavedEstimates(bytes(row.blob), row.saved_at, row.forgets)


def remember(connection: Connection, fence: Fence, learned: SavedEstimates) -> bool:
    """Write it unless the fence no longer holds or people had it forgotten since; tell whether it was written."""
    held = select(CAMPAIGNS.c.id).where(held_by(fence)).with_for_update(read=True)
    if connection.execute(held).one_or_none() is None:
        return False
    if read(connection, fence.campaign_id).forgets != learned.forgets:
        return False
    _write(connection, fence.campaign_id, learned)
    return True


def forget(connection: Connection, campaign_id: int, *, now: float) -> None:
    """Drop it, and whatever an engine that has not heard of it yet would write; the caller has locked the campaign."""
    before = read(connection, campaign_id)
    _write(connection, campaign_id, SavedEstimates(saved_at=now, forgets=before.forgets + 1))


def _write(connection: Connection, campaign_id: int, learned: SavedEstimates) -> None:
    values = {"blob": learned.blob, "saved_at": learned.saved_at, "forgets": learned.forgets}
    mine = update(LEARNED).where(LEARNED.c.campaign_id == campaign_id).values(**values)
    if connection.execute(mine).rowcount == 0:
        connection.execute(insert(LEARNED).values(campaign_id=campaign_id, **values))
