"""The first schema: customers, campaigns, leads, attempts, suppressions, the outbox and its ledger."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DUE = """CASE state WHEN 'not_called' THEN COALESCE(call_at, 0) WHEN 'called_no_success' THEN next_at
 WHEN 'callback' THEN callback_at WHEN 'call_error' THEN next_at END"""
DUE_AT = f"""CASE WHEN lease_owner IS NOT NULL OR reconcile THEN NULL
 WHEN state = 'call_error' AND COALESCE(error_kind, 'number') = 'number' THEN NULL
 WHEN ({DUE}) < COALESCE(held_until, 0) THEN held_until ELSE ({DUE}) END"""
DIAL_RANK = """CASE WHEN state = 'callback' THEN 0 WHEN state = 'not_called' AND call_at IS NOT NULL THEN 1
 WHEN state = 'called_no_success' AND last_status = 'busy-line' THEN 2
 WHEN state IN ('called_no_success', 'call_error') THEN 3 WHEN state = 'not_called' THEN 4 END"""
BUSY = sa.text("(lease_owner IS NOT NULL OR state = 'in_progress')")
DUE_SOME_TIME = sa.text("due_at IS NOT NULL")
ANSWERED = sa.text("answered_at IS NOT NULL")
UNFINISHED = sa.text("NOT lead_done")


def _need(kind: sa.types.TypeEngine[Any], names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names.split()]


def _may(kind: sa.types.TypeEngine[Any], names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=True) for name in names.split()]


def _id() -> sa.Column[Any]:
    return sa.Column("id", BIG, primary_key=True)


TABLES = (
    "leads",
    "lists",
    "customer_phones",
    "comments",
    "customers",
    "campaigns",
    "attempts",
    "suppressions",
    "outbox",
    "offset_ledger",
    "users",
    "app_settings",
)


def upgrade() -> None:
    _customers()
    _extras()
    _campaigns()
    _leads()
    _attempts()
    _suppressions()
    _log()
    _settings()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)


def _customers() -> None:
    op.create_table(
        "customers",
        _id(),
        *_need(sa.String(64), "code"),
        *_need(sa.String(20), "phone_e164"),
        *_need(sa.String(255), "name name_sort"),
        *_may(sa.String(255), "email source customer_type company position id_issued_at"),
        *_may(sa.String(128), "province district ward"),
        *_may(sa.String(64), "tax_code"),
        *_may(sa.String(32), "gender id_number passport"),
        *_may(sa.String(10), "birthday id_issued_on"),
        *_may(sa.Text(), "address note"),
        *_need(sa.JSON(), "extra"),
        *_need(sa.Double(), "created_at updated_at"),
        sa.UniqueConstraint("code"),
        sa.UniqueConstraint("phone_e164"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_customers_name_sort", "customers", ["name_sort", "id"])


def _extras() -> None:
    op.create_table(
        "customer_phones",
        _id(),
        sa.Column("customer_id", BIG, sa.ForeignKey("customers.id", ondelete="CASCADE"), nullable=False),
        *_need(sa.String(20), "phone_e164"),
        *_need(sa.String(64), "label"),
        sa.UniqueConstraint("customer_id", "phone_e164"),
    )
    op.create_index("ix_customer_phones_phone", "customer_phones", ["phone_e164"])
    op.create_table(
        "comments",
        _id(),
        sa.Column("customer_id", BIG, sa.ForeignKey("customers.id", ondelete="CASCADE"), nullable=False),
        *_may(BIG, "lead_id"),
        *_need(sa.String(128), "author"),
        *_need(sa.Text(), "text"),
        *_need(sa.Double(), "created_at"),
    )
    op.create_index("ix_comments_customer", "comments", ["customer_id", "id"])


def _campaigns() -> None:
    op.create_table(
        "campaigns",
        _id(),
        *_need(sa.String(255), "name"),
        *_need(sa.String(16), "state"),
        *_need(sa.Boolean(), "resumes_by_schedule"),
        *_need(sa.Double(), "state_since created_at"),
        *_need(sa.Text(), "settings"),
        *_need(sa.Integer(), "revision epoch"),
        *_may(sa.String(128), "owner"),
        *_may(sa.Double(), "lease_expires_at runtime_at"),
        *_may(sa.LargeBinary(), "runtime"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "lists",
        _id(),
        sa.Column("campaign_id", BIG, sa.ForeignKey("campaigns.id"), nullable=False),
        *_need(sa.String(255), "name"),
        *_need(sa.Boolean(), "active"),
        *_need(sa.Double(), "created_at"),
        sa.UniqueConstraint("campaign_id", "name"),
        sqlite_autoincrement=True,
    )


def _leads() -> None:
    op.create_table(
        "leads",
        _id(),
        sa.Column("customer_id", BIG, sa.ForeignKey("customers.id"), nullable=False),
        sa.Column("campaign_id", BIG, sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("list_id", BIG, sa.ForeignKey("lists.id"), nullable=False),
        *_need(sa.String(20), "phone_e164"),
        *_need(sa.String(24), "state"),
        *_may(sa.String(24), "remembered pending held_reason"),
        *_may(sa.String(16), "error_kind last_status"),
        *_need(sa.Boolean(), "reconcile"),
        *_need(sa.Integer(), "attempts dialed error_attempts priority version"),
        *_need(sa.JSON(), "status_attempts"),
        *_may(sa.String(32), "last_hotline"),
        *_may(sa.Double(), "last_call_at next_at call_at callback_at held_until"),
        *_may(sa.String(128), "callback_agent agent_name lease_owner"),
        *_may(sa.String(64), "disposition"),
        *_may(sa.Integer(), "lease_epoch"),
        *_need(sa.Double(), "added_at"),
        sa.Column("due_at", sa.Double(), sa.Computed(DUE_AT, persisted=True), nullable=True),
        sa.Column("dial_rank", sa.Integer(), sa.Computed(DIAL_RANK, persisted=True), nullable=True),
        sa.UniqueConstraint("list_id", "customer_id"),
        sqlite_autoincrement=True,
    )
    dial: list[Any] = ["list_id", "dial_rank", "due_at", sa.text("priority DESC"), "id"]
    op.create_index("ix_leads_dial", "leads", dial, sqlite_where=DUE_SOME_TIME, postgresql_where=DUE_SOME_TIME)
    op.create_index("ix_leads_busy", "leads", ["campaign_id"], sqlite_where=BUSY, postgresql_where=BUSY)
    op.create_index("ix_leads_campaign_state", "leads", ["campaign_id", "state"])
    for name, column in (("phone", "phone_e164"), ("customer", "customer_id"), ("added", "added_at")):
        op.create_index(f"ix_leads_{name}", "leads", [column])
    op.create_index("ix_leads_last_call", "leads", ["last_call_at"])


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("call_id", sa.String(64), primary_key=True),
        *_need(BIG, "campaign_id lead_id list_id customer_id"),
        *_need(sa.String(20), "phone_e164"),
        *_need(sa.String(32), "hotline"),
        *_need(sa.String(64), "trunk"),
        *_need(sa.Integer(), "attempt_no owner_epoch"),
        *_need(sa.Double(), "begun_at"),
        *_may(sa.Double(), "originated_at ringing_at answered_at bridged_at ended_at"),
        *_may(sa.String(128), "agent_id"),
        *_need(sa.Boolean(), "settled lead_done rang lost counts"),
        *_may(sa.String(16), "status attribution ended_by"),
        *_may(sa.String(64), "rule sub_reason"),
        *_may(sa.String(32), "cancel_reason"),
        *_may(sa.Integer(), "sip_status q850"),
        *_may(sa.Text(), "note"),
        *_may(sa.LargeBinary(), "record"),
        sa.UniqueConstraint("lead_id", "attempt_no"),
    )
    op.create_index("ix_attempts_phone", "attempts", ["phone_e164", "begun_at"])
    name, columns = "ix_attempts_unfinished", ["campaign_id"]
    op.create_index(name, "attempts", columns, sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)
    name, columns = "ix_attempts_answered", ["campaign_id", "ended_at"]
    op.create_index(name, "attempts", columns, sqlite_where=ANSWERED, postgresql_where=ANSWERED)


def _suppressions() -> None:
    op.create_table(
        "suppressions",
        _id(),
        *_need(sa.String(20), "phone_e164"),
        *_need(sa.String(16), "kind scope"),
        *_may(BIG, "campaign_id except_campaign_id"),
        *_may(sa.Double(), "until"),
        *_need(sa.String(255), "reason"),
        *_need(sa.Double(), "created_at"),
    )
    op.create_index("ix_suppressions_phone", "suppressions", ["phone_e164", "kind"])


def _log() -> None:
    op.create_table(
        "outbox",
        sa.Column("offset", BIG, primary_key=True, autoincrement=False),
        *_need(sa.String(64), "key"),
        *_need(sa.String(36), "event_id"),
        *_need(sa.String(32), "type"),
        *_need(sa.LargeBinary(), "value"),
        *_need(sa.Double(), "created_at"),
        sa.UniqueConstraint("event_id"),
    )
    op.create_table(
        "offset_ledger",
        sa.Column("projection", sa.String(64), primary_key=True),
        sa.Column("partition", sa.Integer(), primary_key=True, autoincrement=False),
        *_need(BIG, "position"),
        *_may(BIG, "pending_first pending_last"),
    )


def _settings() -> None:
    op.create_table(
        "users",
        _id(),
        *_need(sa.String(128), "name"),
        *_need(sa.String(255), "password_hash"),
        *_need(sa.Double(), "created_at"),
        sa.UniqueConstraint("name"),
    )
    op.create_table("app_settings", sa.Column("key", sa.String(128), primary_key=True), *_need(sa.Text(), "value"))
