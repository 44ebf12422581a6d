"""The tables (SQLAlchemy 2 declarative): times are UTC epoch seconds, enums are stored as their values.

`leads.due_at` and `leads.dial_rank` are computed by the database from the columns that people and the engine write, so
that whoever changes a lead, the one leasing index stays right.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import (
    JSON,
    Computed,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from store.agent_models import Agent
from store.base import NEVER_REUSE_IDS, Base, BigId
from store.callback_models import OPEN_CALLBACK, Callback
from store.log_models import BoundProjection, LedgerEntry, OutboxRecord
from store.recording_models import AuditEntry, Recording
from store.relay_models import RelayLane, RelayMember
from store.request_models import DeskRequest
from store.script_models import StoredScript
from store.webhook_models import Webhook, WebhookQueue

__all__ = [
    "NEVER_REUSE_IDS", "OPEN_CALLBACK", "Agent", "AuditEntry", "Base", "BigId", "BoundProjection", "Callback",
    "DeskRequest", "LedgerEntry", "OutboxRecord", "Recording", "RelayLane", "RelayMember", "StoredScript", "Webhook",
    "WebhookQueue",
]  # fmt: skip
"""Of other modules: whoever wants a table finds it here."""

SuppressionKind: TypeAlias = Literal["dnc", "blacklist", "no_recall"]


class Customer(Base):
    """A person: the phone number is the identity (requirements S3-2, S3-9, S3-21; S0-20 for the papers)."""

    __tablename__ = "customers"
    __table_args__ = (Index("ix_customers_name_sort", "name_sort", "id"), NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    """Mã khách hàng: letters and digits, e.g. KH000123 (S0-8)."""
    phone_e164: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(255), default="")
    email: Mapped[str | None] = mapped_column(String(255))
    birthday: Mapped[str | None] = mapped_column(String(10))
    """ISO date."""
    province: Mapped[str | None] = mapped_column(String(128))
    gender: Mapped[str | None] = mapped_column(String(32))
    address: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str | None] = mapped_column(String(255))
    customer_type: Mapped[str | None] = mapped_column(String(255))
    company: Mapped[str | None] = mapped_column(String(255))
    tax_code: Mapped[str | None] = mapped_column(String(64))
    position: Mapped[str | None] = mapped_column(String(255))
    note: Mapped[str | None] = mapped_column(Text)
    district: Mapped[str | None] = mapped_column(String(128))
    ward: Mapped[str | None] = mapped_column(String(128))
    id_number: Mapped[str | None] = mapped_column(String(32))
    id_issued_on: Mapped[str | None] = mapped_column(String(10))
    id_issued_at: Mapped[str | None] = mapped_column(String(255))
    passport: Mapped[str | None] = mapped_column(String(32))
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Custom attributes by name (S3-3)."""
    name_sort: Mapped[str] = mapped_column(String(255), default="")
    """The name in lower case without accents, for sorting and searching."""
    created_at: Mapped[float]
    updated_at: Mapped[float]


class CustomerPhone(Base):
    """A further number of a customer (S3-41)."""

    __tablename__ = "customer_phones"
    __table_args__ = (UniqueConstraint("customer_id", "phone_e164"), Index("ix_customer_phones_phone", "phone_e164"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    phone_e164: Mapped[str] = mapped_column(String(20))
    label: Mapped[str] = mapped_column(String(64), default="")


class Campaign(Base):
    """A campaign, its settings, who owns it now and its latest live figures."""

    __tablename__ = "campaigns"
    __table_args__ = (NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    state: Mapped[str] = mapped_column(String(16), default="draft")
    """A CampaignState value."""
    resumes_by_schedule: Mapped[bool] = mapped_column(default=False)
    state_since: Mapped[float]
    settings: Mapped[str] = mapped_column(Text)
    """msgspec JSON of CampaignSettings; its campaign_id and name are replaced by this row's when read."""
    revision: Mapped[int] = mapped_column(default=0)
    """Grows with each change of settings, state or leads by people."""
    owner: Mapped[str | None] = mapped_column(String(128))
    epoch: Mapped[int] = mapped_column(default=0)
    lease_expires_at: Mapped[float | None]
    runtime: Mapped[bytes | None] = mapped_column(LargeBinary)
    """LiveFigures JSON."""
    runtime_at: Mapped[float | None]
    created_at: Mapped[float]


class EngineBeat(Base):
    """An engine process that lives; campaigns are shared evenly among those."""

    __tablename__ = "engines"

    owner: Mapped[str] = mapped_column(String(128), primary_key=True)
    alive_until: Mapped[float]


class LearnedEstimates(Base):
    """What a campaign has learned about its calls and agents; written only by `store.learning`."""

    __tablename__ = "learned"

    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    saved_at: Mapped[float]
    forgets: Mapped[int] = mapped_column(default=0)
    """How often people had it forgotten: a save of what was known before is refused."""
    blob: Mapped[bytes] = mapped_column(LargeBinary)
    """The engine's own format; empty = forgotten."""


class LeadList(Base):
    """A list of leads inside a campaign; switched off, it is not dialed (S0-5)."""

    __tablename__ = "lists"
    __table_args__ = (UniqueConstraint("campaign_id", "name"), NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    name: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[float]


_DUE = """CASE state WHEN 'not_called' THEN COALESCE(call_at, 0) WHEN 'called_no_success' THEN next_at
 WHEN 'callback' THEN callback_at WHEN 'call_error' THEN next_at END"""
DUE_AT: Final = f"""CASE WHEN lease_owner IS NOT NULL OR reconcile THEN NULL
 WHEN state = 'call_error' AND COALESCE(error_kind, 'number') = 'number' THEN NULL
 WHEN ({_DUE}) < COALESCE(held_until, 0) THEN held_until ELSE ({_DUE}) END"""
DIAL_RANK: Final = """CASE WHEN state = 'callback' THEN 0 WHEN state = 'not_called' AND call_at IS NOT NULL THEN 1
 WHEN state = 'called_no_success' AND last_status = 'busy-line' THEN 2
 WHEN state IN ('called_no_success', 'call_error') THEN 3 WHEN state = 'not_called' THEN 4 END"""

BUSY: Final = "(lease_owner IS NOT NULL OR state = 'in_progress')"
"""Leads that have their number; SQLite uses a partial index only for the very words of its condition."""
UNFINISHED: Final = "NOT lead_done"
"""Attempts that are open, or wait for the wrap-up."""


class Lead(Base):
    """A customer's place on a campaign's list and the 11-state machine's memory (statuses.md 3)."""

    __tablename__ = "leads"
    __table_args__ = (
        UniqueConstraint("list_id", "customer_id"),
        Index(
            "ix_leads_dial",
            "list_id",
            "dial_rank",
            "due_at",
            text("priority DESC"),
            "id",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(
            "ix_leads_busy",
            "campaign_id",
            sqlite_where=text(BUSY),
            postgresql_where=text(BUSY),
        ),
        Index("ix_leads_campaign_state", "campaign_id", "state"),
        Index("ix_leads_phone", "phone_e164"),
        Index("ix_leads_customer", "customer_id"),
        Index("ix_leads_added", "added_at"),
        Index("ix_leads_last_call", "last_call_at"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id"))
    phone_e164: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(24), default="not_called")
    """A LeadState value."""
    remembered: Mapped[str | None] = mapped_column(String(24))
    """The state to return to (T14, T17, T20, T26)."""
    error_kind: Mapped[str | None] = mapped_column(String(16))
    pending: Mapped[str | None] = mapped_column(String(24))
    """A Trigger (pause, remove) that waits for the end of the call (T16, T21)."""
    reconcile: Mapped[bool] = mapped_column(default=False)
    """The outcome of its last attempt is unknown: not dialed by itself (T26)."""
    attempts: Mapped[int] = mapped_column(default=0)
    """Attempts that count against the maximum."""
    dialed: Mapped[int] = mapped_column(default=0)
    """Attempts begun."""
    error_attempts: Mapped[int] = mapped_column(default=0)
    status_attempts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    """Attempts by CallStatus value, voided ones left out."""
    last_status: Mapped[str | None] = mapped_column(String(16))
    last_call_at: Mapped[float | None]
    last_hotline: Mapped[str | None] = mapped_column(String(32))
    next_at: Mapped[float | None]
    """When a retry is due; None = no retry."""
    call_at: Mapped[float | None]
    """Thời điểm gọi ra (S4-15): not before this."""
    callback_at: Mapped[float | None]
    callback_agent: Mapped[str | None] = mapped_column(String(128))
    agent_name: Mapped[str | None] = mapped_column(String(128))
    """Who talked with the customer last (S0-15)."""
    disposition: Mapped[str | None] = mapped_column(String(64))
    priority: Mapped[int] = mapped_column(default=0)
    """Higher goes first among those due at the same time."""
    called_in: Mapped[int] = mapped_column(server_default=text("0"))
    """How often the customer called us."""
    held_until: Mapped[float | None]
    """The store's own brake: a guard refused the number until then."""
    held_reason: Mapped[str | None] = mapped_column(String(24))
    """The HoldReason of `held_until`."""
    lease_owner: Mapped[str | None] = mapped_column(String(128))
    lease_epoch: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=0)
    """Grows with each lead.state_changed event; that event carries it."""
    added_at: Mapped[float]
    due_at: Mapped[float | None] = mapped_column(Computed(DUE_AT, persisted=True))
    """Computed: when it may be dialed; NULL = leased, held, finished or in a call."""
    dial_rank: Mapped[int | None] = mapped_column(Computed(DIAL_RANK, persisted=True))
    """Computed: callback 0, appointed time 1, abandoned 2, other retries 3, new 4."""


class Attempt(Base):
    """One attempt, written before the call leaves; outlives its lead."""

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("lead_id", "attempt_no"),
        Index("ix_attempts_phone", "phone_e164", "begun_at"),
        Index(
            "ix_attempts_unfinished",
            "campaign_id",
            sqlite_where=text(UNFINISHED),
            postgresql_where=text(UNFINISHED),
        ),
        Index(
            "ix_attempts_answered",
            "campaign_id",
            "ended_at",
            sqlite_where=text("answered_at IS NOT NULL"),
            postgresql_where=text("answered_at IS NOT NULL"),
        ),
    )

    call_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigId)
    lead_id: Mapped[int] = mapped_column(BigId)
    list_id: Mapped[int] = mapped_column(BigId)
    customer_id: Mapped[int] = mapped_column(BigId)
    phone_e164: Mapped[str] = mapped_column(String(20))
    hotline: Mapped[str] = mapped_column(String(32))
    trunk: Mapped[str] = mapped_column(String(64))
    attempt_no: Mapped[int]
    """1, 2, ... of those that we made; below 0: calls of theirs, -1 the first."""
    owner_epoch: Mapped[int]
    begun_at: Mapped[float]
    direction: Mapped[str] = mapped_column(String(8), default="outbound", server_default=text("'outbound'"))
    """A Direction value."""
    originated_at: Mapped[float | None]
    ringing_at: Mapped[float | None]
    answered_at: Mapped[float | None]
    bridged_at: Mapped[float | None]
    ended_at: Mapped[float | None]
    agent_id: Mapped[str | None] = mapped_column(String(128))
    settled: Mapped[bool] = mapped_column(default=False)
    lead_done: Mapped[bool] = mapped_column(default=False)
    """The lead has taken its result; False after a talk until the wrap-up ends."""
    rang: Mapped[bool] = mapped_column(default=False)
    lost: Mapped[bool] = mapped_column(default=False)
    """The outcome is unknown because we crashed."""
    status: Mapped[str | None] = mapped_column(String(16))
    rule: Mapped[str | None] = mapped_column(String(64))
    attribution: Mapped[str | None] = mapped_column(String(16))
    sub_reason: Mapped[str | None] = mapped_column(String(64))
    cancel_reason: Mapped[str | None] = mapped_column(String(32))
    sip_status: Mapped[int | None]
    q850: Mapped[int | None]
    ended_by: Mapped[str | None] = mapped_column(String(16))
    counts: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str | None] = mapped_column(Text)
    record: Mapped[bytes | None] = mapped_column(LargeBinary)
    """AttemptRecord JSON while the wrap-up is awaited, so that the disposition can repeat the whole CDR.

    Of a call that is recorded it is kept on, for the events about its recording.
    """
    result: Mapped[bytes | None] = mapped_column(LargeBinary)
    """LeadResult JSON, kept for the same."""
    recording: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Heard JSON: what became of the recording; written by `store.recordings`."""


class Suppression(Base):
    """A number that must not be called: DNC register, blacklist, or asked not to be called again."""

    __tablename__ = "suppressions"
    __table_args__ = (Index("ix_suppressions_phone", "phone_e164", "kind"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    phone_e164: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(16))
    """dnc, blacklist or no_recall."""
    scope: Mapped[str] = mapped_column(String(16), default="all")
    """all, calls or messages (the DNC register's scopes); messages does not stop calls."""
    campaign_id: Mapped[int | None] = mapped_column(BigId)
    """Only in this campaign; None = everywhere."""
    except_campaign_id: Mapped[int | None] = mapped_column(BigId)
    """Not in this campaign (no_recall: its own lead is final already)."""
    until: Mapped[float | None]
    """None = for good."""
    reason: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[float]


class Comment(Base):
    """A remark of a person on a customer (Bình luận, S0-13)."""

    __tablename__ = "comments"
    __table_args__ = (Index("ix_comments_customer", "customer_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    lead_id: Mapped[int | None] = mapped_column(BigId)
    author: Mapped[str] = mapped_column(String(128), default="")
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[float]


class User(Base):
    """A person who signs in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[float]


class AppSetting(Base):
    """A setting of the installation."""

    __tablename__ = "app_settings"

    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
