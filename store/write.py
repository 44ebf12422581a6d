"""Write a book's journal back with a few bulk statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, update

from store.book import Book, Journal
from store.load import ATTEMPT_FIELDS, ATTEMPTS, BANS, LEAD_FIELDS, LEADS
from store.rows import AttemptRow, Ban, LeadRow

_LEASE_FIELDS: Final = ("lease_owner", "lease_epoch", "held_until", "held_reason")
_LEAD_KEYS: Final = frozenset({"id", "customer_id", "campaign_id", "list_id", "phone", "call_at", "priority"})
"""What only people write: left as it is."""
_LEAD_CHANGES: Final = tuple(name for name in LEAD_FIELDS if name not in _LEAD_KEYS)
_RESULT_FIELDS: Final = ATTEMPT_FIELDS[ATTEMPT_FIELDS.index("originated_at") :]


# The SET clause is made from the keys of the rows; "key" is no column.
_UPDATE_LEADS: Final = update(LEADS).where(LEADS.c.id == bindparam("key"))
_UPDATE_ATTEMPTS: Final = update(ATTEMPTS).where(ATTEMPTS.c.call_id == bindparam("key"))
_DELETE_LEADS: Final = delete(LEADS).where(LEADS.c.id == bindparam("key"))
_INSERT_ATTEMPTS: Final = insert(ATTEMPTS)
_INSERT_BANS: Final = insert(BANS)


def flush(connection: Connection, book: Book, *, now: float) -> None:
    """Write the rows that the journal names and start a new one, which keeps the failures and the events.

    The events are the caller's to append, once, at the end: on PostgreSQL that queues up behind all other writers.
    """
    journal = book.journal
    _flush_leads(connection, book, journal)
    if journal.begun:
        rows = [_attempt_values(book.attempts[call_id]) for call_id in sorted(journal.begun)]
        connection.execute(_INSERT_ATTEMPTS, rows)
    if changed := journal.attempts - journal.begun:
        fields = [_values(book.attempts[call_id], call_id, _RESULT_FIELDS) for call_id in sorted(changed)]
        connection.execute(_UPDATE_ATTEMPTS, fields)
    if journal.bans:
        connection.execute(_INSERT_BANS, [_ban_values(ban, now) for ban in journal.bans])
    book.journal = Journal(failures=journal.failures, events=journal.events)


def _flush_leads(connection: Connection, book: Book, journal: Journal) -> None:
    if journal.removed:
        connection.execute(_DELETE_LEADS, [{"key": lead_id} for lead_id in sorted(journal.removed)])
    if moved := journal.leads - journal.removed:
        connection.execute(_UPDATE_LEADS, [_values(book.leads[key], key, _LEAD_CHANGES) for key in sorted(moved)])
    if leased := journal.leases - journal.leads - journal.removed:
        connection.execute(_UPDATE_LEADS, [_values(book.leads[key], key, _LEASE_FIELDS) for key in sorted(leased)])


def _values(row: LeadRow | AttemptRow, key: int | str, names: Sequence[str]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    values["key"] = key
    return values


def _attempt_values(row: AttemptRow) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in ATTEMPT_FIELDS}
    values["phone_e164"] = values.pop("phone")
    return values


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
