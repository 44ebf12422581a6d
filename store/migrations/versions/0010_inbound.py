"""Calls of customers to us, and callbacks for people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("done_at IS NULL")


def upgrade() -> None:
    op.add_column("attempts", sa.Column("direction", sa.String(8), nullable=False, server_default="outbound"))
    op.add_column("leads", sa.Column("called_in", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "callbacks",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("campaign_id", BIG, nullable=False),
        sa.Column("lead_id", BIG, nullable=False),
        sa.Column("customer_id", BIG, nullable=False),
        sa.Column("phone_e164", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("agent", sa.String(128), nullable=True),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("done_at", sa.Double(), nullable=True),
        sa.Column("done_by", sa.String(128), nullable=True),
        sqlite_autoincrement=True,
    )
    columns = ["phone_e164", "campaign_id"]
    op.create_index("ix_callbacks_open", "callbacks", columns, unique=True, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_callbacks_due", "callbacks", ["due_at", "id"])


def downgrade() -> None:
    op.drop_table("callbacks")
    op.drop_column("leads", "called_in")
    op.drop_column("attempts", "direction")
