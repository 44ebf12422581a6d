"""Put customers on a campaign's list in bulk, T1 to T3 (statuses.md 3.2), with their events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from cdr.encode import CampaignRef, LeadChange, OutboxEvent, lead_changed
from dialer.core.types import CampaignSettings, HoldReason
from statuses.lead import LeadFacts, Trigger, step
from store.bulk import BulkInsert, among, reserve_ids
from store.load import BANS, LEADS
from store.outbox import append
from store.rows import Ban
from store.rules import ban_hold


class NewLead(NamedTuple):
    """A customer to be put on a list; `call_at` in UTC epoch seconds (S4-15)."""

    customer_id: int
    phone: str
    call_at: float | None = None


class _Row:
    """A lead as it is inserted."""

    __slots__ = (
        "added_at", "attempts", "call_at", "campaign_id", "customer_id", "dialed", "error_attempts", "id", "list_id",
        "phone_e164", "priority", "reconcile", "remembered", "state", "status_attempts", "version",
    )  # fmt: skip

    def __init__(self, lead_id: int, lead: NewLead, campaign_id: int, list_id: int, now: float) -> None:
        self.id, self.campaign_id, self.list_id, self.added_at = lead_id, campaign_id, list_id, now
        self.customer_id, self.phone_e164, self.call_at = lead
        self.attempts = self.dialed = self.error_attempts = self.priority = 0
        self.status_attempts, self.reconcile, self.version = "{}", False, 1
        self.state = ""
        self.remembered: str | None = None


_INSERT: Final = BulkInsert(LEADS, _Row.__slots__)
_BANS: Final = select(
    BANS.c.phone_e164, BANS.c.kind, BANS.c.scope, BANS.c.campaign_id, BANS.c.except_campaign_id, BANS.c.until
).where(among(BANS.c.phone_e164))
_TRIGGERS: Final = {HoldReason.DNC: Trigger.ADDED_DNC, HoldReason.BLACKLIST: Trigger.ADDED_BLACKLISTED}
_STEPS: Final = {
    trigger: step(LeadFacts(state=None), trigger)
    for trigger in (Trigger.ADDED, Trigger.ADDED_DNC, Trigger.ADDED_BLACKLISTED)
}

_STATES: Final = {
    trigger: (str(held.state or ""), None if held.remembered is None else held.remembered.value)
    for trigger, held in _STEPS.items()
}


def add_leads(
    connection: Connection, campaign: CampaignSettings, list_id: int, new: Sequence[NewLead], *, now: float
) -> None:
    """Insert leads, held where their number is listed (T2, T3), and append lead.state_changed for each.

    The caller has seen to it that none of the customers is on the list, and writes nothing slow after this.
    """
    if not new:
        return
    bans: dict[str, list[Ban]] = {}
    for row in connection.execute(_BANS, {"keys": {lead.phone for lead in new}}):
        bans.setdefault(row[0], []).append(Ban(*row))
    ref = CampaignRef(campaign.campaign_id, campaign.name, campaign.kind.value)
    rows: list[_Row] = []
    events: list[OutboxEvent] = []
    for lead_id, lead in zip(reserve_ids(connection, LEADS, len(new)), new, strict=True):
        hold = ban_hold(bans[lead.phone], ref.campaign_id, now) if lead.phone in bans else None
        trigger = Trigger.ADDED if hold is None else _TRIGGERS.get(hold.reason, Trigger.ADDED)
        inserted = _Row(lead_id, lead, ref.campaign_id, list_id, now)
        inserted.state, inserted.remembered = _STATES[trigger]
        rows.append(inserted)
        events.append(lead_changed(_change(inserted, trigger), ref))
    _INSERT.run(connection, rows)
    append(connection, events, now=now)


def _change(row: _Row, trigger: Trigger) -> LeadChange:
    return LeadChange(
        lead_id=row.id,
        campaign_id=row.campaign_id,
        list_id=row.list_id,
        customer_id=row.customer_id,
        phone=row.phone_e164,
        state_from=None,
        state_to=row.state,
        rule=_STEPS[trigger].rule,
        trigger=trigger.value,
        attempts=0,
        dialed=0,
        last_status=None,
        error_kind=None,
        next_at=None,
        callback_at=None,
        agent_id=None,
        version=1,
        at=row.added_at,
    )
