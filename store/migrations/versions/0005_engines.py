"""Which engine processes live, so that they share the campaigns evenly."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "engines",
        sa.Column("owner", sa.String(128), primary_key=True),
        sa.Column("alive_until", sa.Double(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("engines")
