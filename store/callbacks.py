"""Callbacks for people to make: noted when a call was missed, done when somebody talked with the customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, text

from store.rows import CallbackRow

# The second missed call of a number counts in the task that is open; whoever is to call keeps it.
_NOTE: Final = text(
    "INSERT INTO callbacks (campaign_id, lead_id, customer_id, phone_e164, reason, calls, agent, due_at, created_at)"
    " VALUES (:campaign_id, :lead_id, :customer_id, :phone, :reason, 1, :agent, :due_at, :now)"
    " ON CONFLICT (phone_e164, campaign_id) WHERE done_at IS NULL DO UPDATE SET calls = callbacks.calls + 1,"
    " lead_id = excluded.lead_id, due_at = excluded.due_at, agent = COALESCE(excluded.agent, callbacks.agent)"
)
_DONE: Final = text("UPDATE callbacks SET done_at = :at, done_by = :by WHERE phone_e164 = :phone AND done_at IS NULL")


def follow_up(
    connection: Connection,
    callbacks: Sequence[CallbackRow],
    talked: Mapping[str, tuple[str | None, float]],
    *,
    now: float,
) -> None:
    """Close the tasks of numbers whose customers were talked with, then note new ones."""
    if talked:
        connection.execute(_DONE, [{"phone": phone, "by": by, "at": at} for phone, (by, at) in sorted(talked.items())])
    if callbacks:
        connection.execute(_NOTE, [_values(callback, now) for callback in callbacks])


def _values(callback: CallbackRow, now: float) -> dict[str, Any]:
    names = ("campaign_id", "lead_id", "customer_id", "phone", "reason", "agent", "due_at")
    return {name: getattr(callback, name) for name in names} | {"now": now}
