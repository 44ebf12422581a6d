"""The customer behind a lead: look at and change the basics (S0-20, S0-27)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.fields import CUSTOMER_FIELDS, PAPER_FIELDS, WrongValue
from crm.lead_actions import in_transaction
from crm.names import fold
from dialer.errors import BadInput, NotFound
from store.models import Customer
from store.open import readers

EDITABLE: Final = {**CUSTOMER_FIELDS, **PAPER_FIELDS}
"""Fields that a person may change, with their parsers; the phone number is the identity and stays."""


async def read_customer(engine: AsyncEngine, customer_id: int) -> dict[str, str | None]:
    """Return the editable fields and `phone`; raise NotFound."""
    columns = [getattr(Customer, name) for name in EDITABLE]
    async with readers(engine).connect() as db:
        query = select(Customer.phone_e164, *columns).where(Customer.id == customer_id)
        row = (await db.execute(query)).one_or_none()
    if row is None:
        raise _unknown(customer_id)
    phone, *values = row
    return {"phone": phone, **dict(zip(EDITABLE, values, strict=True))}


async def edit_customer(
    engine: AsyncEngine, customer_id: int, changes: Mapping[str, str | None], *, now: float
) -> None:
    """Write changed fields; raise BadInput naming the wrong one, NotFound for an unknown customer."""
    values = {name: _parsed(name, value) for name, value in changes.items()}
    if values.get("code", "") is None:
        del values["code"]  # an emptied code keeps the one it had: it names the customer elsewhere
    if "name" in values:
        values["name"] = values["name"] or ""
        values["name_sort"] = fold(values["name"])
    try:
        await in_transaction(engine, lambda db: _write(db, customer_id, values, now))
    except IntegrityError as error:
        raise BadInput(f"code: {values.get('code')!r} belongs to another customer; choose another one.") from error


def _parsed(name: str, value: str | None) -> Any:
    parser = EDITABLE.get(name)
    if parser is None:
        raise BadInput(f"{name}: not a field that can be changed; these can: {', '.join(EDITABLE)}.")
    try:
        return parser(value or "")
    except WrongValue as error:
        raise BadInput(f"{name}: {error.en}.") from error


def _write(db: Connection, customer_id: int, values: Mapping[str, Any], now: float) -> None:
    statement = update(Customer).where(Customer.id == customer_id).values({**values, "updated_at": now})
    if not db.execute(statement).rowcount:
        raise _unknown(customer_id)


def _unknown(customer_id: int) -> NotFound:
    return NotFound(f"there is no customer {customer_id}.")
