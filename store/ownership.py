"""Who may dial a campaign: one owner with an epoch that grows, checked in every transaction (architecture.md 5)."""

from __future__ import annotations

from typing import Any, Final, cast

from sqlalchemy import Connection, Table, and_, delete, func, insert, select, text, update

from dialer.core.types import Fence
from dialer.errors import Fenced, NotFound
from store.load import CAMPAIGNS, LEADS
from store.models import BUSY, EngineBeat

_ENGINES: Final = cast("Table", EngineBeat.__table__)
_SILENT_S: Final = 86_400.0


def acquire(connection: Connection, campaign_id: int, *, owner: str, now: float, ttl_s: float) -> Fence | None:
    """Take the campaign with the next epoch and free the leases of earlier ones; None while another owner's is valid.

    Raises NotFound for a campaign that does not exist.
    """
    row = _locked(connection, campaign_id)
    if row is None:
        raise NotFound(f"there is no campaign with the id {campaign_id}; it may have been deleted")
    if row.owner is not None and row.owner != owner and (row.lease_expires_at or 0.0) > now:
        return None
    fence = Fence(campaign_id, owner, row.epoch + 1, now + ttl_s)
    values = {"owner": owner, "epoch": fence.epoch, "lease_expires_at": fence.expires_at}
    connection.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign_id).values(**values))
    _free_leases(connection, campaign_id)
    return fence


def renew(connection: Connection, fence: Fence, *, now: float, ttl_s: float) -> Fence:
    """Prolong; raise Fenced when somebody else has taken over."""
    done = connection.execute(update(CAMPAIGNS).where(held_by(fence)).values(lease_expires_at=now + ttl_s))
    if done.rowcount == 0:
        raise Fenced(f"campaign {fence.campaign_id} is no longer owned by {fence.owner} with epoch {fence.epoch}")
    return Fence(fence.campaign_id, fence.owner, fence.epoch, now + ttl_s)


def resign(connection: Connection, fence: Fence) -> None:
    """Give the campaign and its unused leases back; nothing happens when somebody else has it."""
    given = update(CAMPAIGNS).where(held_by(fence)).values(owner=None, lease_expires_at=None)
    if connection.execute(given).rowcount:
        _free_leases(connection, fence.campaign_id)


def beat(connection: Connection, owner: str, *, now: float, ttl_s: float) -> None:
    """Note that an engine lives until now + ttl_s; engines that have been silent for a day are forgotten."""
    lives = update(_ENGINES).where(_ENGINES.c.owner == owner).values(alive_until=now + ttl_s)
    if connection.execute(lives).rowcount == 0:
        connection.execute(insert(_ENGINES).values(owner=owner, alive_until=now + ttl_s))
        connection.execute(delete(_ENGINES).where(_ENGINES.c.alive_until < now - _SILENT_S))


def engines(connection: Connection, *, now: float) -> int:
    """Count the engines that live."""
    alive = select(func.count()).select_from(_ENGINES).where(_ENGINES.c.alive_until > now)
    return int(connection.execute(alive).scalar_one())


def leave(connection: Connection, owner: str) -> None:
    """Forget an engine."""
    connection.execute(delete(_ENGINES).where(_ENGINES.c.owner == owner))


def held_by(fence: Fence) -> Any:
    """Return the condition that the fence still holds."""
    return and_(CAMPAIGNS.c.id == fence.campaign_id, CAMPAIGNS.c.owner == fence.owner, CAMPAIGNS.c.epoch == fence.epoch)


def _locked(connection: Connection, campaign_id: int) -> Any:
    columns = (CAMPAIGNS.c.owner, CAMPAIGNS.c.epoch, CAMPAIGNS.c.lease_expires_at)
    return connection.execute(select(*columns).where(CAMPAIGNS.c.id == campaign_id).with_for_update()).one_or_none()


def _free_leases(connection: Connection, campaign_id: int) -> None:
    leased = and_(LEADS.c.campaign_id == campaign_id, text(BUSY), LEADS.c.lease_owner.is_not(None))
    connection.execute(update(LEADS).where(leased).values(lease_owner=None, lease_epoch=None))
