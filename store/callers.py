"""Who calls us: customers by their numbers, and the list of those who are on none."""

from __future__ import annotations

from typing import Any, Final, cast

from sqlalchemy import Connection, Table, or_, select, text

from store.bulk import reserve_ids
from store.models import Customer, CustomerPhone, Lead, LeadList
from store.scripts import fields_of

LIST_NAME: Final = "Inbound"
_CUSTOMERS: Final = cast("Table", Customer.__table__)
_LEADS: Final = cast("Table", Lead.__table__)
# Two engines may meet the same stranger at once: the second finds what the first made.
_ADD_CUSTOMER: Final = text(
    "INSERT INTO customers (id, code, phone_e164, name, name_sort, extra, created_at, updated_at)"
    " VALUES (:id, :code, :phone, '', '', '{}', :now, :now) ON CONFLICT DO NOTHING"
)
_ADD_LIST: Final = text(
    "INSERT INTO lists (campaign_id, name, active, created_at) VALUES (:campaign, :name, :active, :now)"
    " ON CONFLICT (campaign_id, name) DO NOTHING"
)


def match(connection: Connection, campaign_id: int, phone: str) -> frozenset[int]:
    """Return the leads of a campaign that have the number, or whose customer has it as one of theirs (S3-41)."""
    further = select(CustomerPhone.customer_id).where(CustomerPhone.phone_e164 == phone)
    customers = select(Customer.id).where(or_(Customer.phone_e164 == phone, Customer.id.in_(further)))
    query = select(Lead.id).where(
        Lead.campaign_id == campaign_id, or_(Lead.phone_e164 == phone, Lead.customer_id.in_(customers))
    )
    return frozenset(connection.execute(query).scalars())


class SqlPeople:
    """Customers and lists in the transaction of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._latest = 0

    def customer(self, phone: str, now: float) -> tuple[int, str]:
        """Return the id and the name of the customer of a number, made if there is none."""
        for letters in ("", "A", "AA", "AAA"):  # people may have given the code to another customer
            if (found := self._known(phone)) is not None:
                return found
            (number,) = reserve_ids(self._connection, _CUSTOMERS, 1)
            values = {"id": number, "code": f"KH{number:06d}{letters}", "phone": phone, "now": now}
            self._connection.execute(_ADD_CUSTOMER, values)
        if (found := self._known(phone)) is not None:
            return found
        raise LookupError("the customer who calls could be neither found nor made")

    def name(self, customer_id: int) -> str:
        """Return a customer's name."""
        query = select(Customer.name).where(Customer.id == customer_id)
        return self._connection.execute(query).scalar_one_or_none() or ""

    def fields(self, customer_id: int) -> dict[str, str]:
        """Return what texts may name of a customer."""
        return fields_of(self._connection, {customer_id}).get(customer_id, {})

    def inbound_list(self, campaign_id: int, now: float) -> int:
        """Return a campaign's list of those who call and are on no other, made if there is none."""
        query = select(LeadList.id).where(LeadList.campaign_id == campaign_id, LeadList.name == LIST_NAME)
        found = self._connection.execute(query).scalar_one_or_none()
        if found is None:
            values: dict[str, Any] = {"campaign": campaign_id, "name": LIST_NAME, "active": True, "now": now}
            self._connection.execute(_ADD_LIST, values)
            found = self._connection.execute(query).scalar_one()
        return int(found)

    def lead_id(self) -> int:
        """Return an id for a new lead."""
        (number,) = reserve_ids(self._connection, _LEADS, 1)
        self._latest = max(number, self._latest + 1)  # the last one may not be inserted yet
        return self._latest

    def _known(self, phone: str) -> tuple[int, str] | None:
        further = select(CustomerPhone.customer_id).where(CustomerPhone.phone_e164 == phone)
        own = Customer.phone_e164 == phone
        query = select(Customer.id, Customer.name).where(or_(own, Customer.id.in_(further)))
        row = self._connection.execute(query.order_by(own.desc(), Customer.id).limit(1)).first()
        return None if row is None else (int(row[0]), row[1] or "")
