"""Callback appointments: agreed ones and missed calls; listed, filtered, marked as done (S2-17 to S2-19)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, Select, Subquery, and_, exists, func, literal, null, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.lead_actions import in_transaction, touch_campaigns, write_back
from dialer.core.types import CampaignKind
from dialer.errors import IllegalAction, NotFound
from statuses.lead import LeadState, Trigger, called_in
from store.batch import Touched
from store.load import decode_settings, load
from store.models import Callback, Campaign, Customer, Lead
from store.open import readers

APPOINTMENT: Final = "appointment"
"""Why a customer is called back: an agent agreed it; else `missed_call` or `asked` (store.models.Callback)."""
_BY_HAND: Final = frozenset({CampaignKind.INBOUND, CampaignKind.MANUAL, CampaignKind.PREVIEW})
"""Kinds that call nobody by themselves."""
_TASK, _LEAD = "task", "lead"


@dataclass(frozen=True, slots=True)
class CallbackFilter:
    """Which callbacks; None does not filter. `day` is one of the zone's calendar."""

    campaign_id: int | None = None
    day: date | None = None
    zone: str = "Asia/Ho_Chi_Minh"
    done: bool = False
    """Those that are done instead of those that are open."""


@dataclass(frozen=True, slots=True)
class CallbackItem:
    """One customer to be called back; times in UTC epoch seconds. `key` names it for `finish_callback`."""

    key: str
    campaign_id: int
    campaign: str
    lead_id: int
    name: str
    phone: str
    reason: str
    calls: int
    """Missed calls that it stands for."""
    agent: str | None
    due_at: float
    by_dialer: bool
    """The campaign's engine calls by itself when it runs and the window is open."""
    done_at: float | None
    done_by: str | None


@dataclass(frozen=True, slots=True)
class CallbackPage:
    """A page of the list; `total` counts all that match."""

    rows: Sequence[CallbackItem]
    total: int


async def list_callbacks(
    engine: AsyncEngine, wanted: CallbackFilter = CallbackFilter(), *, offset: int = 0, limit: int = 50
) -> CallbackPage:
    """Return the callbacks that match, the first due first (done ones: the last done first)."""
    items = _items(wanted).subquery("items")
    order = [items.c.done_at.desc(), items.c.key] if wanted.done else [items.c.due_at, items.c.key]
    query = (
        select(items, Campaign.name.label("campaign"), Customer.name.label("name"))
        .join(Campaign, Campaign.id == items.c.campaign_id)
        .join(Customer, Customer.id == items.c.customer_id)
        .where(*_conditions(items, wanted))
    ).add_columns(Campaign.settings)
    count = select(func.count()).select_from(items).where(*_conditions(items, wanted))
    async with readers(engine).connect() as db:
        rows = (await db.execute(query.order_by(*order).offset(offset).limit(limit))).all()
        total = (await db.execute(count)).scalar_one()
    return CallbackPage([_item(row) for row in rows], total)


async def finish_callback(engine: AsyncEngine, key: str, *, by: str, now: float) -> None:
    """Mark a callback as done: the dialer does not call for it any more.

    Raises NotFound for a key that no open callback has, IllegalAction while the customer is in a call of ours.
    """
    kind, _, number = key.partition("-")
    if kind not in (_TASK, _LEAD) or not number.isdecimal():
        raise _unknown(key)

    def work(db: Connection) -> None:
        lead_id = _close_task(db, int(number), by, now) if kind == _TASK else int(number)
        if lead_id is None or not (_release(db, lead_id, now) or kind == _TASK):
            raise _unknown(key)

    await in_transaction(engine, work)


def _items(wanted: CallbackFilter) -> Select[Any] | Any:
    task = Callback.__table__.c
    state = select(Lead.state).where(Lead.id == task.lead_id).scalar_subquery()
    tasks = select(
        literal("task-").concat(task.id).label("key"), task.campaign_id, task.lead_id, task.customer_id,
        task.phone_e164.label("phone"), task.reason, task.calls, task.agent, task.due_at,
        func.coalesce(state == LeadState.CALLBACK.value, False).label("by_dialer"), task.done_at, task.done_by,
    ).where(task.done_at.is_not(None) if wanted.done else task.done_at.is_(None))  # fmt: skip
    if wanted.done:
        return tasks
    told = exists().where(task.lead_id == Lead.id, task.done_at.is_(None))
    appointed = and_(Lead.state == LeadState.CALLBACK.value, Lead.callback_at.is_not(None), ~told)
    leads = select(
        literal("lead-").concat(Lead.id), Lead.campaign_id, Lead.id, Lead.customer_id, Lead.phone_e164,
        literal(APPOINTMENT), literal(0), Lead.callback_agent, Lead.callback_at, literal(True), null(), null(),  # noqa: FBT003 -- SQL
    ).where(appointed)  # fmt: skip
    return union_all(tasks, leads)


def _conditions(items: Subquery, wanted: CallbackFilter) -> list[Any]:
    where = [] if wanted.campaign_id is None else [items.c.campaign_id == wanted.campaign_id]
    if wanted.day is not None:
        zone = ZoneInfo(wanted.zone)
        first = datetime.combine(wanted.day, datetime.min.time(), zone)
        after = datetime.combine(wanted.day + timedelta(days=1), datetime.min.time(), zone)
        where += [items.c.due_at >= first.timestamp(), items.c.due_at < after.timestamp()]
    return where


def _item(row: Row[Any]) -> CallbackItem:
    return CallbackItem(
        key=row.key,
        campaign_id=row.campaign_id,
        campaign=row.campaign,
        lead_id=row.lead_id,
        name=row.name,
        phone=row.phone,
        reason=row.reason,
        calls=row.calls,
        agent=row.agent,
        due_at=row.due_at,
        by_dialer=bool(row.by_dialer) and _dials(row),
        done_at=row.done_at,
        done_by=row.done_by,
    )


def _dials(row: Row[Any]) -> bool:
    return decode_settings(row.settings, row.campaign_id, row.campaign).kind not in _BY_HAND


def _close_task(db: Connection, number: int, by: str, now: float) -> int | None:
    """Close the task and return its lead; None when there is no such open task."""
    mine = and_(Callback.id == number, Callback.done_at.is_(None))
    closed = update(Callback).where(mine).values(done_at=now, done_by=by).returning(Callback.lead_id)
    return db.execute(closed).scalar_one_or_none()


def _release(db: Connection, lead_id: int, now: float) -> bool:
    """Take a lead that waits for its callback to its success, as a talk would; False when it waits for none."""
    found = db.execute(select(Lead.campaign_id, Lead.state).where(Lead.id == lead_id)).one_or_none()
    if found is None or found.state not in (LeadState.CALLBACK, LeadState.IN_PROGRESS):
        return False
    touch_campaigns(db, {found.campaign_id})
    book = load(db, Touched(campaigns={found.campaign_id}, leads={lead_id}), now=now)
    lead = book.leads.get(lead_id)
    if lead is None:
        return False
    if lead.state != LeadState.CALLBACK:
        raise IllegalAction(f"lead {lead_id} is in a call at this moment; mark the callback as done when that is over.")
    moved = called_in(book.facts(lead), Trigger.ANSWERED)
    lead.callback_at = lead.callback_agent = lead.next_at = None
    book.move(lead, moved, Trigger.ANSWERED, at=now)
    write_back(db, book, now=now)
    return True


def _unknown(key: str) -> NotFound:
    return NotFound(f"there is no open callback {key!r}; `dialer callbacks list` shows them and their keys.")
