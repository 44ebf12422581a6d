"""How far the relay has brought the outbox to Kafka, by partition, and which relays are at work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "relay_lanes",
        sa.Column("topic", sa.String(249), primary_key=True),
        sa.Column("partition", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("position", BIG, nullable=False),
        sa.Column("owner", sa.String(128), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("batch_last", BIG, nullable=True),
        sa.Column("batch_count", sa.Integer(), nullable=True),
        sa.Column("producer_id", BIG, nullable=True),
        sa.Column("producer_epoch", sa.Integer(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=True),
    )
    op.create_table(
        "relays",
        sa.Column("topic", sa.String(249), primary_key=True),
        sa.Column("owner", sa.String(128), primary_key=True),
        sa.Column("expires_at", sa.Double(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("relays")
    op.drop_table("relay_lanes")
