"""Read into a book what a batch touches; on PostgreSQL the rows and numbers stay locked to the end of the transaction.

Locks are taken in one order (campaigns, leads by id, numbers, outbox), so two engines cannot wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, Final, cast

import msgspec
from sqlalchemy import Connection, Row, Select, Table, bindparam, or_, select, text

from dialer.core.campaign import CampaignState
from dialer.core.types import CampaignSettings, Direction
from statuses.lead import LeadState
from store.batch import Touched
from store.book import Book
from store.bulk import among
from store.callers import SqlPeople, match
from store.models import Attempt, Campaign, Customer, Lead, LeadList, Suppression
from store.rows import AttemptRow, Ban, CampaignInfo, Dial, LeadRow
from store.rules import DAY_S

LEADS: Final = cast("Table", Lead.__table__)
ATTEMPTS: Final = cast("Table", Attempt.__table__)
CAMPAIGNS: Final = cast("Table", Campaign.__table__)
LISTS: Final = cast("Table", LeadList.__table__)
BANS: Final = cast("Table", Suppression.__table__)
CUSTOMERS: Final = cast("Table", Customer.__table__)

CHUNK: Final = 5_000
"""Keys per statement where each is a parameter: both databases take about 32,000."""
_RENAMED: Final = {"phone": "phone_e164"}
LEAD_FIELDS: Final = tuple(name for name in LeadRow.__slots__ if name not in {"name", "fields"})
ATTEMPT_FIELDS: Final = tuple(AttemptRow.__slots__)
_LEAD_COLUMNS: Final = [LEADS.c[_RENAMED.get(name, name)] for name in LEAD_FIELDS]
_LEADS: Final = select(*_LEAD_COLUMNS).where(among(LEADS.c.id)).order_by(LEADS.c.id)
_ATTEMPTS: Final = (
    select(*(ATTEMPTS.c[_RENAMED.get(name, name)] for name in ATTEMPT_FIELDS))
    .where(among(ATTEMPTS.c.call_id))
    .order_by(ATTEMPTS.c.call_id)
)
_DIALS: Final = select(
    ATTEMPTS.c.phone_e164,
    ATTEMPTS.c.call_id,
    ATTEMPTS.c.begun_at,
    ATTEMPTS.c.settled,
    ATTEMPTS.c.rang,
    ATTEMPTS.c.lost,
    ATTEMPTS.c.direction,
).where(among(ATTEMPTS.c.phone_e164), or_(ATTEMPTS.c.begun_at > bindparam("since"), ~ATTEMPTS.c.settled))
_HOLDERS: Final = select(LEADS.c.phone_e164, LEADS.c.id, LEADS.c.state).where(
    among(LEADS.c.phone_e164), or_(LEADS.c.lease_owner.is_not(None), LEADS.c.state == LeadState.IN_PROGRESS.value)
)
_BANS: Final = select(
    BANS.c.phone_e164, BANS.c.kind, BANS.c.scope, BANS.c.campaign_id, BANS.c.except_campaign_id, BANS.c.until
).where(among(BANS.c.phone_e164))
_CAMPAIGNS: Final = select(
    CAMPAIGNS.c.id,
    CAMPAIGNS.c.name,
    CAMPAIGNS.c.settings,
    CAMPAIGNS.c.owner,
    CAMPAIGNS.c.epoch,
    CAMPAIGNS.c.lease_expires_at,
    CAMPAIGNS.c.state,
    CAMPAIGNS.c.resumes_by_schedule,
    CAMPAIGNS.c.state_since,
    CAMPAIGNS.c.revision,
)
_LISTS: Final = select(LISTS.c.id, LISTS.c.active).where(among(LISTS.c.campaign_id))
_LOCK_NUMBERS: Final = text(
    "SELECT pg_advisory_xact_lock(key) FROM (SELECT DISTINCT hashtextextended(phone, 0) AS key"
    " FROM unnest(CAST(:phones AS text[])) AS phone ORDER BY key) AS keys"
)


@lru_cache(maxsize=1024)
def decode_settings(stored: str, campaign_id: int, name: str) -> CampaignSettings:
    """Read a campaign's settings; the row's id and name win over what the text says."""
    settings = msgspec.json.decode(stored, type=CampaignSettings)
    return msgspec.structs.replace(settings, campaign_id=campaign_id, name=name)


def info_of(row: Row[Any]) -> CampaignInfo:
    """Return a campaign from a row of `campaigns_query`."""
    return CampaignInfo(
        settings=decode_settings(row.settings, row.id, row.name),
        owner=row.owner,
        epoch=row.epoch,
        lease_expires_at=row.lease_expires_at,
        state=CampaignState(row.state),
        resumes_by_schedule=row.resumes_by_schedule,
        state_since=row.state_since,
        revision=row.revision,
    )


def campaigns_query() -> Select[Any]:
    """Select what `info_of` reads."""
    return _CAMPAIGNS


def load(connection: Connection, keys: Touched, *, now: float) -> Book:
    """Fill a book with the campaigns, leads, attempts and number histories that a batch needs."""
    book = Book()
    load_campaigns(connection, book, keys.campaigns)
    if keys.arrivals:
        book.people = SqlPeople(connection)
        for campaign_id, phone in sorted(keys.arrivals):
            found = book.matches[campaign_id, phone] = match(connection, campaign_id, phone)
            keys.leads |= found
    for row in _rows(connection, _LEADS.with_for_update(), keys.leads):
        book.add_lead(lead_of(row))
    for row in _rows(connection, _ATTEMPTS.with_for_update(), keys.calls):
        attempt = AttemptRow(*row)
        book.attempts[attempt.call_id] = attempt
    if keys.phones:
        phones = keys.phones | {lead.phone for lead in book.leads.values()}
        if connection.dialect.name == "postgresql":  # nobody else may begin a call to them meanwhile
            connection.execute(_LOCK_NUMBERS, {"phones": list(phones)})
        load_numbers(connection, book, phones, now=now)
    return book


def load_leads(connection: Connection, campaign_id: int, lead_ids: Collection[int]) -> Book:
    """Fill a book with leads and their suppressions, only to be looked at."""
    book = Book()
    load_campaigns(connection, book, {campaign_id}, lock=False)
    for row in _rows(connection, _LEADS, set(lead_ids)):
        book.add_lead(lead_of(row))
    _load_bans(connection, book, {lead.phone for lead in book.leads.values()})
    return book


def load_campaigns(connection: Connection, book: Book, campaign_ids: Collection[int], *, lock: bool = True) -> None:
    """Add campaigns and their lists; locked, nobody can take a campaign over until the transaction ends."""
    query = _CAMPAIGNS.where(among(CAMPAIGNS.c.id)).order_by(CAMPAIGNS.c.id)
    for row in _rows(connection, query.with_for_update(read=True) if lock else query, campaign_ids):
        book.campaigns[row.id] = info_of(row)
    for list_id, active in _rows(connection, _LISTS, campaign_ids):
        book.lists[list_id] = active


def load_numbers(connection: Connection, book: Book, phones: Collection[str], *, now: float) -> None:
    """Add what the guards ask about numbers."""
    for phone, call_id, begun_at, settled, rang, lost, way in _rows(connection, _DIALS, phones, since=now - DAY_S):
        ours = way == Direction.OUTBOUND
        dial = Dial(begun_at, open=not settled, reached=rang or lost or not settled, ours=ours)
        book.dials.setdefault(phone, {})[call_id] = dial
    for phone, lead_id, state in _rows(connection, _HOLDERS, phones):
        book.holders.setdefault(phone, {})[lead_id] = state == LeadState.IN_PROGRESS
    _load_bans(connection, book, phones)


def _load_bans(connection: Connection, book: Book, phones: Collection[str]) -> None:
    for row in _rows(connection, _BANS, phones):
        book.bans.setdefault(row[0], []).append(Ban(*row))


def lead_of(row: Sequence[Any], name: str = "") -> LeadRow:
    """Make a lead from a row of `lead_columns`."""
    lead_id, customer_id, campaign_id, list_id, phone, *rest = row
    return LeadRow(lead_id, customer_id, campaign_id, list_id, phone, name, *rest)


def lead_columns() -> list[Any]:
    """List the columns that `lead_of` reads."""
    return list(_LEAD_COLUMNS)


def _rows(
    connection: Connection, query: Select[Any], keys: Collection[int] | Collection[str], **more: object
) -> Sequence[Any]:
    return connection.execute(query, {"keys": keys, **more}).all() if keys else ()
