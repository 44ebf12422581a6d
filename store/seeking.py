"""Find the lead of a call by hand in the database, and make customer, list and lead for a number that nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from sqlalchemy import Connection, Table, insert, or_, select

from cdr.encode import OutboxEvent
from dialer.core.effects import SeekLead
from dialer.core.events import LeadFound
from dialer.core.kinds import names_fields
from dialer.core.types import Fence, HoldReason
from store.adding import NewLead, add_leads
from store.book import Book
from store.bulk import reserve_ids
from store.hand import LIST_NAME, Choice, choose, take_off, told
from store.load import CUSTOMERS, LEADS, LISTS, lead_columns, lead_of, load_campaigns, load_numbers
from store.models import CustomerPhone
from store.rows import LeadRow
from store.scripts import fields_of
from store.write import flush

_PHONES: Final = cast("Table", CustomerPhone.__table__)


def seek_lead(
    connection: Connection, fence: Fence, effect: SeekLead, events: list[OutboxEvent], *, now: float
) -> LeadFound:
    """Lease the lead, an old one or a new one; new events go to `events`."""
    book = Book()
    book.journal.events = events
    load_campaigns(connection, book, {fence.campaign_id})
    found = _leads(connection, fence.campaign_id, effect)
    phone = found[0].phone if found and effect.lead_id else effect.phone
    load_numbers(connection, book, {phone}, now=now)
    choice = _lease_first(book, fence, found, now)
    if choice == Choice() and phone:
        choice = _lease_first(book, fence, _anew(connection, book, fence.campaign_id, phone, now=now), now)
    elif choice == Choice():
        choice = Choice(reason=HoldReason.GONE)
    flush(connection, book, now=now)
    if choice.lead is not None and names_fields(book.campaigns[fence.campaign_id].settings):
        customer_id = choice.lead.customer_id
        choice.lead.fields = fields_of(connection, {customer_id}).get(customer_id, {})
    return told(effect, choice)


def _leads(connection: Connection, campaign_id: int, effect: SeekLead) -> list[LeadRow]:
    """Return the lead that was asked for and the others of its number, or those of the number, oldest first."""
    phone: Any = effect.phone
    if effect.lead_id:
        phone = select(LEADS.c.phone_e164).where(LEADS.c.id == effect.lead_id).scalar_subquery()
    query = (
        select(*lead_columns(), CUSTOMERS.c.name)
        .join(CUSTOMERS, CUSTOMERS.c.id == LEADS.c.customer_id)
        .where(LEADS.c.campaign_id == campaign_id, or_(LEADS.c.phone_e164 == phone, LEADS.c.id == effect.lead_id))
        .order_by(LEADS.c.id)
        .with_for_update(of=LEADS)
    )
    rows = [lead_of(row[:-1], row[-1]) for row in connection.execute(query)]
    return sorted(rows, key=lambda lead: lead.id != effect.lead_id)


def _lease_first(book: Book, fence: Fence, found: Sequence[LeadRow], now: float) -> Choice:
    for lead in found:
        book.add_lead(lead)
    return choose(book, fence, found, now)


def _anew(connection: Connection, book: Book, campaign_id: int, phone: str, *, now: float) -> list[LeadRow]:
    """Put the number's customer on the campaign's list "Manual", anew if the last call from there is finished."""
    list_id = _list_id(connection, campaign_id, now)
    for lead in tuple(book.leads.values()):
        if lead.list_id == list_id:
            take_off(book, lead, now)
    flush(connection, book, now=now)
    new = NewLead(_customer_id(connection, phone, now), phone)
    add_leads(connection, book.campaigns[campaign_id].settings, list_id, [new], now=now)
    book.lists[list_id] = True
    made = _leads(connection, campaign_id, SeekLead("", 0, phone))
    return [lead for lead in made if lead.list_id == list_id]


def _list_id(connection: Connection, campaign_id: int, now: float) -> int:
    """Return the campaign's list of calls by hand, made if it is not there, and switched on."""
    mine = (LISTS.c.campaign_id == campaign_id, LISTS.c.name == LIST_NAME)
    found = connection.execute(select(LISTS.c.id).where(*mine)).scalar_one_or_none()
    if found is not None:
        connection.execute(LISTS.update().where(LISTS.c.id == found).values(active=True))
        return int(found)
    values = {"campaign_id": campaign_id, "name": LIST_NAME, "active": True, "created_at": now}
    return int(connection.execute(insert(LISTS).values(values).returning(LISTS.c.id)).scalar_one())


def _customer_id(connection: Connection, phone: str, now: float) -> int:
    """Return whose number this is, by the first or by a further number of theirs; a stranger becomes a customer."""
    further = select(_PHONES.c.customer_id).where(_PHONES.c.phone_e164 == phone).limit(1)
    for query in (select(CUSTOMERS.c.id).where(CUSTOMERS.c.phone_e164 == phone), further):
        found = connection.execute(query).scalar()
        if found is not None:
            return int(found)
    (number,) = reserve_ids(connection, CUSTOMERS, 1)
    code = f"KH{number:06d}"
    while connection.execute(select(CUSTOMERS.c.id).where(CUSTOMERS.c.code == code)).first():
        code += "A"
    values = {"id": number, "code": code, "phone_e164": phone, "name": "", "name_sort": "", "extra": {}}
    connection.execute(insert(CUSTOMERS).values({**values, "created_at": now, "updated_at": now}))
    return int(number)
