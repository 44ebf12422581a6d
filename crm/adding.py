"""Add one customer by hand to a campaign (Thêm khách hàng, S2-15 and S2-16)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.campaigns import locked
from crm.fields import CUSTOMER_FIELDS, WrongValue
from crm.import_batch import Target, write_batch
from crm.lead_actions import in_transaction
from crm.numbers import Phone, parse_phone
from crm.reading import Batch, Person
from dialer.errors import BadInput
from store.hand import LIST_NAME
from store.load import decode_settings
from store.models import Customer, Lead

REQUIRED: Final = ("name",)
"""What must be filled in beside the phone number."""


async def add_customer(engine: AsyncEngine, campaign: str, phone: str, values: Mapping[str, str], *, now: float) -> int:
    """Put a customer on the campaign's list of calls by hand and return the lead's id; nobody is called.

    Raises BadInput that names the wrong or missing field, or says that the number is in the campaign already; NotFound
    with the nearest names of campaigns.
    """
    number, clean = _number(phone), _clean(values)

    def work(db: Connection) -> int:
        row = locked(db, campaign)
        settings = decode_settings(row.settings, row.id, row.name)
        person = Person(1, number, clean, None, None, (), migrated=False)
        done = write_batch(db, Batch([person], []), Target(settings, LIST_NAME, now, tuple(clean), 0))
        if done.failures:
            raise BadInput(f"{done.failures[0].field}: {done.failures[0].en}.")
        if not done.added:
            raise BadInput("phone: this number is in the campaign already; look it up among the customers.")
        found = select(Lead.id).join(Customer, Customer.id == Lead.customer_id)
        return int(db.execute(found.where(Lead.campaign_id == row.id, Customer.phone_e164 == number)).scalar_one())

    return await in_transaction(engine, work)


def _number(text: str) -> str:
    found = parse_phone(text, migrate_2018=True)
    if not isinstance(found, Phone):
        raise BadInput(f"phone: {found.en}.")
    return found.e164


def _clean(values: Mapping[str, str]) -> dict[str, str]:
    clean: dict[str, str] = {}
    for name, text in values.items():
        parser = CUSTOMER_FIELDS.get(name)
        if parser is None:
            raise BadInput(f"{name}: not a field of a customer; the fields are: {', '.join(CUSTOMER_FIELDS)}.")
        try:
            value = parser(text)
        except WrongValue as error:
            raise BadInput(f"{name}: {error.en}.") from error
        if value is not None:
            clean[name] = value
    for name in REQUIRED:
        if name not in clean:
            raise BadInput(f"{name}: fill it in; fields with * are required.")
    return clean
