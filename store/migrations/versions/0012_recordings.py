"""Recordings of calls, and who listened to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
KEPT = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    op.add_column("attempts", sa.Column("result", sa.LargeBinary(), nullable=True))
    op.add_column("attempts", sa.Column("recording", sa.LargeBinary(), nullable=True))
    op.create_table(
        "recordings",
        sa.Column("call_id", sa.String(64), primary_key=True),
        sa.Column("campaign_id", BIG, nullable=False),
        sa.Column("began_at", sa.Double(), nullable=False),
        sa.Column("storage", sa.String(512), nullable=False),
        sa.Column("path", sa.String(128), nullable=False),
        sa.Column("format", sa.String(8), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("stored_at", sa.Double(), nullable=False),
        sa.Column("deleted_at", sa.Double(), nullable=True),
    )
    op.create_index("ix_recordings_kept", "recordings", ["began_at"], sqlite_where=KEPT, postgresql_where=KEPT)
    op.create_table(
        "audit",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("object", sa.String(128), nullable=False),
        sa.Column("remote", sa.String(64), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_object", "audit", ["object", "id"])


def downgrade() -> None:
    op.drop_table("audit")
    op.drop_table("recordings")
    with op.batch_alter_table("attempts") as batch:
        batch.drop_column("recording")
        batch.drop_column("result")
