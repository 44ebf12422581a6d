"""Lists of a campaign switched on and off by people (S0-5)."""

from __future__ import annotations

from sqlalchemy import Connection, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.campaigns import locked
from crm.lead_actions import in_transaction, touch_campaigns
from crm.names import near
from dialer.errors import NotFound
from store.models import LeadList


async def set_list_active(engine: AsyncEngine, campaign: str, list_name: str, *, active: bool) -> bool:
    """Dial a list, or leave its leads alone; calls in progress are finished. Return whether that changed anything.

    Raises NotFound with the nearest names of campaigns or lists.
    """

    def work(db: Connection) -> bool:
        campaign_id = locked(db, campaign).id
        lists = select(LeadList.id, LeadList.name, LeadList.active).where(LeadList.campaign_id == campaign_id)
        known = {row.name: row for row in db.execute(lists)}
        found = known.get(list_name.strip())
        if found is None:
            raise NotFound(f"campaign {campaign!r} has no list {list_name!r}. {near(list_name, known)}")
        if found.active is active:
            return False
        db.execute(update(LeadList).where(LeadList.id == found.id).values(active=active))
        touch_campaigns(db, {campaign_id})
        return True

    return await in_transaction(engine, work)
