"""Which event log a projection reads and which analytics it writes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bound_projections",
        sa.Column("projection", sa.String(64), primary_key=True),
        sa.Column("log", sa.String(300), nullable=False),
        sa.Column("analytics", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("bound_projections")
