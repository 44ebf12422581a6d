"""Find the leads that are due, straight from the index `ix_leads_dial` (ranks and due times are computed columns)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, func, select, union_all

from cdr.encode import OutboxEvent
from dialer.core.effects import LeaseLeads
from dialer.core.events import LeadsLeased
from dialer.core.kinds import names_fields
from dialer.core.types import Fence
from store.book import Book
from store.bulk import among
from store.leases import Places, lease, places
from store.load import CUSTOMERS, LEADS, lead_columns, lead_of, load_campaigns, load_numbers
from store.rows import LeadRow
from store.scripts import fields_of
from store.write import flush

_LISTS_AT_ONCE: Final = 80
"""SQLite joins at most 500 selects in one statement; five ranks a list."""
_RANKS: Final = 5


def lease_leads(
    connection: Connection, fence: Fence, effect: LeaseLeads, events: list[OutboxEvent], *, now: float
) -> LeadsLeased:
    """Lease leads from the database; new events go to `events`."""
    book = Book()
    book.journal.events = events
    load_campaigns(connection, book, {fence.campaign_id})
    info = book.campaigns.get(fence.campaign_id)
    fields = info is not None and names_fields(info.settings)
    return lease(book, fence, effect.count, SqlSource(connection, book, now, effect.prefer, fields=fields), now)


class SqlSource:
    """The due leads of the lists that a book knows to be active."""

    def __init__(
        self, connection: Connection, book: Book, now: float, prefer: Sequence[int] = (), *, fields: bool = False
    ) -> None:
        self._connection = connection
        self._book = book
        self._now = now
        self._places = places(prefer)
        self._fields = fields
        self._lists = sorted(list_id for list_id, active in book.lists.items() if active)

    def candidates(self, rank: int, limit: int) -> Sequence[LeadRow]:
        """Return due leads in dialing order and load what the guards ask about their numbers."""
        found = _candidates(self._connection, self._lists, rank, self._places, now=self._now, limit=limit)
        known = fields_of(self._connection, {lead.customer_id for lead in found}) if self._fields else {}
        for lead in found:
            lead.fields = known.get(lead.customer_id, {})
            self._book.add_lead(lead)
        load_numbers(self._connection, self._book, {lead.phone for lead in found}, now=self._now)
        return found

    def settle(self) -> None:
        """Write leases and brakes, so that the index shows them."""
        flush(self._connection, self._book, now=self._now)

    def next_due(self) -> float | None:
        """Return when the next lead is due that is not due yet."""
        return _next_due(self._connection, self._lists, now=self._now)


def _candidates(
    connection: Connection, lists: Sequence[int], rank: int, places: Places, *, now: float, limit: int
) -> list[LeadRow]:
    keys: list[Any] = []
    for some in _portions(lists):
        queries = [_due(list_id, rank, now, limit) for list_id in some]
        keys += connection.execute(queries[0] if len(queries) == 1 else _together(queries)).all()
    keys.sort(key=lambda key: (places.get(key.list_id, 0), key.due_at, -key.priority, key.id))
    ids = [key.id for key in keys[:limit]]
    return _locked(connection, ids, now=now) if ids else []


def _portions(lists: Sequence[int]) -> Iterator[Sequence[int]]:
    return (lists[start : start + _LISTS_AT_ONCE] for start in range(0, len(lists), _LISTS_AT_ONCE))


def _due(list_id: int, rank: int, now: float, limit: int) -> Select[Any]:
    return (
        select(LEADS.c.id, LEADS.c.due_at, LEADS.c.priority, LEADS.c.list_id)
        .where(LEADS.c.list_id == list_id, LEADS.c.dial_rank == rank, LEADS.c.due_at <= now)
        .order_by(LEADS.c.due_at, LEADS.c.priority.desc(), LEADS.c.id)
        .limit(limit)
    )


def _together(queries: Sequence[Select[Any]]) -> Any:
    return union_all(*(select(query.subquery()) for query in queries))


def _locked(connection: Connection, ids: Sequence[int], *, now: float) -> list[LeadRow]:
    """Read the rows; PostgreSQL passes over those that somebody is changing at this moment."""
    query = (
        select(*lead_columns(), CUSTOMERS.c.name.label("customer_name"))
        .join(CUSTOMERS, CUSTOMERS.c.id == LEADS.c.customer_id)
        .where(among(LEADS.c.id), LEADS.c.due_at <= now)
        .with_for_update(skip_locked=True, of=LEADS)
    )
    found = {row[0]: lead_of(row[:-1], row[-1]) for row in connection.execute(query, {"keys": ids}).all()}
    return [found[lead_id] for lead_id in ids if lead_id in found]


def _next_due(connection: Connection, lists: Sequence[int], *, now: float) -> float | None:
    dues: list[float] = []
    for some in _portions(lists):
        firsts = [_first_after(list_id, rank, now) for list_id in some for rank in range(_RANKS)]
        dues += [due for due in connection.execute(union_all(*firsts)).scalars() if due is not None]
    return min(dues, default=None)


def _first_after(list_id: int, rank: int, now: float) -> Select[Any]:
    here = and_(LEADS.c.list_id == list_id, LEADS.c.dial_rank == rank, LEADS.c.due_at > now)
    return select(func.min(LEADS.c.due_at)).where(here)
