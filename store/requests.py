"""Requests of people on their way to the engine that owns the campaign: taken once, while fresh, and answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import msgspec
from sqlalchemy import Connection, Table, delete, insert, select, update

from dialer.core.effects import AnswerRequest
from dialer.core.events import Requested
from dialer.core.types import Declined, Fence
from dialer.requests import Wanted, requested
from store.bulk import among
from store.request_models import DeskRequest

_TABLE: Final = cast("Table", DeskRequest.__table__)
_KEPT_S: Final = 86_400.0
_MOST: Final = 200
"""Requests that one look takes."""
_OPEN: Final = (
    select(_TABLE.c.id, _TABLE.c.campaign_id, _TABLE.c.wanted, _TABLE.c.asked_at)
    .where(_TABLE.c.state == "asked", among(_TABLE.c.campaign_id))
    .order_by(_TABLE.c.id)
    .limit(_MOST)
    .with_for_update(skip_locked=True)
)
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Wanted)


def ask(connection: Connection, campaign_id: int, wanted: Wanted, *, author: str, now: float) -> int:
    """Write a request down and return its id; those of yesterday are forgotten."""
    connection.execute(delete(_TABLE).where(_TABLE.c.asked_at < now - _KEPT_S))
    values = {
        "campaign_id": campaign_id, "agent_id": wanted.agent_id, "wanted": _ENCODER.encode(wanted),
        "author": author, "asked_at": now, "state": "asked",
    }  # fmt: skip
    return int(connection.execute(insert(_TABLE).values(values).returning(_TABLE.c.id)).scalar_one())


def any_open(connection: Connection, fences: Sequence[Fence]) -> bool:
    """Tell whether anything is asked of these campaigns: the cheap look, which locks nothing."""
    query = select(_TABLE.c.id).where(_TABLE.c.state == "asked", among(_TABLE.c.campaign_id)).limit(1)
    return connection.execute(query, {"keys": [fence.campaign_id for fence in fences]}).first() is not None


def take(connection: Connection, fences: Sequence[Fence], *, now: float, fresh_s: float) -> list[tuple[int, Requested]]:
    """Take what is asked of these campaigns, as (campaign id, fact), oldest first; refuse what has waited too long."""
    rows = connection.execute(_OPEN, {"keys": [fence.campaign_id for fence in fences]}).all()
    late = [row.id for row in rows if row.asked_at < now - fresh_s]
    if late:
        words = {"state": "refused", "code": Declined.TOO_LATE.value, "answered_at": now}
        connection.execute(update(_TABLE).where(among(_TABLE.c.id)).values(words), {"keys": late})
    fresh = [row for row in rows if row.asked_at >= now - fresh_s]
    if fresh:
        taken = update(_TABLE).where(among(_TABLE.c.id)).values(state="taken")
        connection.execute(taken, {"keys": [row.id for row in fresh]})
    return [(row.campaign_id, requested(row.id, _DECODER.decode(row.wanted))) for row in fresh]


def answer(connection: Connection, fence: Fence, effect: AnswerRequest, *, now: float) -> None:
    """Write what came of a request, once."""
    mine = (_TABLE.c.id == effect.request_id, _TABLE.c.campaign_id == fence.campaign_id, _TABLE.c.state == "taken")
    words = {
        "state": "done" if effect.code is None else "refused", "code": effect.code, "call_id": effect.call_id,
        "lead_id": effect.lead_id, "answered_at": now,
    }  # fmt: skip
    connection.execute(update(_TABLE).where(*mine).values(words))
