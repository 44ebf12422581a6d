"""Write one batch of an import: customers by phone number, their places on the list, comments; all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, bindparam, func, insert, select, text, update

from crm.lead_actions import touch_campaigns
from crm.names import fold
from crm.reading import Batch, Failure, Person
from dialer.core.types import CampaignSettings
from store.adding import NewLead, add_leads
from store.bulk import BulkInsert, BulkStatement, among, reserve_ids
from store.load import CUSTOMERS, LEADS
from store.locks import Lock
from store.models import Comment, LeadList

_COMMENTS: Final = Comment.__table__
_LISTS: Final = LeadList.__table__
_KNOWN: Final = select(CUSTOMERS.c.phone_e164, CUSTOMERS.c.id, CUSTOMERS.c.updated_at, CUSTOMERS.c.code).where(
    among(CUSTOMERS.c.phone_e164)
)
_CODES: Final = select(CUSTOMERS.c.code, CUSTOMERS.c.phone_e164).where(among(CUSTOMERS.c.code))
# With the campaign in the condition SQLite would read all of the campaign's leads for every batch.
_PLACED: Final = select(LEADS.c.customer_id, LEADS.c.campaign_id).where(among(LEADS.c.customer_id))
_SAID: Final = select(_COMMENTS.c.customer_id, _COMMENTS.c.text).where(among(_COMMENTS.c.customer_id))
# Two imports with the same new number must not both insert it; SQLite has one writer anyway.
_ONE_AT_A_TIME: Final = text(f"SELECT pg_advisory_xact_lock({Lock.IMPORT:d})")
_CODE_TAKEN: Final = ("Mã khách hàng đã thuộc về người khác", "the customer code belongs to another customer")


@dataclass(frozen=True, slots=True)
class Target:
    """Where an import goes; `stamp` (UTC epoch seconds) marks every customer that this import has touched."""

    campaign: CampaignSettings
    list_name: str
    stamp: float
    fields: tuple[str, ...]
    """Customer fields that the mapping names."""
    code_column: int


@dataclass(slots=True)
class Counts:
    """added + existing + failed = data rows; `duplicates`, part of existing, stood in the file before."""

    added: int = 0
    existing: int = 0
    failed: int = 0
    duplicates: int = 0
    failures: list[Failure] = field(default_factory=list)


@dataclass(slots=True)
class _Known:
    id: int
    updated_at: float
    code: str


def write_batch(db: Connection, batch: Batch, target: Target) -> Counts:
    """Write the batch in the caller's transaction; run again, it changes nothing."""
    touch_campaigns(db, {target.campaign.campaign_id})
    if db.dialect.name == "postgresql":
        db.execute(_ONE_AT_A_TIME)
    merged = _merge(batch.people)
    known = {row[0]: _Known(*row[1:]) for row in db.execute(_KNOWN, {"keys": merged})}
    refused = _refuse_codes(db, merged, target.code_column) if "code" in target.fields else []
    new = [people for phone, people in merged.items() if phone not in known]
    ids = dict(zip((people[0].phone for people in new), reserve_ids(db, CUSTOMERS, len(new)), strict=True))
    _write_customers(db, merged, known, ids, target)
    placed = _placed(db, [known[phone].id for phone in merged if phone in known], target)
    ids |= {phone: known[phone].id for phone in merged if phone in known}
    join = [phone for phone in merged if ids[phone] not in placed]
    _comment(db, merged, ids, target.stamp)
    leads = [NewLead(ids[phone], phone, _call_at(merged[phone])) for phone in join]
    if leads:
        add_leads(db, target.campaign, _list_id(db, target), leads, now=target.stamp)
    repeated = sum(len(people) - 1 for people in merged.values())
    seen = sum(known[phone].updated_at == target.stamp for phone in merged if phone in known)
    existing = sum(len(people) for people in merged.values()) - len(join)
    failures = sorted([*batch.failures, *refused], key=lambda failure: failure.row)
    return Counts(len(join), existing, len(failures), repeated + seen, failures)


def _merge(people: Sequence[Person]) -> dict[str, list[Person]]:
    merged: dict[str, list[Person]] = {}
    for person in people:
        merged.setdefault(person.phone, []).append(person)
    return merged


def _values(people: Sequence[Person]) -> dict[str, str]:
    """Join the rows of one number: a later row wins where it says something."""
    if len(people) == 1:
        return people[0].values
    values: dict[str, str] = {}
    for person in people:
        values |= person.values
    return values


def _call_at(people: Sequence[Person]) -> float | None:
    return next((person.call_at for person in reversed(people) if person.call_at is not None), None)


def _refuse_codes(db: Connection, merged: dict[str, list[Person]], column: int) -> list[Failure]:
    """Take out the rows whose code is another customer's, in the store or earlier in this batch."""
    wanted = {person.values["code"] for people in merged.values() for person in people if "code" in person.values}
    owner: dict[str, str] = {row[0]: row[1] for row in db.execute(_CODES, {"keys": wanted})}
    refused: list[Failure] = []
    for phone, people in list(merged.items()):
        for person in list(people):
            code = person.values.get("code")
            if code is not None and owner.setdefault(code, phone) != phone:
                people.remove(person)
                refused.append(Failure(person.row, "code", column, code, *_CODE_TAKEN, person.cells))
        if not people:
            del merged[phone]
    return refused


def _write_customers(
    db: Connection,
    merged: Mapping[str, list[Person]],
    known: Mapping[str, _Known],
    ids: Mapping[str, int],
    target: Target,
) -> None:
    fields = tuple(name for name in target.fields if name != "code")
    joined = {phone: _values(people) for phone, people in merged.items()}
    taken = _taken_codes(db, joined.values(), ids)
    new, old = [], []
    for phone, values in joined.items():
        if phone in known:
            old.append(_changes(known[phone], values, fields, target.stamp))
        else:
            code = values.get("code") or _code(ids[phone], taken)
            new.append(_customer(ids[phone], phone, code, values, target))
    insert_all, update_all = _statements(target.fields)
    insert_all.run(db, new)
    update_all.run(db, old)


def _customer(number: int, phone: str, code: str, values: Mapping[str, str], target: Target) -> SimpleNamespace:
    name, now = values.get("name", ""), target.stamp
    row: dict[str, Any] = {field: values.get(field) for field in target.fields}
    row |= {"id": number, "code": code, "phone_e164": phone, "name": name, "name_sort": fold(name)}
    row |= {"extra": "{}", "created_at": now, "updated_at": now}
    return SimpleNamespace(**row)


def _changes(known: _Known, values: Mapping[str, str], fields: tuple[str, ...], now: float) -> SimpleNamespace:
    row: dict[str, Any] = {f"new_{field}": values.get(field) for field in fields}
    row |= {"key": known.id, "stamp": now, "new_code": values.get("code", known.code)}
    if "name" in fields:
        row["new_name_sort"] = fold(values["name"]) if "name" in values else None
    return SimpleNamespace(**row)


@lru_cache(maxsize=64)
def _statements(mapped: tuple[str, ...]) -> tuple[BulkInsert, BulkStatement]:
    """Return how new customers are inserted and known ones filled in; an empty cell leaves a field (S3-21)."""
    always = ("id", "code", "phone_e164", "name", "name_sort", "extra", "created_at", "updated_at")
    inserting = BulkInsert(CUSTOMERS, tuple(dict.fromkeys((*always, *mapped))))
    fields = [name for name in mapped if name != "code"] + (["name_sort"] if "name" in mapped else [])
    kept: dict[str, Any] = {name: _or_as_it_is(name) for name in fields}
    changing = update(CUSTOMERS).where(CUSTOMERS.c.id == bindparam("key", type_=CUSTOMERS.c.id.type))
    changing = changing.values(
        **kept,
        code=bindparam("new_code", type_=CUSTOMERS.c.code.type),
        updated_at=bindparam("stamp", type_=CUSTOMERS.c.updated_at.type),
    )
    return inserting, BulkStatement(changing, ("key", "new_code", "stamp", *(f"new_{name}" for name in fields)))


def _or_as_it_is(name: str) -> ColumnElement[Any]:
    column = CUSTOMERS.c[name]
    return func.coalesce(bindparam(f"new_{name}", type_=column.type), column)


def _taken_codes(db: Connection, rows: Iterable[Mapping[str, str]], ids: Mapping[str, int]) -> set[str]:
    given = {values["code"] for values in rows if "code" in values}
    made = [_code(number, set()) for number in ids.values()]
    return given | {row[0] for row in db.execute(_CODES, {"keys": made})}


def _code(number: int, taken: set[str]) -> str:
    """Name a customer by its id; a letter more where somebody has used that code for another."""
    code = f"KH{number:06d}"
    while code in taken:
        code += "A"
    return code


def _placed(db: Connection, customers: Sequence[int], target: Target) -> set[int]:
    here = target.campaign.campaign_id
    return {customer for customer, campaign in db.execute(_PLACED, {"keys": customers}) if campaign == here}


def _comment(db: Connection, merged: Mapping[str, list[Person]], ids: Mapping[str, int], now: float) -> None:
    """Add each comment once, however often the file is imported."""
    said = {
        (ids[phone], person.comment): None for phone, people in merged.items() for person in people if person.comment
    }
    if not said:
        return
    known = {tuple(row) for row in db.execute(_SAID, {"keys": list({customer for customer, _ in said})})}
    rows = [
        {"customer_id": customer, "author": "", "text": words, "created_at": now}
        for customer, words in said
        if (customer, words) not in known
    ]
    if rows:
        db.execute(insert(Comment), rows)


def _list_id(db: Connection, target: Target) -> int:
    campaign = target.campaign.campaign_id
    query = select(LeadList.id).where(LeadList.campaign_id == campaign, LeadList.name == target.list_name)
    found = db.execute(query).scalar_one_or_none()
    if found is not None:
        return found
    values = {"campaign_id": campaign, "name": target.list_name, "active": True, "created_at": target.stamp}
    return int(db.execute(insert(LeadList).values(values).returning(LeadList.id)).scalar_one())
