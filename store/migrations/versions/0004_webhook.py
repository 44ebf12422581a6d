"""Receivers of call records, and what waits for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column(
            "campaign_id", BIG, sa.ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(16), nullable=True),
        sa.Column("old_until", sa.Double(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.Double(), nullable=True),
        sa.Column("next_at", sa.Double(), nullable=False),
        sa.Column("error", sa.String(255), nullable=False),
        sa.Column("disabled_at", sa.Double(), nullable=True),
        sa.Column("disabled_reason", sa.String(400), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.Double(), nullable=True),
        sa.Column("dropped", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "webhook_queue",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("campaign_id", BIG, sa.ForeignKey("webhooks.campaign_id", ondelete="CASCADE"), nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("queued_at", sa.Double(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhook_queue_campaign", "webhook_queue", ["campaign_id", "id"])


def downgrade() -> None:
    op.drop_table("webhook_queue")
    op.drop_table("webhooks")
