"""What people ask of agents' desks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "requests",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("campaign_id", BIG, nullable=False),
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("wanted", sa.LargeBinary(), nullable=False),
        sa.Column("author", sa.String(128), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("code", sa.String(32), nullable=True),
        sa.Column("call_id", sa.String(64), nullable=True),
        sa.Column("lead_id", BIG, nullable=True),
        sa.Column("answered_at", sa.Double(), nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_requests_open", "requests", ["state", "campaign_id"])
    op.create_index("ix_requests_asked", "requests", ["asked_at"])


def downgrade() -> None:
    op.drop_table("requests")
