"""Write a book's journal back with a few bulk statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, update

from store.book import Book, Journal
from store.bulk import BulkInsert, BulkUpdate, among
from store.callbacks import follow_up
from store.load import ATTEMPT_FIELDS, ATTEMPTS, BANS, LEAD_FIELDS, LEADS
from store.rows import Ban, LeadRow

_LEASE_FIELDS: Final = ("lease_owner", "lease_epoch", "held_until", "held_reason")
_LEAD_KEYS: Final = frozenset({"id", "customer_id", "campaign_id", "list_id", "phone", "call_at", "priority"})
"""What only people write: left as it is."""
_LEAD_CHANGES: Final = tuple(name for name in LEAD_FIELDS if name not in _LEAD_KEYS)
_RESULT_FIELDS: Final = ATTEMPT_FIELDS[ATTEMPT_FIELDS.index("originated_at") :]
_ATTEMPT_COLUMNS: Final = tuple("phone_e164" if name == "phone" else name for name in ATTEMPT_FIELDS)

_UPDATE_LEADS: Final = BulkUpdate(LEADS, "id", _LEAD_CHANGES, id="key", status_attempts="status_json")
_UPDATE_ATTEMPTS: Final = BulkUpdate(ATTEMPTS, "call_id", _RESULT_FIELDS, call_id="key")
_INSERT_ATTEMPTS: Final = BulkInsert(ATTEMPTS, _ATTEMPT_COLUMNS)
_DELETE_LEADS: Final = delete(LEADS).where(among(LEADS.c.id))
_INSERT_BANS: Final = insert(BANS)


def flush(connection: Connection, book: Book, *, now: float) -> None:
    """Write the rows that the journal names and start a new one, which keeps the failures and the events.

    The events are the caller's to append, once, at the end: on PostgreSQL that queues up behind all other writers.
    """
    journal = book.journal
    if journal.added:
        connection.execute(insert(LEADS), [_new_lead(book.leads[key], at) for key, at in journal.added.items()])
    _flush_leads(connection, book, journal)
    _INSERT_ATTEMPTS.run(connection, (book.attempts[call_id] for call_id in sorted(journal.begun)))
    changed = journal.attempts - journal.begun
    _UPDATE_ATTEMPTS.run(connection, (book.attempts[call_id] for call_id in sorted(changed)))
    if journal.callbacks or journal.talked:
        follow_up(connection, journal.callbacks, journal.talked, now=now)
    if journal.bans:
        connection.execute(_INSERT_BANS, [_ban_values(ban, now) for ban in journal.bans])
    book.journal = Journal(failures=journal.failures, events=journal.events)


def _flush_leads(connection: Connection, book: Book, journal: Journal) -> None:
    if journal.removed:
        connection.execute(_DELETE_LEADS, {"keys": journal.removed})
    moved = journal.leads - journal.removed - journal.added.keys()
    _UPDATE_LEADS.run(connection, (book.leads[lead_id] for lead_id in sorted(moved)))
    leased = journal.leases - journal.leads - journal.removed - journal.added.keys()
    _flush_leases(connection, [book.leads[lead_id] for lead_id in sorted(leased)])


def _flush_leases(connection: Connection, leads: Sequence[LeadRow]) -> None:
    """Write alike leases together: a whole hopper is one statement."""
    alike: dict[tuple[Any, ...], list[int]] = {}
    for lead in leads:
        alike.setdefault(tuple(getattr(lead, name) for name in _LEASE_FIELDS), []).append(lead.id)
    for values, ids in alike.items():
        new = dict(zip(_LEASE_FIELDS, values, strict=True))
        connection.execute(update(LEADS).where(among(LEADS.c.id)).values(new), {"keys": ids})


def _new_lead(lead: LeadRow, added_at: float) -> dict[str, Any]:
    values = {"phone_e164" if name == "phone" else name: getattr(lead, name) for name in LEAD_FIELDS}
    return {**values, "added_at": added_at}


def _ban_values(ban: Ban, now: float) -> dict[str, Any]:
    return {
        "phone_e164": ban.phone,
        "kind": ban.kind,
        "scope": ban.scope,
        "campaign_id": ban.campaign_id,
        "except_campaign_id": ban.except_campaign_id,
        "until": ban.until,
        "reason": ban.reason,
        "created_at": now,
    }
