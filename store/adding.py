"""Put customers on a campaign's list in bulk, T1 to T3 (statuses.md 3.2), with their events."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Table, bindparam, insert, select, text

from cdr.encode import CampaignRef, LeadChange, OutboxEvent, lead_changed
from dialer.core.types import CampaignSettings, HoldReason
from statuses.lead import LeadFacts, LeadStep, Trigger, step
from store.load import BANS, CHUNK, LEADS
from store.outbox import append
from store.rows import Ban
from store.rules import ban_hold


class NewLead(NamedTuple):
    """A customer to be put on a list; `call_at` in UTC epoch seconds (S4-15)."""

    customer_id: int
    phone: str
    call_at: float | None = None


_INSERT: Final = insert(LEADS)
_BANS: Final = select(
    BANS.c.phone_e164, BANS.c.kind, BANS.c.scope, BANS.c.campaign_id, BANS.c.except_campaign_id, BANS.c.until
).where(BANS.c.phone_e164.in_(bindparam("keys", expanding=True)))
_SQLITE_LAST: Final = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
_POSTGRES_NEXT: Final = text(
    "SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, CAST(:count AS integer))"
)
_TRIGGERS: Final = {HoldReason.DNC: Trigger.ADDED_DNC, HoldReason.BLACKLIST: Trigger.ADDED_BLACKLISTED}
_STEPS: Final = {
    trigger: step(LeadFacts(state=None), trigger)
    for trigger in (Trigger.ADDED, Trigger.ADDED_DNC, Trigger.ADDED_BLACKLISTED)
}


def reserve_ids(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """Return ids that nobody else gets; on SQLite the caller's transaction must be a writing one."""
    if connection.dialect.name == "postgresql":
        return sorted(connection.execute(_POSTGRES_NEXT, {"name": table.name, "count": count}).scalars())
    last = connection.execute(_SQLITE_LAST, {"name": table.name}).scalar_one_or_none() or 0
    return range(last + 1, last + 1 + count)


def add_leads(
    connection: Connection, campaign: CampaignSettings, list_id: int, new: Sequence[NewLead], *, now: float
) -> None:
    """Insert leads, held where their number is listed (T2, T3), and append lead.state_changed for each.

    The caller has seen to it that none of the customers is on the list, and writes nothing slow after this.
    """
    if not new:
        return
    bans = _bans(connection, {lead.phone for lead in new})
    ref = CampaignRef(campaign.campaign_id, campaign.name, campaign.kind.value)
    rows: list[dict[str, Any]] = []
    events: list[OutboxEvent] = []
    for lead_id, lead in zip(reserve_ids(connection, LEADS, len(new)), new, strict=True):
        hold = ban_hold(bans[lead.phone], ref.campaign_id, now) if lead.phone in bans else None
        trigger = Trigger.ADDED if hold is None else _TRIGGERS.get(hold.reason, Trigger.ADDED)
        row = _row(lead_id, lead, (ref.campaign_id, list_id), _STEPS[trigger], now)
        rows.append(row)
        events.append(lead_changed(_change(row, trigger), ref))
    connection.execute(_INSERT, rows)
    append(connection, events, now=now)


def _bans(connection: Connection, phones: Collection[str]) -> dict[str, list[Ban]]:
    found: dict[str, list[Ban]] = {}
    ordered = sorted(phones)
    for start in range(0, len(ordered), CHUNK):
        for row in connection.execute(_BANS, {"keys": ordered[start : start + CHUNK]}):
            found.setdefault(row[0], []).append(Ban(*row))
    return found


def _row(lead_id: int, lead: NewLead, place: tuple[int, int], held: LeadStep, now: float) -> dict[str, Any]:
    return {
        "id": lead_id,
        "customer_id": lead.customer_id,
        "campaign_id": place[0],
        "list_id": place[1],
        "phone_e164": lead.phone,
        "state": held.state,
        "remembered": held.remembered,
        "reconcile": False,
        "attempts": 0,
        "dialed": 0,
        "error_attempts": 0,
        "status_attempts": {},
        "call_at": lead.call_at,
        "priority": 0,
        "version": 1,
        "added_at": now,
    }


def _change(row: dict[str, Any], trigger: Trigger) -> LeadChange:
    return LeadChange(
        lead_id=row["id"],
        campaign_id=row["campaign_id"],
        list_id=row["list_id"],
        customer_id=row["customer_id"],
        phone=row["phone_e164"],
        state_from=None,
        state_to=row["state"],
        rule=_STEPS[trigger].rule,
        trigger=trigger,
        attempts=0,
        dialed=0,
        last_status=None,
        error_kind=None,
        next_at=None,
        callback_at=None,
        agent_id=None,
        version=1,
        at=row["added_at"],
    )
