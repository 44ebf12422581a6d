"""Read the scripts that campaigns follow, and the fields of customers that their texts may name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, cast

from sqlalchemy import Connection, Select, Table, and_, func, select

from dialer.core.script import ScriptText
from dialer.core.types import CampaignSettings
from store.bulk import among
from store.models import Customer
from store.script_models import StoredScript

SCRIPTS: Final = cast("Table", StoredScript.__table__)
CUSTOMERS: Final = cast("Table", Customer.__table__)
FIELDS: Final = (
    "code", "email", "birthday", "province", "gender", "address", "source", "customer_type", "company", "tax_code",
    "position", "note", "district", "ward",
)  # fmt: skip
"""What texts may name besides `name`, `phone` and a customer's own attributes: no identity papers."""
_FIELDS: Final = select(CUSTOMERS.c.id, CUSTOMERS.c.extra, *(CUSTOMERS.c[name] for name in FIELDS)).where(
    among(CUSTOMERS.c.id)
)


def latest_scripts() -> Select[Any]:
    """Select the version in force of every script, deleted ones included."""
    newest = select(SCRIPTS.c.name, func.max(SCRIPTS.c.version).label("version")).group_by(SCRIPTS.c.name).subquery()
    same = and_(newest.c.name == SCRIPTS.c.name, newest.c.version == SCRIPTS.c.version)
    return select(SCRIPTS).join(newest, same)


def scripts_of(connection: Connection, campaigns: Iterable[CampaignSettings]) -> dict[str, ScriptText]:
    """Return the scripts that these campaigns name; one that is not there has no text."""
    names = {settings.script for settings in campaigns if settings.script is not None}
    if not names:
        return {}
    rows = connection.execute(latest_scripts().where(SCRIPTS.c.name.in_(names)))
    found = {row.name: ScriptText(row.name, row.version, row.text) for row in rows}
    return {name: found.get(name, ScriptText(name, 0, None)) for name in names}


def fields_of(connection: Connection, customer_ids: Collection[int]) -> Mapping[int, dict[str, str]]:
    """Return what texts may name of each customer; empty attributes are there with an empty text."""
    if not customer_ids:
        return {}
    rows = connection.execute(_FIELDS, {"keys": customer_ids}).all()
    return {row.id: {**_own(row.extra), **{name: getattr(row, name) or "" for name in FIELDS}} for row in rows}


def _own(extra: Mapping[str, Any] | None) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in (extra or {}).items()}
