"""Turns: what only one may do at a time is a row to lock, which no login of reports can.

Revision: 0017_turns, after 0016_views.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017_turns"
down_revision = "0016_views"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "turns",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_turns")),
        comment="What only one may do at a time: the fan-out, and each ordered endpoint; rows to lock.",
    )
    op.secure_table("turns", "local", worker=True)


def downgrade() -> None:
    op.drop_table("turns")
